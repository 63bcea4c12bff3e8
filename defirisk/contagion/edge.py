"""The edge: which decisions floating point may not make, and who makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache

import numpy as np

from defirisk.contagion.valuation import Bools, Positions, times
from defirisk.core.book import Book, Floats
from defirisk.core.scenario import ExactMoves, Scenario

EDGE = 1e-6
"""Units whose margin is at most this fraction of their debt and requirements are decided in exact
integers; likewise the terms of a recovery mode."""

Exactly = Callable[[int, int], bool]
"""Whether this unit can be liquidated in this scenario, by the contract's own integers."""


class QuotesOf:
    """Which quotes a deployment has: found once."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._known: dict[int, list[int]] = {}

    def of(self, deployment: int) -> Sequence[int]:
        """The numbers of its quotes."""
        if deployment not in self._known:
            mine = np.flatnonzero(self._book.quote_deployment == deployment)
            self._known[deployment] = mine.tolist()
        return self._known[deployment]


class Factors(Mapping[int, Fraction]):
    """By how much each quote of a deployment moves, exactly; those that stay are left out.

    Computed when first asked for: a contract may ask for the few quotes of a unit.
    """

    def __init__(self, moves: ExactMoves, quotes: Sequence[int]) -> None:
        self._moves, self._quotes = moves, quotes
        self._known: dict[int, Fraction] = {}

    def __getitem__(self, quote: int) -> Fraction:
        factor = self._factor(quote)
        if factor == 1:
            raise KeyError(quote)
        return factor

    def __iter__(self) -> Iterator[int]:
        return (quote for quote in self._quotes if self._factor(quote) != 1)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _factor(self, quote: int) -> Fraction:
        if quote not in self._known:
            self._known[quote] = self._moves.quote(quote)
        return self._known[quote]


def oracle_factors(book: Book, scenario: Scenario, deployment: int) -> Factors:
    """The factors of one deployment's quotes in one scenario."""
    return Factors(ExactMoves(book, scenario), QuotesOf(book).of(deployment))


def exactly(book: Book, scenarios: Sequence[Scenario], quotes: QuotesOf | None = None) -> Exactly:
    """Asks the adapter that a unit belongs to; scenarios by their number here."""
    own = quotes or QuotesOf(book)

    @cache
    def factors(deployment: int, s: int) -> Factors:
        return Factors(ExactMoves(book, scenarios[s]), own.of(deployment))

    def decide(unit: int, s: int) -> bool:
        return book.edge.liquidatable(unit, factors(int(book.unit_deployment[unit]), s))

    return decide


def judge(rows: Positions, oracle: Floats) -> tuple[Bools, Bools]:
    """Who is liquidatable by floating point, and where that must not decide; (N, S) each."""
    demanded = rows.demanded(oracle)
    margin = times(rows.backing, oracle) - demanded
    # What the contract's own rounding may amount to: of each value, and of each balance.
    rounding = rows.guard[:, None] + times(rows.grain, np.nan_to_num(oracle))
    liquidatable, near = margin < 0, np.abs(margin) <= EDGE * demanded + rounding
    for system in rows.systems:
        of = system.members
        pledged, owed = times(rows.collateral[of], oracle), times(rows.debt[of], oracle)
        falls, may_fall = system.conditions(pledged, owed, rounding[of], oracle).holds(EDGE)
        near[of] = ~falls & (near[of] | (may_fall & ~liquidatable[of]))
        liquidatable[of] |= falls
    decidable = rows.decidable[:, None]
    if (oracle == 0).any():
        # What a contract does with a price of 0 is its own affair: many refuse to answer.
        near |= times(rows.grain, (oracle == 0).astype(np.float64)) > 0
    return decidable & liquidatable, decidable & near
