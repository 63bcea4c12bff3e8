"""Eisenberg-Noe against a linear program, the fictitious default algorithm and its own axioms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defirisk.contagion.clearing.clear import band, clear
from defirisk.contagion.clearing.network import Network
from defirisk.contagion.clearing.rules import Seniority, Terms, Valuation
from tests.unit.contagion.clearing.clearing_networks import (
    by_fictitious_defaults,
    by_linear_program,
    chain,
    cycle,
    drawn,
    network,
    networks,
    ring,
    tree,
)


def test_a_chain_pays_what_can_be_counted_by_hand() -> None:
    net = network([[0, 10, 0], [0, 0, 10], [0, 0, 0]], [5, 3, 0])
    found = clear(net)
    assert found.payments[:, 0].tolist() == [5, 8, 0]
    assert found.recovery[:, 0].tolist() == [0.5, 0.8, 1]
    assert found.equity[:, 0].tolist() == [-5, -2, 8]
    assert found.converged.all()


def test_creditors_outside_share_what_is_paid() -> None:
    net = network([[0, 2, 1], [0.5, 0, 0], [0.5, 0, 0]], [0.5, 0.625, 0.75], [1.5, 0.5, 0.5])
    assert clear(net).payments[:, 0] == pytest.approx([1.5, 1, 1], abs=1e-14)


@pytest.mark.parametrize(
    ("net", "equities"),
    [(chain(), [1.5, 0.8, -1.0]), (cycle(), [1.0, 0.9, -0.5]), (tree(), [1.8, 0.5, -1.0])],
    ids=["chain", "cycle", "tree"],
)
def test_equities_are_those_that_neva_gives_after_a_shock(
    net: Network, equities: list[float]
) -> None:
    found = clear(net, np.array([0, 0, 1.5]))
    assert found.equity[:, 0] == pytest.approx(equities, abs=1e-14)


@pytest.mark.parametrize("part", range(10))
def test_payments_are_those_of_the_linear_program(part: int) -> None:
    for seed in range(part * 20, part * 20 + 20):
        net = drawn(seed)
        found = clear(net)
        assert found.converged.all(), seed
        expected = by_linear_program(net)
        assert found.payments[:, 0] == pytest.approx(expected, abs=1e-9), seed
        assert found.payments[:, 0] == pytest.approx(by_fictitious_defaults(net), abs=1e-9), seed


def test_the_drawn_networks_are_worth_drawing() -> None:
    cleared = [(drawn(seed), clear(drawn(seed))) for seed in range(200)]
    assert sum((found.recovery < 1).any() for _, found in cleared) > 100
    assert sum((found.recovery == 1).all() for _, found in cleared) >= 5
    assert sum(not net.external_assets.any() for net, _ in cleared) >= 40
    assert sum(((net.owed == 0) & (net.owned_inside == 0)).any() for net, _ in cleared) >= 20


@given(networks())
@settings(deadline=None, max_examples=200)
def test_the_axioms_hold(net: Network) -> None:
    found = clear(net)
    paid, owed = found.payments[:, 0], net.owed
    scale = max(1.0, float(owed.max()), float(net.external_assets.max()))
    assert found.converged.all()
    assert (paid >= 0).all()
    assert (paid <= owed).all()
    inflow = net.liabilities.T @ found.recovery[:, 0]
    resources = net.external_assets + inflow
    # Absolute priority: who does not pay all gives all it has.
    assert (paid[paid < owed] == resources[paid < owed]).all()
    assert found.recovery[owed > 0, 0] * owed[owed > 0] == pytest.approx(
        paid[owed > 0], abs=1e-9 * scale
    )
    kept = np.maximum(found.equity[:, 0], 0)
    outside = found.recovery[:, 0] * net.owed_outside
    assert kept.sum() + outside.sum() == pytest.approx(net.external_assets.sum(), abs=1e-8 * scale)


@given(networks(), st.floats(0, 1), st.floats(0, 1))
@settings(deadline=None, max_examples=100)
def test_payments_rise_with_assets_and_ever_less(net: Network, low: float, high: float) -> None:
    low, high = sorted((low, high))
    keep = np.array([low, (low + high) / 2, high])
    shock = net.external_assets[:, None] * (1 - keep)
    least, middle, most = clear(net, shock).payments.T
    slack = 1e-9 * max(1.0, float(net.owed.max()))
    assert (least <= middle + slack).all()
    assert (middle <= most + slack).all()
    assert (middle >= (least + most) / 2 - slack).all()


def test_a_ring_without_cash_pays_everything_or_nothing() -> None:
    net = Network(liabilities=ring(5, 7.0), external_assets=np.zeros(5))
    least, greatest = band(net, valuation=Valuation.EISENBERG_NOE)
    assert greatest.payments[:, 0].tolist() == [7.0] * 5
    assert least.payments[:, 0].tolist() == [0.0] * 5
    # One cent anywhere decides it: payments are unique where every ring has a surplus.
    cent = Network(liabilities=ring(5, 7.0), external_assets=np.array([0.01, 0, 0, 0, 0]))
    least, greatest = band(cent, valuation=Valuation.EISENBERG_NOE)
    assert least.payments == pytest.approx(greatest.payments, abs=1e-9)


def test_rounds_that_creep_are_solved() -> None:
    # Two nodes owe each other 1e6 and others 1: every round loses a millionth of what is missing.
    net = network([[0, 1e6], [1e6, 0]], [0.5, 0.25], [1, 1])
    found = clear(net)
    assert found.converged.all()
    assert found.rounds[0] < 200
    assert found.payments[:, 0] == pytest.approx(by_fictitious_defaults(net), rel=1e-9)
    # All cash goes to the creditors outside, and one solve alone says so to the last digits.
    assert (found.recovery[:, 0] * [1, 1]).sum() == pytest.approx(0.75, abs=1e-9)


@pytest.mark.parametrize("seniority", list(Seniority))
@pytest.mark.parametrize("rule", [Valuation.EISENBERG_NOE, Valuation.ROGERS_VERAART])
def test_solving_agrees_with_creeping(rule: Valuation, seniority: Seniority) -> None:
    # Rings in which 1 % leaks out: some 2,000 rounds from above, or a solve after 64 of them.
    for seed in range(10):
        random = np.random.default_rng([seed, 64])
        debts = ring(12, 100.0).toarray() + random.exponential(1.0, (12, 12))
        np.fill_diagonal(debts, 0.0)
        net = network(debts, random.exponential(0.5, 12), random.exponential(1.5, 12))
        terms = Terms(alpha=0.9, beta=0.999, seniority=seniority)
        least, greatest = band(net, valuation=rule, terms=terms)
        assert least.converged.all()
        assert greatest.converged.all()
        if rule is Valuation.EISENBERG_NOE:
            assert least.payments == pytest.approx(greatest.payments, abs=1e-9)
        if seniority is Seniority.PARI_PASSU:
            assert greatest.rounds[0] < 400 < least.rounds[0]


def test_solving_knows_who_is_paid_first() -> None:
    # 0 and 1 owe each other 1e6 and node 2 one each, after 0.5 outside. Together they have 0.75
    # left for node 2. Node 3 has a claim of 1 on node 0, less than it owes outside, so its debt
    # to node 0 is worth nothing: a solve alone would say less, and drag down nodes 0 and 1.
    debts = np.zeros((4, 4))
    debts[0, 1] = debts[1, 0] = 1e6
    debts[0, 3] = debts[1, 2] = debts[3, 0] = 1.0
    net = network(debts, [0.75, 1.0, 0, 0], [0.5, 0.5, 0, 0.9])
    found = clear(net, terms=Terms(seniority=Seniority.EXTERNAL_FIRST))
    assert found.converged.all()
    assert found.rounds[0] < 400
    # Nodes 0 and 1 hardly differ, and 0.25 + 0.5 leave the ring: v0 + v1 = 0.75.
    assert found.recovery[:, 0] == pytest.approx([0.375, 0.375, 1, 0], abs=1e-6)
    assert found.recovery[:2, 0].sum() == pytest.approx(0.75, abs=1e-9)


def test_seniority_moves_payments() -> None:
    # Node 0 has 6 and owes 4 to node 1 and 5 outside.
    net = network([[0, 4], [0, 0]], [6, 0], [5, 0])
    assert clear(net).recovery[0, 0] == pytest.approx(6 / 9)
    first = clear(net, terms=Terms(seniority=Seniority.EXTERNAL_FIRST))
    assert first.recovery[0, 0] == 0.25
    assert first.payments[0, 0] == 6
    none = clear(net, np.array([2.0, 0]), terms=Terms(seniority=Seniority.EXTERNAL_FIRST))
    assert none.recovery[0, 0] == 0
    assert none.payments[0, 0] == 4
