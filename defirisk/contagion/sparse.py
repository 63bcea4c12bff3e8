"""The static shock by sparse matrix products, in chunks of scenarios and tiles of units.

Needs no compiler: it does small jobs, whatever the compiled sweep does not take, and is its twin.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from defirisk.contagion.edge import Exactly, exactly, judge
from defirisk.contagion.totals import Sums, nothing, priced
from defirisk.contagion.valuation import Bools, Positions, indicator, positions, times
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.outcome import Counts, Outcome
from defirisk.core.scenario import Scenario


class SparseSweep:
    """Sweeps `lanes` scenarios over `tile` units at a time. Implements `screen.Sweep`.

    Of `units`, which ascend, or of all.
    """

    def __init__(
        self, book: Book, *, lanes: int = 64, tile: int = 4096, units: Ints | None = None
    ) -> None:
        self.lanes = lanes
        self._book = book
        mine = np.arange(len(book.units)) if units is None else units
        self._tiles = [
            positions(book, mine[first : first + tile]) for first in range(0, len(mine), tile)
        ]

    def outcome(self, scenarios: Sequence[Scenario], oracle: Floats, market: Floats) -> Outcome:
        """What these scenarios do, at these prices of quotes (Q, S)."""
        total = nothing(self._book, len(scenarios))
        ask = exactly(self._book, scenarios)
        for rows in self._tiles:
            _add(total, rows, oracle, market, ask)
        return priced(self._book, scenarios, total, market)


def decided(rows: Positions, oracle: Floats, ask: Exactly) -> tuple[Bools, Counts]:
    """Who is liquidatable (N, S), and how many decisions were made again exactly (S,)."""
    liquidatable, near = judge(rows, oracle)
    for unit, s in np.argwhere(near):
        liquidatable[unit, s] = ask(int(rows.units[unit]), int(s))
    return liquidatable, near.sum(axis=0, dtype=np.int64)


def _add(total: Sums, rows: Positions, oracle: Floats, market: Floats, ask: Exactly) -> None:
    liquidatable, edge = decided(rows, oracle, ask)
    hit = np.flatnonzero(liquidatable.any(axis=1))
    mask = liquidatable[hit]
    weight = mask.astype(np.float64)
    debt, collateral = rows.debt[hit], rows.collateral[hit]
    # Units of quotes are summed and priced once at the end; only bad debt needs values by unit.
    uncovered = np.maximum(times(debt, market) - times(collateral, market), 0)
    by_deployment = indicator(rows.deployment[hit], len(total.accounts))
    np.add(total.debt, times(debt.T, weight), out=total.debt)
    np.add(total.collateral, times(collateral.T, weight), out=total.collateral)
    np.add(total.accounts, times(by_deployment, weight).astype(np.int64), out=total.accounts)
    np.add(total.bad_debt, times(by_deployment, np.where(mask, uncovered, 0)), out=total.bad_debt)
    np.add(total.edge, edge, out=total.edge)
