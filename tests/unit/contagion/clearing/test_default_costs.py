"""Models that jump at default: Rogers-Veraart and Furfine, and the band between fixed points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defirisk.contagion.clearing.clear import band, clear
from defirisk.contagion.clearing.network import Network
from defirisk.contagion.clearing.rules import Seniority, Terms, Valuation
from defirisk.core.book import Floats
from tests.unit.contagion.clearing.clearing_networks import (
    chain,
    drawn,
    network,
    networks,
    ring,
    shares,
)

RV = Valuation.ROGERS_VERAART


def greatest_by_hand(net: Network, alpha: float, beta: float) -> Floats:
    """Rogers and Veraart's greatest clearing vector, dense: at most N linear solves."""
    owed, cash, flow = net.owed, net.external_assets, shares(net).toarray().T
    failed = np.zeros(net.nodes, dtype=np.bool_)
    for _ in range(net.nodes + 1):
        paid = owed.copy()
        known = alpha * cash[failed] + beta * flow[np.ix_(failed, ~failed)] @ owed[~failed]
        inside = beta * flow[np.ix_(failed, failed)]
        paid[failed] = np.linalg.solve(np.eye(len(known)) - inside, known)
        failed = failed | (cash + flow @ paid < owed * (1 - 1e-12))
    return paid


def test_default_costs_in_a_chain() -> None:
    net = network([[0, 10, 0], [0, 0, 10], [0, 0, 0]], [5, 3, 0])
    found = clear(net, valuation=RV, terms=Terms(alpha=0.5, beta=0.5))
    assert found.payments[:, 0].tolist() == [2.5, 2.75, 0]


def test_default_costs_in_the_network_of_the_package_systemicrisk() -> None:
    net = network([[0, 2, 1], [0.5, 0, 0], [0.5, 0, 0]], [0.5, 0.625, 0.75], [1.5, 0.5, 0.5])
    found = clear(net, valuation=RV, terms=Terms(alpha=0.5, beta=0.7))
    assert found.payments[:, 0] == pytest.approx([0.586404, 0.494937, 0.466218], abs=5e-7)
    # All three default, so that the payments are linear: p = 0.5 e + 0.7 Pi' p.
    linear = np.linalg.solve(np.eye(3) - 0.7 * shares(net).toarray().T, 0.5 * net.external_assets)
    assert found.payments[:, 0] == pytest.approx(linear, abs=1e-14)


@pytest.mark.parametrize(("alpha", "beta"), [(0.5, 0.7), (1, 0.3), (0, 1), (0.9, 0.9)])
def test_the_greatest_fixed_point_is_that_of_linear_solves(alpha: float, beta: float) -> None:
    for seed in range(0, 200, 4):
        net = drawn(seed)
        found = clear(net, valuation=RV, terms=Terms(alpha=alpha, beta=beta))
        assert found.converged.all()
        expected = greatest_by_hand(net, alpha, beta)
        assert found.payments[:, 0] == pytest.approx(expected, abs=1e-9), seed


def test_a_default_can_be_its_own_cause() -> None:
    # Each has 1 and owes the other 2 and 0.5 outside: all pay as long as all believe so.
    net = network([[0, 2], [2, 0]], [1, 1], [0.5, 0.5])
    least, greatest = band(net, terms=Terms(alpha=0.5, beta=0.5))
    assert greatest.payments[:, 0].tolist() == [2.5, 2.5]
    # p = 0.5 + 0.5 * 0.8 p, so p = 5/6.
    assert least.payments[:, 0] == pytest.approx([5 / 6, 5 / 6], abs=1e-14)


@given(networks(), st.floats(0, 1), st.floats(0, 1))
@settings(deadline=None, max_examples=100)
def test_the_band_is_in_order_and_below_the_clearing_without_costs(
    net: Network, alpha: float, beta: float
) -> None:
    least, greatest = band(net, terms=Terms(alpha=alpha, beta=beta))
    free = clear(net)
    slack = 1e-9 * max(1.0, float(net.owed.max()))
    assert (least.payments >= 0).all()
    assert (least.payments <= greatest.payments + slack).all()
    assert (greatest.payments <= free.payments + slack).all()


@given(networks())
@settings(deadline=None, max_examples=100)
def test_without_costs_it_is_eisenberg_noe(net: Network) -> None:
    found, free = clear(net, valuation=RV), clear(net)
    assert found.payments == pytest.approx(free.payments, abs=1e-9 * max(1.0, net.owed.max()))


def test_rounding_of_sums_is_not_a_default() -> None:
    # 0.3 + 0.6 + 0.1 is less than 1 in floats.
    debts = np.zeros((5, 5))
    debts[1:4, 0], debts[0, 4] = [0.3, 0.6, 0.1], 1.0
    net = network(debts, [0, 0.3, 0.6, 0.1, 0])
    assert clear(net, valuation=RV, terms=Terms(alpha=0, beta=0)).payments[0, 0] == 1.0


def test_furfine_passes_on_defaults_only() -> None:
    net = chain()
    # C loses 0.4 of its equity of 0.5: nothing happens to B.
    near = clear(net, np.array([0, 0, 0.4]), valuation=Valuation.FURFINE)
    assert near.recovery[:, 0].tolist() == [1, 1, 1]
    # C loses 0.5: it has no equity left, so B loses its whole claim of 0.5 of an equity of 1.
    gone = clear(net, np.array([0, 0, 0.5]), valuation=Valuation.FURFINE)
    assert gone.recovery[:, 0].tolist() == [1, 1, 0]
    assert gone.equity[:, 0].tolist() == [1.5, 0.5, 0.0]
    half = clear(
        net,
        np.array([0, 0.5, 0.5]),
        valuation=Valuation.FURFINE,
        terms=Terms(recovery_rate=0.4),
    )
    assert half.recovery[:, 0].tolist() == [1, 1, 0.4]
    assert half.equity[:, 0] == pytest.approx([1.5, 0.2, 0.0], abs=1e-15)


def test_rounding_of_sums_is_not_equity() -> None:
    # 0.1 + 0.2 - 0.3 is more than 0 in floats.
    net = network([[0, 0.3], [0.2, 0]], [0.1, 1])
    assert clear(net, valuation=Valuation.FURFINE).recovery[:, 0].tolist() == [0, 1]


def test_furfine_has_a_band_too() -> None:
    net = Network(liabilities=ring(3, 1.0), external_assets=np.full(3, 0.5))
    least, greatest = band(net, valuation=Valuation.FURFINE)
    assert greatest.recovery[:, 0].tolist() == [1, 1, 1]
    assert least.recovery[:, 0].tolist() == [0, 0, 0]


@given(networks(), st.sampled_from(list(Seniority)), st.floats(0, 1))
@settings(deadline=None, max_examples=50)
def test_all_rules_stay_within_their_bounds(net: Network, seniority: Seniority, cut: float) -> None:
    terms = Terms(alpha=0.6, beta=0.8, recovery_rate=0.3, seniority=seniority)
    for rule in Valuation:
        found = clear(net, net.external_assets * cut, valuation=rule, terms=terms)
        for values in (found.payments, found.recovery, found.equity, found.residual):
            assert np.isfinite(values).all()
        assert ((found.recovery >= 0) & (found.recovery <= 1)).all()
        assert (found.payments <= net.owed[:, None]).all()


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_shares_are_shares(value: float) -> None:
    with pytest.raises(ValueError, match="alpha"):
        Terms(alpha=value)
    with pytest.raises(ValueError, match="beta"):
        Terms(beta=value)
    with pytest.raises(ValueError, match="recovery_rate"):
        Terms(recovery_rate=value)
