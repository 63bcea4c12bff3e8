"""The smallest move that crosses a budget, against every move of a fine grid."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defirisk.contagion.cascade.play import Cascade
from defirisk.contagion.reverse import (
    GRAIN,
    HIGHEST,
    Budget,
    Crossing,
    Measure,
    falls,
    movable,
    parse,
    rises,
    smallest_moves,
)
from defirisk.contagion.screen import screen
from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.scenario import Moves, Scenario
from defirisk.shocks.grammar import parse as shock
from defirisk.shocks.target import price_moves
from tests.books import Token, book
from tests.unit.contagion.cascade.liquidated import HALF, liquidated, pair

FINE = 200
"""Moves to each whole of the price in the brute force."""
TOKENS = [Token("USD", 1.0, 0.9), Token("ETH", 2000.0, 0.8), Token("LST", 2100.0, follows="ETH")]
UNITS = [
    [("collateral", "ETH", 10.0), ("debt", "USD", 9000.0)],
    [("collateral", "LST", 5.0), ("debt", "USD", 6000.0)],
    [("collateral", "USD", 9000.0), ("debt", "ETH", 2.0)],
]


def screened(made: Book, name: str) -> Measure:
    return lambda scenarios: getattr(screen(made, scenarios), name).sum(axis=0).tolist()


def by_hand(made: Book, asset: int, moves: Sequence[Fraction], budget: Budget) -> Fraction | None:
    """The first of all these moves that crosses, one at a time."""
    for move in moves:
        given = price_moves(made, asset, 1 + move) if move else Moves()
        one = Scenario(name="", shocks=(), moves=given)
        value = float(getattr(screen(made, [one]), budget.measure).sum())
        if budget.crossed(value):
            return move
    return None


def one(made: Book, asset: int, grid: list[Fraction], budget: Budget) -> Crossing:
    (found,) = smallest_moves(made, [asset], grid, budget, screened(made, budget.measure))
    return found


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([0, 1, 2]),
    st.sampled_from(["bad_debt_usd", "debt_at_risk_usd", "liquidatable_accounts"]),
    st.integers(0, 12_000),
    st.sampled_from([-1, 1]),
)
def test_it_is_where_every_finer_move_says(asset: int, measure: str, amount: int, way: int) -> None:
    made = book(TOKENS, UNITS)
    if measure == "liquidatable_accounts":
        amount %= 4
    budget = Budget(measure=measure, above=True, amount=float(amount))
    grid = falls(20) if way < 0 else [move for move in rises(200) if move <= 2]
    fine = [Fraction(way * k, FINE) for k in range((198 if way < 0 else 400) + 1)]
    found, expected = one(made, asset, grid, budget), by_hand(made, asset, fine, budget)
    if expected is None:
        assert found.answer == "never"
        assert found.move is None
    else:
        assert found.move is not None
        assert 0 <= abs(expected) - abs(found.move) < Fraction(1, FINE)
        assert found.answer == ("crossed" if expected else "already")


def test_a_move_ends_where_one_grain_less_does_not_cross() -> None:
    made = book(TOKENS, UNITS)
    budget = Budget(measure="liquidatable_accounts", above=True, amount=0.0)
    found = one(made, 1, falls(20), budget)
    # 5 LST x 2100 USD x 0.8 carry 8400 USD of debt, of which 6000 are owed: 2/7 may be lost.
    assert found.move == Fraction(-285_715, 10**6)
    assert by_hand(made, 1, [found.move + GRAIN], budget) is None


def stepped(levels: Callable[[Fraction], float]) -> Measure:
    """A measure that is made up, of the market price of the first asset."""

    def measure(scenarios: Sequence[Scenario]) -> list[float]:
        return [levels(one.moves.market.get(0, Fraction(1)) - 1) for one in scenarios]

    return measure


def test_the_first_crossing_counts_though_a_deeper_fall_holds_the_budget_again() -> None:
    def humps(move: Fraction) -> float:
        return 2.0 if Fraction(-42, 100) < move <= Fraction(-33, 100) or move < -0.8 else 0.0

    budget = Budget(measure="bad_debt_usd", above=True, amount=1.0)
    (found,) = smallest_moves(book(TOKENS, []), [0], falls(20), budget, stepped(humps))
    assert (found.answer, found.move, found.value) == ("crossed", Fraction(-33, 100), 2.0)


def test_what_is_not_known_is_no_answer() -> None:
    def dark(move: Fraction) -> float:
        return math.nan if move < Fraction(-1, 5) else 0.0

    def dark_in_the_cell(move: Fraction) -> float:
        return 2.0 if move <= Fraction(-1, 4) else math.nan if move < Fraction(-11, 50) else 0.0

    budget = Budget(measure="bad_debt_usd", above=True, amount=1.0)
    for levels in (dark, dark_in_the_cell):
        (found,) = smallest_moves(book(TOKENS, []), [0], falls(20), budget, stepped(levels))
        assert found.answer == "unknown"
        assert math.isnan(found.value)


def test_a_budget_that_is_crossed_today_needs_no_move() -> None:
    made = book(TOKENS, UNITS)
    budget = Budget(measure="debt_at_risk_usd", above=False, amount=1.0)
    found = one(made, 1, falls(20), budget)
    assert (found.answer, found.move, found.value) == ("already", Fraction(0), 0.0)


def test_what_happens_beside_every_move_counts() -> None:
    made = book(TOKENS, UNITS)
    budget = Budget(measure="liquidatable_accounts", above=True, amount=0.0)
    measure = screened(made, budget.measure)
    beside = shock("price:ETH=-20%", made)
    (found,) = smallest_moves(made, [1], falls(20), budget, measure, beside=beside)
    assert found.move is not None
    assert float((1 + found.move) * Fraction(4, 5)) == pytest.approx(5 / 7, abs=1e-5)


def test_a_cascade_is_asked_in_the_same_way() -> None:
    """Sales into a pool lower the price further: less of a fall is enough than at a standstill."""
    made = liquidated(book(TOKENS[:2], UNITS[:1]), [HALF], [pair("ETH", "USD", (200, 400_000))])
    tables = Cascade(made)
    budget = Budget(measure="bad_debt_usd", above=True, amount=500.0)

    def played(scenarios: Sequence[Scenario]) -> Sequence[float]:
        return [float(v) for v in tables.play(scenarios).bad_debt_usd.sum(axis=0)]

    (found,) = smallest_moves(made, [1], falls(20), budget, played)
    static = one(made, 1, falls(20), budget)
    assert found.move is not None
    assert static.move is not None
    assert -1 < static.move < found.move < 0
    fine = [Fraction(-k, FINE) for k in range(80, 198)]
    moves = [price_moves(made, 1, 1 + move) for move in fine]
    every = played([Scenario(name="", shocks=(), moves=one) for one in moves])
    first = next(move for move, value in zip(fine, every, strict=True) if value > budget.amount)
    assert 0 <= found.move - first < Fraction(1, FINE)


def test_the_grids_go_from_nothing_to_the_ends() -> None:
    assert falls(4) == [0, Fraction(-1, 4), Fraction(-1, 2), Fraction(-3, 4), Fraction(-99, 100)]
    assert len(falls(100)) == 100
    assert rises(4) == [0, HIGHEST / 4, HIGHEST / 2, HIGHEST * 3 / 4, HIGHEST]
    assert all((move / GRAIN).denominator == 1 for move in (*falls(20), *rises(20), *rises(100)))


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("bad_debt_usd>1e6", Budget(measure="bad_debt_usd", above=True, amount=1e6)),
        (" rounds < 12 ", Budget(measure="rounds", above=False, amount=12.0)),
        ("debt_at_risk_usd>2.5", Budget(measure="debt_at_risk_usd", above=True, amount=2.5)),
    ],
)
def test_a_budget_is_read(text: str, budget: Budget) -> None:
    assert parse(text, played=True) == budget
    assert parse(str(budget).replace(",", ""), played=True) == budget


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("bad_debt>1", "unknown measure 'bad_debt': did you mean bad_debt_usd"),
        ("Bad_debt_usd>1", "is no budget"),
        ("bad_debt_usd", "is no budget"),
        ("bad_debt_usd>=1", "is no budget"),
        ("bad_debt_usd>nan", "is no budget"),
        ("bad_debt_usd>-1", "is no budget"),
        ("bad_debt_usd>1e400", "beyond any budget"),
        ("rounds>1", "add --cascade"),
        ("liquidated_debt_usd>1", "add --cascade"),
    ],
)
def test_what_is_no_budget_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse(text, played=False)


def test_an_unknown_value_is_not_beyond_a_budget() -> None:
    for above in (True, False):
        assert not Budget(measure="rounds", above=above, amount=1.0).crossed(np.nan)


def test_units_of_account_do_not_move() -> None:
    made = book(TOKENS, UNITS)
    assert movable(made) == [0, 1, 2]
    assets = tuple(replace(one, unit=one.symbol == "USD") for one in made.assets)
    assert movable(replace(made, assets=assets)) == [1, 2]
