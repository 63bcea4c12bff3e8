"""The static shock by the compiled kernel: sorts scenarios, sweeps, settles what was left open.

The kernel decides only what floating point can decide for certain. What it leaves open (the edge
and a little more) is judged as `sparse` does it; scenarios with a price that is unknown, infinite
or not positive go to `sparse` as a whole, and so do units whose margin is not linear in prices.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from defirisk.contagion.blocks import (
    BLOCKS,
    LANES,
    WIDTH,
    Found,
    Prices,
    aligned,
    nothing,
    workspace,
)
from defirisk.contagion.edge import QuotesOf, exactly, judge
from defirisk.contagion.kernel import sweep
from defirisk.contagion.lanes import packed, survey, valued
from defirisk.contagion.margin import bent
from defirisk.contagion.series import Series, families, series_of
from defirisk.contagion.signed import OWED, PLEDGED, signed_rows
from defirisk.contagion.sparse import SparseSweep
from defirisk.contagion.totals import joined, plus, taken
from defirisk.contagion.valuation import Bools, positions, ranges, sums
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.outcome import Counts, Outcome
from defirisk.core.scenario import Scenario

OPEN = 1 << 18
"""Most decisions that a sweep may leave open; beyond that the sparse products do all of it."""

PAIRS = 512
"""Open decisions that are judged at once."""


class CompiledSweep:
    """Sweeps 1024 scenarios at a time, in memory of its own: for one thread at a time.

    Implements `screen.Sweep`.
    """

    lanes = WIDTH

    def __init__(self, book: Book, *, room: int = OPEN) -> None:
        self._book = book
        self._bent = bent(book)
        self._rows, self._columns = signed_rows(book, ~self._bent)
        self._families = families(book, self._columns.quote)
        self._room = room
        self._quotes_of = QuotesOf(book)
        self._idle = np.unique(
            self._rows.column[self._rows.column >= len(self._columns.quote)]
        ).astype(np.int64) - len(self._columns.quote)

    @cached_property
    def _sparse(self) -> SparseSweep:
        """Of the units that the kernel can take."""
        if not self._bent.any():
            return SparseSweep(self._book)
        return SparseSweep(self._book, units=np.flatnonzero(~self._bent))

    @cached_property
    def _other(self) -> SparseSweep:
        return SparseSweep(self._book, units=np.flatnonzero(self._bent))

    def outcome(self, scenarios: Sequence[Scenario], oracle: Floats, market: Floats) -> Outcome:
        """What these scenarios do, at these prices of quotes (Q, S)."""
        straight = self._straight(scenarios, oracle, market)
        if not self._bent.any():
            return straight
        every = np.arange(len(scenarios))
        return plus(straight, _by_sparse(self._other, every, scenarios, oracle, market))

    def _straight(self, scenarios: Sequence[Scenario], oracle: Floats, market: Floats) -> Outcome:
        """Of the units that the kernel can take."""
        usable, factor = np.empty(len(scenarios), dtype=np.bool_), np.empty(len(scenarios))
        series = series_of(self._columns, self._families, scenarios)
        survey(series, oracle, market, usable, factor)
        # Nothing decides on an idle supply's price, but one of 0 asks the contract.
        idle = oracle[self._idle]
        usable &= (((idle > 0) & (idle < np.inf)) | np.isnan(idle)).all(axis=0)
        # From the worst to the best market: neighbours share a block and its bounds.
        order = np.lexsort((factor, ~usable))
        plain, others = np.split(order, [int(usable.sum())])
        parts = []
        if len(plain):
            parts.append(self._swept(plain, series, scenarios, oracle, market))
        if len(others):
            parts.append(_by_sparse(self._sparse, others, scenarios, oracle, market))
        return taken(joined(parts), np.argsort(order))

    def _swept(
        self,
        chosen: Ints,
        series: Series,
        scenarios: Sequence[Scenario],
        oracle: Floats,
        market: Floats,
    ) -> Outcome:
        """By the kernel, in the order chosen."""
        prices, found = self._prices(chosen, series, oracle, market), self._found
        found.clear()
        sweep(self._rows, prices, found, workspace(), len(chosen))
        if found.tally[0] > self._room:
            return _by_sparse(self._sparse, chosen, scenarios, oracle, market)
        mine = [scenarios[int(s)] for s in chosen]
        edge = np.zeros(len(chosen), dtype=np.int64)
        if found.tally[0]:
            edge += self._settle(mine, oracle[:, chosen], prices, found)
        return self._outcome(mine, prices, found, edge)

    @cached_property
    def _found(self) -> Found:
        return nothing(len(self._columns.quote), len(self._book.deployments), self._room)

    def _prices(self, chosen: Ints, series: Series, oracle: Floats, market: Floats) -> Prices:
        """In lanes; those beyond the last scenario repeat it, so that bounds stay tight."""
        count, columns, idle = len(series.quote), len(self._columns.quote), self._idle
        prices = Prices(
            series=series.of,
            oracle=aligned(BLOCKS, count, LANES),
            market=aligned(BLOCKS, count, LANES),
            oracle_range=aligned(count, 3 * BLOCKS),
            market_range=aligned(count, 3 * BLOCKS),
            top=np.zeros(count),
            grain=np.zeros(columns + len(oracle)),
        )
        order = np.pad(chosen, (0, WIDTH - len(chosen)), mode="edge").astype(np.uint32)
        packed(series, oracle, market, order, prices)
        grain = self._book.quote_grain
        highest = prices.top[series.of] * self._columns.rate
        prices.grain[:columns] = grain[self._columns.quote] * highest
        prices.grain[columns + idle] = grain[idle] * np.nan_to_num(oracle[idle]).max(axis=1)
        return prices

    def _settle(
        self, scenarios: Sequence[Scenario], oracle: Floats, prices: Prices, found: Found
    ) -> Counts:
        """Decides what was left open and adds it; how many decisions were made exactly (S,)."""
        row, lane = found.open[: found.tally[0]].T
        unit = self._rows.unit[row]
        liquidatable, near = self._judged(unit, lane, oracle)
        ask = exactly(self._book, scenarios, self._quotes_of)
        for pair in np.flatnonzero(near):
            liquidatable[pair] = ask(int(unit[pair]), int(lane[pair]))
        self._add(row[liquidatable], lane[liquidatable], prices, found)
        return np.bincount(lane[near], minlength=len(scenarios)).astype(np.int64)

    def _judged(self, unit: Ints, lane: Ints, oracle: Floats) -> tuple[Bools, Bools]:
        """`edge.judge` of pairs: some at a time, all their units in all their scenarios."""
        liquidatable, near = np.zeros((2, len(unit)), dtype=np.bool_)
        by_unit = np.argsort(unit, kind="stable")
        for first in range(0, len(unit), PAIRS):
            pairs = by_unit[first : first + PAIRS]
            units, i = np.unique(unit[pairs], return_inverse=True)
            lanes, s = np.unique(lane[pairs], return_inverse=True)
            judged = judge(positions(self._book, units), oracle[:, lanes])
            liquidatable[pairs], near[pairs] = (verdict[i, s] for verdict in judged)
        return liquidatable, near

    def _add(self, row: Ints, lane: Ints, prices: Prices, found: Found) -> None:
        """Adds single rows in single lanes."""
        block, i = np.divmod(lane, LANES)
        count = (self._rows.pledged[row] + self._rows.owed[row]).astype(np.int64)
        terms = ranges(self._rows.first[row].astype(np.int64), count)
        pair = np.repeat(np.arange(len(row)), count)
        column, amount = self._rows.column[terms], self._rows.amount[terms]
        np.add.at(found.amount, (block[pair], column, i[pair]), np.abs(amount))
        price = prices.market[block[pair], prices.series[column], i[pair]]
        lost = sums(pair, amount * price, len(row))
        deployment = self._rows.deployment[row]
        np.add.at(found.accounts, (block, deployment, i), 1)
        np.add.at(found.bad_debt, (block, deployment, i), np.maximum(lost, 0))

    def _outcome(
        self, scenarios: Sequence[Scenario], prices: Prices, found: Found, edge: Counts
    ) -> Outcome:
        deployment = np.zeros((2, BLOCKS, len(self._book.deployments), LANES))
        asset = np.zeros((2, BLOCKS, len(self._book.assets), LANES))
        valued(self._columns, found, prices, deployment, asset)
        size = len(scenarios)
        return Outcome(
            scenarios=tuple(scenarios),
            liquidatable_accounts=_flat(found.accounts, size).astype(np.int64),
            debt_at_risk_usd=_flat(deployment[OWED], size),
            collateral_at_risk_usd=_flat(deployment[PLEDGED], size),
            bad_debt_usd=_flat(found.bad_debt, size),
            asset_debt_at_risk_usd=_flat(asset[OWED], size),
            asset_collateral_at_risk_usd=_flat(asset[PLEDGED], size),
            edge_units=edge,
        )


def _by_sparse(
    sweep: SparseSweep,
    chosen: Ints,
    scenarios: Sequence[Scenario],
    oracle: Floats,
    market: Floats,
) -> Outcome:
    """The scenarios chosen, in that order, as many at once as the sweep wants."""
    chunks = [chosen[s : s + sweep.lanes] for s in range(0, len(chosen), sweep.lanes)]
    return joined(
        [sweep.outcome([scenarios[int(s)] for s in c], oracle[:, c], market[:, c]) for c in chunks]
    )


def _flat(blocks: Floats, size: int) -> Floats:
    """(BLOCKS, X, LANES) with blocks and lanes on one axis, up to the last scenario: (X, S)."""
    return np.moveaxis(blocks, 1, 0).reshape(blocks.shape[1], WIDTH)[:, :size]
