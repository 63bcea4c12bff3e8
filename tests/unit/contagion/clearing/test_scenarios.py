"""Many scenarios at once, what is refused, and size."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from defirisk.contagion.clearing.clear import Start, clear
from defirisk.contagion.clearing.debt_rank import Passing, debt_rank
from defirisk.contagion.clearing.fixed_point import Limits, settle
from defirisk.contagion.clearing.network import Bools, Network
from defirisk.contagion.clearing.rules import Terms, Valuation
from defirisk.core.book import Floats
from tests.unit.contagion.clearing.clearing_networks import chain, drawn, network

TERMS = Terms(alpha=0.7, beta=0.9, recovery_rate=0.2)


@pytest.mark.parametrize("rule", list(Valuation))
@pytest.mark.parametrize("start", list(Start))
def test_a_batch_is_bitwise_its_scenarios(rule: Valuation, start: Start) -> None:
    for seed in range(10):
        net = drawn(seed)
        random = np.random.default_rng(seed)
        shock = net.external_assets[:, None] * random.random((net.nodes, 7))
        batch = clear(net, shock, valuation=rule, terms=TERMS, start=start)
        for s in range(7):
            one = clear(net, shock[:, s], valuation=rule, terms=TERMS, start=start)
            for name in ("payments", "recovery", "equity", "rounds", "converged", "residual"):
                together, alone = getattr(batch, name)[..., s], getattr(one, name)[..., 0]
                assert np.array_equal(together, alone), (seed, s, name)


@pytest.mark.parametrize("passing", list(Passing))
def test_a_batch_of_losses_is_bitwise_its_scenarios(passing: Passing) -> None:
    for seed in range(10):
        net = drawn(seed)
        random = np.random.default_rng(seed)
        own = random.uniform(0, 100, net.nodes)
        h0 = random.random((net.nodes, 6)) * (random.random((net.nodes, 6)) < 0.2)
        batch = debt_rank(net.liabilities, own, h0, passing=passing)
        for s in range(6):
            one = debt_rank(net.liabilities, own, h0[:, s], passing=passing)
            assert np.array_equal(batch.h[:, s], one.h[:, 0])
            assert batch.rounds[s] == one.rounds[0]


def test_assets_by_scenario_are_shocks_of_the_same_size() -> None:
    net, shock = chain(), np.array([[0, 1.0], [0, 0.5], [1.5, 0.2]])
    each = network(
        net.liabilities.toarray(), net.external_assets[:, None] - shock, net.owed_outside
    )
    assert np.array_equal(clear(each).payments, clear(net, shock).payments)
    both = clear(each, np.array([0.5, 0, 0]))
    again = clear(net, shock + np.array([[0.5], [0], [0]]))
    assert both.payments == pytest.approx(again.payments, abs=1e-14)


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
def test_a_network_is_finite_and_not_negative(bad: float) -> None:
    with pytest.raises(ValueError, match=r"liabilities\[0, 1\]"):
        network([[0, bad], [0, 0]], [1, 1])
    with pytest.raises(ValueError, match=r"external assets\[1\]"):
        network([[0, 1], [0, 0]], [1, bad])
    with pytest.raises(ValueError, match=r"external liabilities\[0\]"):
        network([[0, 1], [0, 0]], [1, 1], [bad, 0])
    with pytest.raises(ValueError, match=r"shock\[0\]"):
        clear(network([[0, 1], [0, 0]], [1, 1]), np.array([bad, 0]))


def test_shapes_and_sizes_are_checked() -> None:
    with pytest.raises(ValueError, match="not square"):
        network([[0, 1, 0], [0, 0, 0]], [1, 1])
    with pytest.raises(ValueError, match="owes itself"):
        network([[0, 1], [0, 2]], [1, 1])
    with pytest.raises(ValueError, match="external assets have shape"):
        network([[0, 1], [0, 0]], [1, 1, 1])
    with pytest.raises(ValueError, match="external liabilities have shape"):
        network([[0, 1], [0, 0]], [1, 1], [[1], [1]])
    with pytest.raises(ValueError, match="too large"):
        network([[0, 1e308], [1e308, 0]], [1e308, 0])
    with pytest.raises(ValueError, match="node 1 is to lose 2"):
        clear(network([[0, 1], [0, 0]], [1, 1]), np.array([0, 2.0]))
    with pytest.raises(ValueError, match="scenarios"):
        clear(network([[0, 1], [0, 0]], np.ones((2, 2))), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="tolerance"):
        Limits(tolerance=-1)


def test_a_network_is_its_own_copy() -> None:
    debts, assets = csr_array(np.array([[0, 1.0], [0, 0]])), np.ones(2)
    net = Network(liabilities=debts, external_assets=assets)
    debts.data[0], assets[0] = 5, 5
    assert net.liabilities[0, 1] == 1
    assert net.external_assets[0] == 1
    for part in (net.liabilities.data, net.external_assets, net.owed_outside):
        with pytest.raises(ValueError, match="read-only"):
            part[0] = 2


def test_nothing_clears_to_nothing() -> None:
    empty = Network(liabilities=csr_array((0, 0)), external_assets=np.zeros(0))
    assert clear(empty).payments.shape == (0, 1)
    alone = network([[0, 0], [0, 0]], [3, 0])
    for rule in Valuation:
        found = clear(alone, valuation=rule)
        assert found.recovery[:, 0].tolist() == [1, 1]
        assert found.payments[:, 0].tolist() == [0, 0]
        assert found.equity[:, 0].tolist() == [3, 0]
    assert clear(alone, np.zeros((2, 0))).payments.shape == (2, 0)


def test_a_nan_does_not_leave_silently() -> None:
    def broken(values: Floats, which: Bools) -> Floats:
        return np.full_like(values, np.nan)

    with pytest.raises(FloatingPointError):
        settle(broken, np.ones((2, 1)), Limits())


def test_amounts_of_any_size_leave_no_nan() -> None:
    tiny, huge = 5e-324, 1e300
    net = network([[0, tiny, huge], [huge, 0, tiny], [tiny, huge, 0]], [huge, tiny, 0], [0, 1, 0])
    for rule in Valuation:
        for start in Start:
            found = clear(net, valuation=rule, terms=TERMS, start=start)
            assert np.isfinite(found.payments).all()
            assert np.isfinite(found.equity).all()
            assert found.converged.all()


def test_rounds_that_run_out_keep_a_bound() -> None:
    net = network([[0, 10, 0], [0, 0, 10], [0, 0, 0]], [5, 3, 0])
    found = clear(net, limits=Limits(rounds=1))
    assert not found.converged.any()
    assert (found.payments >= clear(net).payments).all()
    below = clear(net, limits=Limits(rounds=1), start=Start.BELOW)
    assert (below.payments <= clear(net).payments).all()


@pytest.mark.parametrize("rule", list(Valuation))
def test_thousands_of_nodes_converge(rule: Valuation) -> None:
    nodes, degree = 5_000, 8
    random = np.random.default_rng(5000)
    debtor, creditor = random.integers(0, nodes, (2, nodes * degree))
    kept = debtor != creditor
    amount = random.pareto(1.5, nodes * degree)[kept]
    debts = csr_array((amount, (debtor[kept], creditor[kept])), shape=(nodes, nodes))
    owed = np.asarray(debts.sum(axis=1), dtype=np.float64)
    net = Network(
        liabilities=debts,
        external_assets=owed * 0.5 + random.exponential(1.0, nodes),
        external_liabilities=owed * 0.3,
    )
    shock = net.external_assets[:, None] * random.random((nodes, 4)) * 0.6
    found = clear(net, shock, valuation=rule, terms=TERMS)
    assert found.converged.all()
    assert ((found.recovery < 1).mean(axis=0) > 0.05).all()
