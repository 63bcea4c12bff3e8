"""DebtRank against hand computation and closed forms, and where NEVA's published code is wrong.

NEVA's `shock_and_solve(method="linear_dr")` (commit 6ced7f7) makes one valuation function for each
bank in a loop and lets all of them close over the loop's variable, so that every bank is valued
against the initial equity of the last one. With equal equities, as in NEVA's own shock_cycle, or
when everything is lost, that does not show; otherwise it over- or understates, by the order of
the banks.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.sparse import csr_array

from defirisk.contagion.clearing.clear import clear
from defirisk.contagion.clearing.debt_rank import Passing, book_equity, debt_rank
from defirisk.contagion.clearing.fixed_point import Limits
from defirisk.contagion.clearing.network import Network
from defirisk.contagion.clearing.rules import Valuation
from defirisk.core.book import Floats
from tests.unit.contagion.clearing.clearing_networks import chain, cycle, network

LINEAR = Valuation.LINEAR_DEBTRANK


def increments(net: Network, equity: Floats, h0: Floats, rounds: int) -> Floats:
    """h(t+1) = min(1, h(t) + Lambda (h(t) - h(t-1))) to the letter."""
    passed = net.liabilities.toarray().T / equity[:, None]
    before, now = np.zeros_like(h0), h0
    for _ in range(rounds):
        before, now = now, np.minimum(1, now + passed @ (now - before))
    return now


def valued_against(net: Network, shock: Floats, reference: Floats) -> Floats:
    """Equities when debts lose 1 - E / `reference`: each bank's own equity, or the defect."""
    debts, equity = net.liabilities.toarray(), book_equity(net)
    for _ in range(1000):
        value = np.clip(equity / reference, 0, 1)
        equity = net.external_assets - shock + debts.T @ value - net.owed
    return equity


@pytest.mark.parametrize(
    ("h_c", "h", "equities"),
    [(1.0, [1 / 6, 1 / 2, 1], [1.25, 0.5, 0]), (0.5, [1 / 12, 1 / 4, 1 / 2], [1.375, 0.75, 0.25])],
)
def test_a_chain_of_published_balance_sheets(
    h_c: float, h: list[float], equities: list[float]
) -> None:
    net = chain()
    own = book_equity(net)
    assert own.tolist() == [1.5, 1.0, 0.5]
    found = debt_rank(net.liabilities, own, np.array([0, 0, h_c]))
    assert found.h[:, 0] == pytest.approx(h, abs=1e-15)
    assert found.converged.all()
    # The same as a valuation: debts are worth the share of equity that is left.
    cleared = clear(net, np.array([0, 0, h_c * 0.5]), valuation=LINEAR)
    assert cleared.equity[:, 0] == pytest.approx(equities, abs=1e-15)
    assert 1 - cleared.equity[:, 0] / own == pytest.approx(h, abs=1e-15)


def test_a_ring_tells_the_two_variants_apart() -> None:
    net, h0 = cycle(), np.array([0, 0, 0.5])
    linear = debt_rank(net.liabilities, book_equity(net), h0)
    assert linear.h[:, 0] == pytest.approx([1 / 7, 2 / 7, 4 / 7], abs=1e-15)
    once = debt_rank(net.liabilities, book_equity(net), h0, passing=Passing.FIRST_LOSS)
    assert once.h[:, 0].tolist() == [0.125, 0.25, 0.5625]
    assert once.rounds.tolist() == [3]
    # Equity shares of a third each: what propagation added to h0.
    assert linear.rank[0] == pytest.approx(1 / 3 - 1 / 6, abs=1e-15)
    assert once.rank[0] == pytest.approx((0.125 + 0.25 + 0.0625) / 3, abs=1e-15)
    weighted = debt_rank(net.liabilities, book_equity(net), h0, weights=np.array([0, 1.0, 0]))
    assert weighted.rank[0] == pytest.approx(2 / 7, abs=1e-15)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_every_debtor_is_valued_against_its_own_equity(order: tuple[int, ...]) -> None:
    net, place = chain(), list(order)
    debts = net.liabilities.toarray()[np.ix_(place, place)]
    moved = network(debts, net.external_assets[place], net.owed_outside[place])
    shock = np.array([0, 0, 0.25])[place]
    right = np.array([1.375, 0.75, 0.25])[place]
    found = clear(moved, shock, valuation=LINEAR).equity[:, 0]
    assert found == pytest.approx(right, abs=1e-14)
    own = book_equity(moved)
    assert valued_against(moved, shock, own) == pytest.approx(right, abs=1e-14)
    defect = valued_against(moved, shock, np.full(3, own[-1]))
    assert np.abs(defect - right).max() > 0.1


def test_what_the_defect_says_of_the_chain() -> None:
    # By hand. C loses half its equity, so B loses 0.25 of 1 and A 0.5 * 0.25 = 0.125 of 1.5.
    # Against the equity 0.5 of the last bank, C, B's 0.75 is no loss at all: A keeps 1.5.
    net, shock = chain(), np.array([0, 0, 0.25])
    assert valued_against(net, shock, np.full(3, 0.5)).tolist() == [1.5, 0.75, 0.25]
    # Where A is last, all are measured against 1.5: losses appear out of no shock at all.
    assert valued_against(net, 0 * shock, np.full(3, 1.5))[0] < 1.5
    assert clear(net, valuation=LINEAR).equity[:, 0].tolist() == [1.5, 1.0, 0.5]


def unequal(seed: int, nodes: int = 30) -> tuple[Network, Floats]:
    """A network whose equities differ by a factor of 30, and Lambda (N, N) with row sums of 0.6."""
    random = np.random.default_rng([seed, 2015])
    equity = random.uniform(1, 30, nodes)
    lent = random.random((nodes, nodes)) * (random.random((nodes, nodes)) < 0.3)
    np.fill_diagonal(lent, 0)
    lent[:, 0] += np.arange(nodes) > 0
    lent[0, 1] += 1
    passed = 0.6 * lent / lent.sum(axis=1, keepdims=True)
    debts = (passed * equity[:, None]).T
    outside = 2 * debts.sum(axis=1) + 50
    assets = equity - debts.sum(axis=0) + debts.sum(axis=1) + outside
    return network(debts, assets, outside), passed


@pytest.mark.parametrize("seed", range(20))
def test_without_saturation_there_is_a_closed_form(seed: int) -> None:
    net, passed = unequal(seed)
    own = book_equity(net)
    h0 = np.random.default_rng(seed).uniform(0, 0.3, net.nodes)  # a shock below 30 %
    closed = np.linalg.solve(np.eye(net.nodes) - passed, h0)
    assert closed.max() < 1
    found = debt_rank(net.liabilities, own, h0)
    assert found.h[:, 0] == pytest.approx(closed, rel=1e-12)
    cleared = clear(net, h0 * own, valuation=LINEAR)
    assert 1 - cleared.equity[:, 0] / own == pytest.approx(closed, rel=1e-10)
    # Banks in a line behind the last one's equity: the defect is not a matter of digits.
    defect = 1 - valued_against(net, h0 * own, np.full(net.nodes, own[-1])) / own
    assert np.abs(defect - closed).max() > 0.05


@pytest.mark.parametrize("seed", range(20))
def test_with_saturation_it_is_the_increments(seed: int) -> None:
    net, _ = unequal(seed)
    own = book_equity(net) * 0.5  # row sums of Lambda are 1.2: losses grow until they saturate
    h0 = np.where(np.arange(net.nodes) % 7 == 0, 0.4, 0.0)
    found = debt_rank(net.liabilities, own, h0)
    assert (found.h == 1).any()
    assert found.h[:, 0] == pytest.approx(increments(net, own, h0, 2000), abs=1e-12)


def test_without_equity_the_first_loss_is_everything() -> None:
    # 0 owes 1, which has no equity and owes 2.
    debts = csr_array(np.array([[0, 1.0, 0], [0, 0, 1.0], [0, 0, 0]]))
    own = np.array([1.0, 0, 4])
    found = debt_rank(debts, own, np.array([[0.01, 0], [0, 0], [0, 0]]))
    assert found.h.T.tolist() == [[0.01, 1, 0.25], [0, 0, 0]]
    assert debt_rank(debts, np.zeros(3), np.zeros(3)).rank.tolist() == [0]


def test_what_has_not_converged_says_so() -> None:
    net = cycle()
    own, h0 = book_equity(net), np.array([0, 0, 0.5])
    found = debt_rank(net.liabilities, own, h0, limits=Limits(rounds=2))
    assert not found.converged.any()
    assert found.residual[0] > 0
    assert (found.h[:, 0] <= np.array([1 / 7, 2 / 7, 4 / 7])).all()


def test_what_is_out_of_range_is_refused() -> None:
    debts = cycle().liabilities
    with pytest.raises(ValueError, match="at most 1"):
        debt_rank(debts, np.ones(3), np.array([0, 0, 1.5]))
    with pytest.raises(ValueError, match="equity"):
        debt_rank(debts, np.array([1, -1.0, 1]), np.zeros(3))
    with pytest.raises(ValueError, match="h0"):
        debt_rank(debts, np.ones(3), np.array([0, np.nan, 0]))
    with pytest.raises(ValueError, match="scenarios"):
        debt_rank(debts, np.ones((3, 2)), np.zeros((3, 3)))
