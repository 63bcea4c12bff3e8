"""The edge: which decisions floating point may not make, and who makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache

import numpy as np

from defirisk.contagion.valuation import Bools, Positions, times
from defirisk.core.book import Book, Floats
from defirisk.core.scenario import Scenario, oracle_factors

EDGE = 1e-6
"""Units whose margin is at most this fraction of their debt are decided in exact integers."""

Exactly = Callable[[int, int], bool]
"""Whether this unit can be liquidated in this scenario, by the contract's own integers."""


def exactly(book: Book, scenarios: Sequence[Scenario]) -> Exactly:
    """Asks the adapter that a unit belongs to; scenarios by their number here."""

    @cache
    def factors(deployment: int, s: int) -> Mapping[int, Fraction]:
        return oracle_factors(book, scenarios[s], deployment)

    def decide(unit: int, s: int) -> bool:
        return book.edge.liquidatable(unit, factors(int(book.unit_deployment[unit]), s))

    return decide


def judge(rows: Positions, oracle: Floats) -> tuple[Bools, Bools]:
    """Who is liquidatable by floating point, and where that must not decide; (N, S) each."""
    owed = times(rows.debt, oracle)
    margin = times(rows.backing, oracle) - owed
    decidable = rows.decidable[:, None]
    # What the contract's own rounding may amount to: of each value, and of each balance.
    rounding = rows.guard[:, None] + times(rows.grain, np.nan_to_num(oracle))
    near = decidable & (np.abs(margin) <= EDGE * owed + rounding)
    if (oracle == 0).any():
        # What a contract does with a price of 0 is its own affair: many refuse to answer.
        near |= decidable & (times(rows.grain, (oracle == 0).astype(np.float64)) > 0)
    return decidable & (margin < 0), near
