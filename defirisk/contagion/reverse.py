"""Stress turned round: the smallest move of one asset's price that crosses a budget.

What a move does is not monotone: a deeper fall may liquidate sooner and leave less bad debt. So
nothing is bisected from end to end. Moves are tried on a grid from small to large; the first one
that crosses closes a cell with the one before it, and only this cell is bisected, down to `GRAIN`.
A crossing that is undone again between two points of the grid is not seen.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.plugins import nearest
from defirisk.core.scenario import Moves, Scenario, combine
from defirisk.shocks.target import price_moves

GRAIN = Fraction(1, 10**6)
"""The last digit of a move: 0.0001 %."""
DEEPEST, HIGHEST = Fraction(-99, 100), Fraction(10)
MEASURES = (
    "liquidatable_accounts",
    "debt_at_risk_usd",
    "collateral_at_risk_usd",
    "liquidated_debt_usd",
    "liquidated_collateral_usd",
    "bad_debt_usd",
    "rounds",
)
PLAYED = ("liquidated_debt_usd", "liquidated_collateral_usd", "rounds")
"""Measures that are 0 unless liquidations are played."""

Answer = Literal["crossed", "already", "never", "unknown"]
Measure = Callable[[Sequence[Scenario]], Sequence[float]]
"""The measure in each of some scenarios."""

_BUDGET = re.compile(r"\s*([a-z_]+)\s*([<>])\s*([0-9]+\.?[0-9]*(?:[eE]\+?[0-9]{1,3})?)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A measure of a stress test, and the amount that it must not go beyond."""

    measure: str
    above: bool
    amount: float

    def crossed(self, value: float) -> bool:
        """Whether the value is beyond; an unknown one (NaN) is not."""
        return value > self.amount if self.above else value < self.amount

    def __str__(self) -> str:
        return f"{self.measure}{'>' if self.above else '<'}{self.amount:,.12g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """The smallest move in one direction, as a fraction, and the measure there.

    `crossed` at `move`; `already` without any move; `never` up to `DEEPEST` or `HIGHEST` on the
    grid; `unknown` where the measure became unknown before it was crossed, first seen at `move`.
    """

    asset: int
    answer: Answer
    move: Fraction | None
    value: float


def parse(text: str, *, played: bool) -> Budget:
    """`bad_debt_usd>1e6`, for example. `played`: whether liquidations are.

    Errors: `UsageError` that says what to type.
    """
    match = _BUDGET.fullmatch(text)
    if match is None:
        key = re.match(r"\s*([a-z_]*)", text)
        if key and key[1] and key[1] not in MEASURES:
            raise UsageError(f"unknown measure {key[1]!r}: {nearest(key[1], MEASURES)}")
        raise UsageError(f"{text!r} is no budget: type for example 'bad_debt_usd>1e6'")
    measure, sign, digits = match.groups()
    if measure not in MEASURES:
        raise UsageError(f"unknown measure {measure!r}: {nearest(measure, MEASURES)}")
    if measure in PLAYED and not played:
        raise UsageError(f"{measure} is 0 unless liquidations are played: add --cascade")
    if math.isinf(float(digits)):
        raise UsageError(f"{digits} is beyond any budget: type for example '{measure}>1e6'")
    return Budget(measure=measure, above=sign == ">", amount=float(digits))


def movable(book: Book) -> list[int]:
    """The assets whose prices can move: all but units of account."""
    return [index for index, asset in enumerate(book.assets) if not asset.unit]


def falls(steps: int) -> list[Fraction]:
    """The grid of falls, from none to `DEEPEST`, in steps of this part of the price."""
    return [Fraction(-k, steps) for k in range(steps) if Fraction(-k, steps) > DEEPEST] + [DEEPEST]


def rises(steps: int) -> list[Fraction]:
    """The grid of rises, from none to `HIGHEST`, likewise of the whole way."""
    return [HIGHEST * k / steps for k in range(steps + 1)]


def smallest_moves(
    book: Book,
    assets: Iterable[int],
    grid: Sequence[Fraction],
    budget: Budget,
    measure: Measure,
    *,
    beside: Moves | None = None,
) -> list[Crossing]:
    """For each asset, the smallest move of the grid's direction that crosses the budget.

    `grid` begins with 0 and goes one way, in multiples of `GRAIN`. `beside` happens in any case. An
    asset moves at market and in the oracles, with all that follows it (`shocks.price`). All assets
    are asked about together, so the measure is called once for the grid and once for each halving.
    """
    wanted = list(assets)

    def scenario(asset: int, move: Fraction) -> Scenario:
        moves = [] if beside is None else [beside]
        if move:
            moves.append(price_moves(book, asset, 1 + move))
        return Scenario(name="", shocks=(), moves=combine(moves))

    # Nothing moves in the first point of the grid: it is the same for every asset.
    asked = [scenario(0, Fraction(0))]
    asked += [scenario(asset, move) for asset in wanted for move in grid[1:]]
    today, *rest = (float(value) for value in measure(asked))
    width = len(grid) - 1
    rows = [[today, *rest[n * width : (n + 1) * width]] for n in range(len(wanted))]
    found = [_first(asset, grid, row, budget) for asset, row in zip(wanted, rows, strict=True)]
    return _narrowed(found, grid, budget, measure, scenario)


def _first(
    asset: int, grid: Sequence[Fraction], values: Sequence[float], budget: Budget
) -> Crossing:
    """The first point of the grid that crosses, or that nothing is known of."""
    for move, value in zip(grid, values, strict=True):
        if math.isnan(value):
            return Crossing(asset=asset, answer="unknown", move=move, value=value)
        if budget.crossed(value):
            answer: Answer = "crossed" if move else "already"
            return Crossing(asset=asset, answer=answer, move=move, value=value)
    return Crossing(asset=asset, answer="never", move=None, value=values[-1])


def _narrowed(
    found: list[Crossing],
    grid: Sequence[Fraction],
    budget: Budget,
    measure: Measure,
    scenario: Callable[[int, Fraction], Scenario],
) -> list[Crossing]:
    """Every crossing at the end of a cell that is `GRAIN` long, whose other end does not cross."""
    before = dict(zip(grid[1:], grid, strict=False))
    cells = {
        n: (before[one.move], one.move)
        for n, one in enumerate(found)
        if one.answer == "crossed" and one.move is not None
    }
    while cells := {n: ends for n, ends in cells.items() if abs(ends[1] - ends[0]) > GRAIN}:
        tried = {n: _middle(*ends) for n, ends in cells.items()}
        values = measure([scenario(found[n].asset, move) for n, move in tried.items()])
        for (n, move), value in zip(tried.items(), map(float, values), strict=True):
            if math.isnan(value) or budget.crossed(value):
                answer: Answer = "unknown" if math.isnan(value) else "crossed"
                found[n] = Crossing(asset=found[n].asset, answer=answer, move=move, value=value)
                cells[n] = (cells[n][0], move)
            else:
                cells[n] = (move, cells[n][1])
    return found


def _middle(low: Fraction, high: Fraction) -> Fraction:
    """Half way, in multiples of `GRAIN`."""
    return GRAIN * ((low + high) / 2 // GRAIN)
