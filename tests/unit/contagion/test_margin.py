"""Requirements with and without limits, and recovery modes: both sweeps against the plain twin."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defirisk.contagion.compiled import CompiledSweep
from defirisk.contagion.curve import curve
from defirisk.contagion.margin import bent, limited
from defirisk.contagion.reverse import falls, parse, smallest_moves
from defirisk.contagion.screen import liquidatable_units, screen
from defirisk.contagion.signed import signed_rows
from defirisk.contagion.sparse import SparseSweep
from defirisk.contagion.valuation import health_factors, positions
from defirisk.core.book import Book
from defirisk.core.scenario import Scenario
from defirisk.shocks.grammar import baseline, scenario
from defirisk.shocks.target import price_moves
from tests.books import FractionEdge, Token, book
from tests.demands import Demand, Mode
from tests.margin_books import margin_books
from tests.unit.contagion.scenarios import scenarios
from tests.unit.contagion.test_kernel import assert_same
from tests.unit.contagion.twin import screen_one

INF = float("inf")
TOKENS = [Token("WETH", 100, threshold=1.0), Token("USD", 1, threshold=1.0, feed="")]


def at(made: Book, *texts: str) -> Scenario:
    return scenario("", list(texts), made)


def fallen(made: Book, *texts: str) -> list[int]:
    """Whom everything that decides finds, which must be the same units."""
    scene = at(made, *texts)
    found = [int(unit) for unit in liquidatable_units(made, scene)]
    twin = screen_one(made, scene)
    assert found == twin.units
    by_products, by_kernel = (
        screen(made, [scene], sweep=sweep) for sweep in (SparseSweep(made), CompiledSweep(made))
    )
    assert_same(by_kernel, by_products)
    assert by_kernel.liquidatable_accounts.sum() == len(found)
    assert by_kernel.debt_at_risk_usd.sum() == pytest.approx(float(sum(twin.debt.values())))
    return found


@settings(max_examples=150)
@given(margin_books(), st.data())
def test_the_plain_twin_agrees(made: Book, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(scenarios(made), min_size=1, max_size=4))

    outcome = screen(made, drawn, sweep=SparseSweep(made, lanes=2, tile=3))

    for s, one in enumerate(drawn):
        twin = screen_one(made, one)
        np.testing.assert_array_equal(liquidatable_units(made, one, tile=5), twin.units)
        worth = float(sum(twin.debt.values()) + sum(twin.collateral.values()))
        for d in range(len(made.deployments)):
            assert outcome.liquidatable_accounts[d, s] == twin.accounts[d]
            debt, lost = float(twin.debt[d]), float(twin.bad_debt[d])
            assert outcome.debt_at_risk_usd[d, s] == pytest.approx(debt, rel=1e-12)
            assert outcome.bad_debt_usd[d, s] == pytest.approx(lost, rel=1e-12, abs=1e-12 * worth)


@settings(max_examples=150)
@given(margin_books(), st.data())
def test_the_compiled_sweep_agrees_with_the_sparse_one(made: Book, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(scenarios(made), min_size=1, max_size=4))

    compiled = screen(made, drawn, sweep=CompiledSweep(made))

    assert_same(compiled, screen(made, drawn, sweep=SparseSweep(made)))


@given(margin_books())
def test_only_units_with_straight_margins_are_in_the_kernel(made: Book) -> None:
    bends = bent(made)
    rows, _ = signed_rows(made, ~bends)
    straight, capped = limited(made.requirements)

    assert not bends[rows.unit].any()
    assert not (straight & capped).any()
    expected = positions(made).decidable & ~bends
    assert sorted(rows.unit.tolist()) == np.flatnonzero(expected).tolist()


@settings(max_examples=60)
@given(margin_books(), st.data())
def test_a_curve_says_what_the_screen_says_but_next_to_a_threshold(
    made: Book, data: st.DataObject
) -> None:
    asset = data.draw(st.integers(0, len(made.assets) - 1))
    drops = data.draw(st.lists(st.floats(0.001, 0.99), min_size=1, max_size=3))
    nearby = [drop * (1 + step) for drop in drops for step in (-2e-3, 0, 2e-3)]
    drawn = [
        Scenario(name="", shocks=(), moves=price_moves(made, asset, 1 - Fraction(min(drop, 1.0))))
        for drop in nearby
    ]

    counted = screen(made, drawn).liquidatable_accounts.sum(axis=0)
    outcome, drawn_curve = screen(made, drawn), curve(made, asset).at(np.minimum(nearby, 1.0))

    scale = 1e-4 * float(np.nanmax(outcome.debt_at_risk_usd.sum(axis=0), initial=1.0)) + 1e-6
    for k in range(1, len(nearby), 3):
        if len(set(counted[k - 1 : k + 2])) == 1 and not outcome.edge_units[k]:
            assert drawn_curve.accounts[k] == counted[k]
            owed = outcome.debt_at_risk_usd[:, k].sum()
            if np.isfinite(owed) and np.isfinite(drawn_curve.debt_usd[k]):
                assert drawn_curve.debt_usd[k] == pytest.approx(owed, abs=scale, rel=1e-4)


def test_a_long_and_a_short_fall_where_their_margin_meets_what_they_must_keep() -> None:
    """A tenth of the notional: 1 WETH bought with 20 of margin; another sold."""
    long = [("collateral", "WETH", 1.0), ("debt", "USD", 80.0)]
    short = [("collateral", "USD", 120.0), ("debt", "WETH", 1.0)]
    keep = [Demand(unit, "WETH", 1.0, 0.1, -INF, INF) for unit in (0, 1)]
    made = book(TOKENS, [long, short], demands=keep)

    assert not bent(made).any()
    assert fallen(made) == []
    # 100 x less 80 is less than 10 x below x = 0.888…; 120 less 100 x above x = 1.0909…
    assert fallen(made, "price:WETH=-11.1%") == []
    assert fallen(made, "price:WETH=-11.2%") == [0]
    assert fallen(made, "price:WETH=+9.0%") == []
    assert fallen(made, "price:WETH=+9.1%") == [1]
    assert health_factors(made) == pytest.approx([100 / 90, 120 / 110])
    assert curve(made, 0).smallest_drop(debt_usd=1.0) == pytest.approx(1 - 80 / 90, abs=1e-9)


def test_amounts_to_be_kept_margin_for_are_in_units_of_their_quote() -> None:
    """The rate doubles them: a tenth of 200 must be kept, not of 100."""
    doubled = [Token("WETH", 100, threshold=1.0, supply_rate=2.0), TOKENS[1]]
    made = book(
        doubled,
        [[("collateral", "USD", 15.0)], [("collateral", "USD", 25.0)]],
        demands=[Demand(unit, "WETH", 1.0, 0.1, -INF, INF) for unit in (0, 1)],
    )

    assert fallen(made) == [0]
    assert fallen(made, "price:WETH=-30%") == []
    assert fallen(made, "price:WETH=+30%") == [0, 1]


@pytest.mark.parametrize(
    ("low", "high", "falls_below"),
    [(-INF, INF, 80 / 90), (15.0, INF, 0.95), (-INF, 5.0, 0.85), (5.0, 5.0, 0.85)],
)
def test_limits_hold_what_must_be_kept(low: float, high: float, falls_below: float) -> None:
    long = [("collateral", "WETH", 1.0), ("debt", "USD", 80.0)]
    made = book(TOKENS, [long], demands=[Demand(0, "WETH", 1.0, 0.1, low, high)])

    assert fallen(made, f"price:WETH={100 * falls_below + 0.01}") == []
    assert fallen(made, f"price:WETH={100 * falls_below - 0.01}") == [0]
    assert curve(made, 0).smallest_drop(debt_usd=1.0) == pytest.approx(1 - falls_below, abs=1e-4)


def test_who_owes_nothing_but_must_keep_margin_can_fall() -> None:
    made = book(
        TOKENS,
        [[("collateral", "USD", 5.0)], [("collateral", "USD", 5.0)], []],
        demands=[Demand(0, "WETH", 1.0, 0.1, -INF, INF), Demand(2, "USD", 0.0, 0.0, 2.0, 2.0)],
    )

    assert fallen(made) == [0, 2]
    assert fallen(made, "price:WETH=-60%") == [2]
    assert health_factors(made).tolist() == pytest.approx([0.5, INF, 0.0])


def test_a_margin_at_the_edge_is_decided_by_the_contract() -> None:
    demands = [Demand(0, "WETH", 1.0, 0.125, -INF, INF), Demand(1, "WETH", 1.0, 0.0, 10.0, 10.0)]
    units = [[("collateral", "USD", 12.5)], [("collateral", "USD", 10 * (1 - 1e-9))]]
    made = book(TOKENS, units, demands=demands)
    edge = made.edge
    assert isinstance(edge, FractionEdge)

    for sweep in (SparseSweep(made), CompiledSweep(made)):
        outcome = screen(made, [baseline()], sweep=sweep)
        assert outcome.edge_units.tolist() == [2]
        assert outcome.liquidatable_accounts.tolist() == [[1]]
    assert edge.asked == 4


TROVES = [Token("ETH", 200, threshold=1 / 1.1), Token("USD", 1, threshold=0.0, feed="")]


def trove(collateral: float, debt: float) -> list[tuple[str, str, float]]:
    return [("collateral", "ETH", collateral), ("debt", "USD", debt)]


def system(absorbed: float = INF, units: int = 4) -> Book:
    """Ratios of 2.5, 1.6, 1.4 and 1.15 at a price of 200; all of them together 1.67."""
    made = [trove(12.5, 1000), trove(0.8, 100), trove(0.7, 100), trove(5.75, 1000)][:units]
    mode = Mode(
        units=tuple(range(len(made))),
        collateral=("ETH", sum(one[0][2] for one in made)),
        debt=("USD", sum(one[1][2] for one in made)),
        critical=1.5,
        absorbed=absorbed,
    )
    return book(TROVES, made, modes=[mode])


def test_below_the_critical_ratio_all_below_the_system_fall() -> None:
    made = system()

    # 19.75 ETH for 2200: recovery mode begins below 167.09, the minimum of the last at 191.3.
    assert fallen(made) == []
    assert fallen(made, "price:ETH=190") == [3]
    assert fallen(made, "price:ETH=167.1") == [3]
    # Ratios are to each other as before: those below 1.795 at 200 are below the system's.
    assert fallen(made, "price:ETH=167.0") == [1, 2, 3]
    assert fallen(made, "price:ETH=20") == [0, 1, 2, 3]
    found = curve(made, 0)
    drops = [1 - price / 200 for price in (190, 167.1, 167.08, 130, 87.9)]
    assert found.at(drops).accounts.tolist() == [1, 1, 3, 3, 4]


def test_only_debts_that_can_be_absorbed_fall_above_the_minimum() -> None:
    assert fallen(system(absorbed=100.0), "price:ETH=165") == [1, 2, 3]
    assert fallen(system(absorbed=99.9), "price:ETH=165") == [3]
    assert fallen(system(absorbed=0.0), "price:ETH=165") == [3]


def test_next_to_the_switch_the_contract_decides_on_those_whom_it_concerns() -> None:
    made = system()
    edge = made.edge
    assert isinstance(edge, FractionEdge)
    switch = Fraction(3, 2) * 2200 / Fraction(12.5 + 0.8 + 0.7 + 5.75)

    below, above = (float(switch * (1 + Fraction(step, 10**9))) for step in (-1, 1))

    assert fallen(made, f"price:ETH={below:.12f}") == [1, 2, 3]
    asked, edge.asked = edge.asked, 0
    assert fallen(made, f"price:ETH={above:.12f}") == [3]
    # Three times each: the two that only recovery mode takes. The others are out of the question.
    assert asked == edge.asked == 6


def test_the_last_unit_of_a_system_stays() -> None:
    assert fallen(system(units=1), "price:ETH=10") == []


def test_health_in_recovery_mode_is_measured_against_the_system() -> None:
    made = system()

    healths = health_factors(made, at(made, "price:ETH=160"))

    whole = 19.75 / 2200
    ratios = np.array([12.5 / 1000, 0.8 / 100, 0.7 / 100, 5.75 / 1000])
    assert healths == pytest.approx(ratios / whole)
    assert (healths < 1).tolist() == [False, True, True, True]
    before = health_factors(made, at(made, "price:ETH=180"))
    assert before == pytest.approx(ratios * 180 / 1.1)


def test_the_smallest_fall_crosses_a_budget_at_the_switch() -> None:
    made = system()
    budget = parse("liquidatable_accounts>1", played=False)

    (found,) = smallest_moves(
        made,
        [0],
        falls(64),
        budget,
        lambda drawn: screen(made, drawn).liquidatable_accounts.sum(axis=0).tolist(),
    )

    assert found.answer == "crossed"
    assert float(found.move or 0) == pytest.approx(1.5 * 2200 / 19.75 / 200 - 1, abs=2e-6)
