"""The screen against its plain twin, and what must not change its answer."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.contagion.screen import liquidatable_units, screen
from defirisk.contagion.sparse import SparseSweep
from defirisk.contagion.valuation import health_factors
from defirisk.core.book import Book
from defirisk.core.outcome import Outcome
from defirisk.core.scenario import Moves, Scenario
from defirisk.shocks.grammar import baseline, scenario
from tests.books import FractionEdge, Token, book, books
from tests.unit.contagion.scenarios import scenarios
from tests.unit.contagion.twin import screen_one

TOKENS = [Token("WETH", 2000, threshold=0.8), Token("USDC", 1, threshold=0.9)]
AMOUNTS = (
    "debt_at_risk_usd",
    "collateral_at_risk_usd",
    "bad_debt_usd",
    "asset_debt_at_risk_usd",
    "asset_collateral_at_risk_usd",
)
COUNTS = ("liquidatable_accounts", "edge_units")


def assert_same(one: Outcome, other: Outcome, scale: float = 1.0) -> None:
    for name in COUNTS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for name in AMOUNTS:
        np.testing.assert_allclose(
            getattr(one, name) * scale, getattr(other, name), rtol=1e-9, atol=1e-12
        )


def loan(collateral: float, debt: float) -> list[tuple[str, str, float]]:
    return [("collateral", "WETH", collateral), ("debt", "USDC", debt)]


@given(books(), st.data())
def test_the_twin_agrees(made: Book, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(scenarios(made), min_size=1, max_size=5))

    outcome = screen(made, drawn, sweep=SparseSweep(made, lanes=2, tile=3))

    for s, one in enumerate(drawn):
        twin = screen_one(made, one)
        np.testing.assert_array_equal(liquidatable_units(made, one), twin.units)
        worth = float(sum(twin.debt.values()) + sum(twin.collateral.values()))
        for d in range(len(made.deployments)):
            assert outcome.liquidatable_accounts[d, s] == twin.accounts[d]
            assert outcome.debt_at_risk_usd[d, s] == pytest.approx(float(twin.debt[d]))
            assert outcome.collateral_at_risk_usd[d, s] == pytest.approx(float(twin.collateral[d]))
            bad_debt = float(twin.bad_debt[d])
            assert outcome.bad_debt_usd[d, s] == pytest.approx(bad_debt, abs=1e-12 * worth)
        for a in range(len(made.assets)):
            debt, collateral = float(twin.asset_debt[a]), float(twin.asset_collateral[a])
            assert outcome.asset_debt_at_risk_usd[a, s] == pytest.approx(debt)
            assert outcome.asset_collateral_at_risk_usd[a, s] == pytest.approx(collateral)


@given(books(), st.integers(1, 6), st.integers(1, 6), st.data())
def test_chunks_do_not_matter(made: Book, lanes: int, tile: int, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(scenarios(made), max_size=5))

    assert_same(
        screen(made, drawn, sweep=SparseSweep(made, lanes=lanes, tile=tile)), screen(made, drawn)
    )


@given(books(), st.data())
def test_the_order_of_units_does_not_matter(made: Book, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(scenarios(made), max_size=3))
    order = data.draw(st.permutations(range(len(made.units))))

    assert_same(screen(_permuted(made, list(order)), drawn), screen(made, drawn))


@given(books(), st.data())
def test_amounts_in_other_units_scale_the_answer(made: Book, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(scenarios(made), max_size=3))
    edge = FractionEdge()
    # A power of two, so that no decision at the edge moves by a rounding.
    larger = dataclasses.replace(
        made,
        holding_amount=made.holding_amount * 1024,
        resolution=made.resolution * 1024,
        edge=edge,
    )
    edge.book = larger

    assert_same(screen(made, drawn), screen(larger, drawn), scale=1024)


@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 1e5)), max_size=8),
    st.fractions(0, 1),
    st.fractions(0, 1),
)
def test_a_larger_fall_of_the_collateral_is_never_better(
    loans: list[tuple[float, float]], one: Fraction, other: Fraction
) -> None:
    made = book(TOKENS, [loan(*amounts) for amounts in loans])
    fall, larger = sorted([one, other], reverse=True)
    drawn = [
        Scenario(
            name="",
            shocks=(),
            moves=Moves(market={0: f}, quotes={0: f, 1: f}),
        )
        for f in (fall, larger)
    ]

    outcome = screen(made, drawn)

    assert outcome.liquidatable_accounts[0, 0] <= outcome.liquidatable_accounts[0, 1]
    assert outcome.debt_at_risk_usd[0, 0] <= outcome.debt_at_risk_usd[0, 1] * (1 + 1e-12)
    assert outcome.bad_debt_usd[0, 0] <= outcome.bad_debt_usd[0, 1] * (1 + 1e-12)


def test_a_fall_makes_loans_liquidatable_and_then_bad() -> None:
    made = book(TOKENS, [loan(1, 1500), loan(1, 1000), [("supply", "USDC", 9000)]])
    texts = ["price:WETH=-0%", "price:WETH=-10%", "price:WETH=-40%", "market:WETH=-40%"]

    outcome = screen(made, [scenario("", [text], made) for text in texts])

    assert outcome.liquidatable_accounts.tolist() == [[0, 1, 2, 0]]
    assert outcome.debt_at_risk_usd[0] == pytest.approx([0, 1500, 2500, 0])
    assert outcome.collateral_at_risk_usd[0] == pytest.approx([0, 1800, 2400, 0])
    assert outcome.bad_debt_usd[0] == pytest.approx([0, 0, 300, 0])
    assert outcome.asset_debt_at_risk_usd[:, 2] == pytest.approx([0, 2500])
    assert outcome.asset_collateral_at_risk_usd[:, 2] == pytest.approx([2400, 0])


def test_a_lying_oracle_liquidates_loans_that_are_covered() -> None:
    made = book(TOKENS, [loan(1, 1500)])

    outcome = screen(made, [scenario("", ["oracle:WETH@aave-v3=-50%"], made)])

    assert outcome.liquidatable_accounts[0, 0] == 1
    assert outcome.collateral_at_risk_usd[0, 0] == 2000
    assert outcome.bad_debt_usd[0, 0] == 0


def test_supply_that_is_not_pledged_backs_nothing() -> None:
    made = book(TOKENS, [[("supply", "WETH", 10), ("debt", "USDC", 100)]])

    outcome = screen(made, [baseline()])

    assert outcome.bad_debt_usd[0, 0] == 100
    assert outcome.collateral_at_risk_usd[0, 0] == 0


def test_an_unknown_price_excludes_its_units_and_no_others() -> None:
    tokens = [*TOKENS, Token("ODD", np.nan)]
    made = book(tokens, [[*loan(1, 9000), ("collateral", "ODD", 1)], loan(1, 9000)])

    outcome = screen(made, [baseline()])

    assert outcome.liquidatable_accounts[0, 0] == 1
    assert outcome.debt_at_risk_usd[0, 0] == 9000
    assert outcome.asset_collateral_at_risk_usd[:, 0].tolist() == [2000, 0, 0]
    assert np.isnan(health_factors(made)[0])


def test_units_at_the_edge_are_decided_by_the_contract() -> None:
    made = book(TOKENS, [loan(1, 1600), loan(1, 1600 * (1 + 1e-9)), loan(1, 1601)])
    edge = made.edge
    assert isinstance(edge, FractionEdge)

    outcome = screen(made, [baseline()])

    assert outcome.edge_units.tolist() == [2]
    assert edge.asked == 2
    assert liquidatable_units(made, baseline()).tolist() == [1, 2]


def test_the_edge_hears_exact_factors() -> None:
    third = Fraction(1, 3)
    made = book(TOKENS, [loan(3, 1600)])
    moves = Moves(quotes={0: third, 1: third})

    outcome = screen(made, [Scenario(name="", shocks=(), moves=moves)])

    assert outcome.edge_units.tolist() == [1]
    # The threshold 0.8 is a little more than 4/5 as a float, so that the margin is positive.
    assert outcome.liquidatable_accounts.tolist() == [[0]]


def test_dust_is_decided_by_the_contract_too() -> None:
    made = book(TOKENS, [loan(1e-12, 1e-9)], resolution=1e-8)

    assert screen(made, [baseline()]).edge_units.tolist() == [1]


def test_no_debt_is_never_liquidatable_and_never_asked() -> None:
    made = book(TOKENS, [[("collateral", "WETH", 0)], [], [("debt", "USDC", 0)]])

    outcome = screen(made, [scenario("", ["price:WETH=-100%"], made)])

    assert outcome.liquidatable_accounts.tolist() == [[0]]
    assert outcome.edge_units.tolist() == [0]
    assert health_factors(made).tolist() == [np.inf, np.inf, np.inf]


@pytest.mark.parametrize("units", [[], [loan(1, 1000)]])
def test_no_scenarios(units: list[list[tuple[str, str, float]]]) -> None:
    outcome = screen(book(TOKENS, units), [])

    assert outcome.scenarios == ()
    assert outcome.debt_at_risk_usd.shape == (1, 0)
    assert outcome.asset_debt_at_risk_usd.shape == (2, 0)
    assert outcome.edge_units.shape == (0,)


def test_an_empty_book() -> None:
    made = book([], [], deployments=())

    outcome = screen(made, [baseline()])

    assert outcome.liquidatable_accounts.shape == (0, 1)
    assert outcome.asset_debt_at_risk_usd.shape == (0, 1)
    assert liquidatable_units(made, baseline()).tolist() == []
    assert health_factors(made).tolist() == []


def test_health_factors_follow_a_scenario() -> None:
    made = book(TOKENS, [loan(1, 800)])

    assert health_factors(made).tolist() == pytest.approx([2.0])
    assert health_factors(made, scenario("", ["price:WETH=-50%"], made)) == pytest.approx([1.0])


def _permuted(made: Book, order: list[int]) -> Book:
    """The same units in another order, their holdings with them."""
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    unit = rank[made.holding_unit]
    holdings = np.argsort(unit, kind="stable")
    edge = FractionEdge()
    permuted = dataclasses.replace(
        made,
        units=tuple(made.units[i] for i in order),
        unit_deployment=made.unit_deployment[order],
        unpriced=made.unpriced[order],
        resolution=made.resolution[order],
        holding_unit=unit[holdings],
        holding_quote=made.holding_quote[holdings],
        holding_side=made.holding_side[holdings],
        holding_amount=made.holding_amount[holdings],
        holding_parameters=made.holding_parameters[holdings],
        edge=edge,
    )
    edge.book = permuted
    return permuted
