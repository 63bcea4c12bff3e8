"""The static shock: who can be liquidated, how much is at risk, what is not covered.

No feedback: prices are those of the scenarios. Scenarios are taken in chunks, so the memory beyond
inputs and outputs does not depend on how many there are. Two sweeps give the same answer: sparse
products, at once, and a compiled kernel, which pays for large jobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from defirisk.contagion.edge import exactly
from defirisk.contagion.sparse import SparseSweep, decided
from defirisk.contagion.totals import joined, nothing, priced
from defirisk.contagion.valuation import market_quotes, positions
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.outcome import Outcome
from defirisk.core.scenario import Scenario, quote_prices

COMPILED_FROM = 10**8
"""Units times scenarios from which the compiled sweep is used (`python -m benchmarks.book`)."""


class Sweep(Protocol):
    """One way of computing an outcome; `lanes` is how many scenarios it wants at once."""

    lanes: int

    def outcome(self, scenarios: Sequence[Scenario], oracle: Floats, market: Floats) -> Outcome:
        """What these scenarios do, at these prices of quotes (Q, S)."""


def screen(book: Book, scenarios: Sequence[Scenario], *, sweep: Sweep | None = None) -> Outcome:
    """What each scenario makes liquidatable, in USD at that scenario's market prices.

    A unit is liquidatable where its collateral times liquidation threshold is worth less than its
    debt at the oracle prices of its own market. Units with an unknown price never are; they are in
    `book.unpriced`. `sweep` changes memory and speed, not the result (sums may differ in the last
    bits).
    """
    if not scenarios:
        return priced(book, (), nothing(book, 0), np.empty((len(book.quote_asset), 0)))
    sweep = sweep or _sweep(book, len(scenarios))
    parts = []
    for first in range(0, len(scenarios), sweep.lanes):
        part = list(scenarios[first : first + sweep.lanes])
        parts.append(sweep.outcome(part, quote_prices(book, part), market_quotes(book, part)))
    return joined(parts)


def liquidatable_units(book: Book, scenario: Scenario, *, tile: int = 4096) -> Ints:
    """The units that `screen` counts in this scenario, ascending."""
    oracle, ask = quote_prices(book, [scenario]), exactly(book, [scenario])
    found = [np.empty(0, dtype=np.int64)]
    for first in range(0, len(book.units), tile):
        units = np.arange(first, min(first + tile, len(book.units)))
        found.append(units[decided(positions(book, units), oracle, ask)[0][:, 0]])
    return np.concatenate(found)


def _sweep(book: Book, scenarios: int) -> Sweep:
    if len(book.units) * scenarios < COMPILED_FROM:
        return SparseSweep(book)
    # Imported where it pays: numba alone takes longer than a small job.
    from defirisk.contagion.compiled import CompiledSweep

    return CompiledSweep(book)
