"""The static shock by the compiled kernel: sorts scenarios, sweeps, settles what was left open.

The kernel decides only what floating point can decide for certain. What it leaves open (the edge
and a little more) is judged as `sparse` does it; scenarios with a price that is unknown, infinite
or not positive go to `sparse` as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from defirisk.contagion.edge import exactly, judge
from defirisk.contagion.kernel import BLOCKS, LANES, WIDTH, Found, Prices, sweep
from defirisk.contagion.signed import signed_rows, used_quotes
from defirisk.contagion.sparse import SparseSweep
from defirisk.contagion.totals import Sums, joined, priced, taken
from defirisk.contagion.valuation import Bools, positions, ranges, sums, times
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.outcome import Counts, Outcome
from defirisk.core.scenario import Scenario

OPEN = 1 << 18
"""Most decisions that a sweep may leave open; beyond that the sparse products do all of it."""
SPREAD = BLOCKS + 1
"""Blocks in memory: one more than are used, lest all rows of an array fall on the same cache sets."""


class CompiledSweep:
    """Sweeps 1024 scenarios at a time. Implements `screen.Sweep`."""

    lanes = WIDTH

    def __init__(self, book: Book, *, room: int = OPEN) -> None:
        self._book = book
        self._rows = signed_rows(book)
        self._held, self._decides = used_quotes(book, self._rows)
        self._room = room

    @cached_property
    def _backing(self) -> Floats:
        """What the book has pledged, times threshold, by quote: moves as the market does."""
        size = len(self._book.quote_asset)
        return sums(self._rows.quote, np.maximum(self._rows.weight, 0), size)

    @cached_property
    def _sparse(self) -> SparseSweep:
        return SparseSweep(self._book)

    def outcome(self, scenarios: Sequence[Scenario], oracle: Floats, market: Floats) -> Outcome:
        """What these scenarios do, at these prices of quotes (Q, S)."""
        plain = self._plain(oracle, market)
        with np.errstate(invalid="ignore"):
            factor = np.where(self._decides[:, None], oracle, 0).T @ self._backing
        # Plain ones first, from the worst to the best: neighbours share a block and its bounds.
        order = np.lexsort((np.nan_to_num(factor), ~plain))
        count = int(plain.sum())
        parts = [
            part(
                [scenarios[int(s)] for s in chosen],
                np.take(oracle, chosen, axis=1),
                np.take(market, chosen, axis=1),
            )
            for part, chosen in ((self._swept, order[:count]), (self._by_sparse, order[count:]))
            if len(chosen)
        ]
        return taken(joined(parts), np.argsort(order))

    def _plain(self, oracle: Floats, market: Floats) -> Bools:
        """Scenarios in which every price that matters is finite and positive; (S,)."""
        with np.errstate(invalid="ignore"):
            usable = np.isfinite(oracle) & (oracle > 0)
            known = np.isfinite(market) & (market >= 0)
        supplied = usable | np.isnan(oracle)
        held = np.where(self._held[:, None], supplied, True)
        decides = np.where(self._decides[:, None], usable & known, True)
        return np.asarray((held & decides).all(axis=0), dtype=np.bool_)

    def _by_sparse(
        self, scenarios: Sequence[Scenario], oracle: Floats, market: Floats
    ) -> Outcome:
        width = self._sparse.lanes
        return joined(
            [
                self._sparse.outcome(
                    scenarios[s : s + width], oracle[:, s : s + width], market[:, s : s + width]
                )
                for s in range(0, len(scenarios), width)
            ]
        )

    def _swept(self, scenarios: Sequence[Scenario], oracle: Floats, market: Floats) -> Outcome:
        """By the kernel; scenarios are sorted."""
        size, quotes = len(scenarios), len(self._book.quote_asset)
        deployments = len(self._book.deployments)
        prices = self._prices(oracle, market)
        found = Found(
            debt=np.zeros((BLOCKS, quotes, LANES)),
            collateral=np.zeros((BLOCKS, quotes, LANES)),
            accounts=np.zeros((BLOCKS, deployments, LANES)),
            bad_debt=np.zeros((BLOCKS, deployments, LANES)),
            near=np.empty((self._room, 2), dtype=np.int64),
            count=np.zeros(2, dtype=np.int64),
        )
        sweep(self._rows, prices, found, size)
        if found.count[0] > self._room:
            return self._by_sparse(scenarios, oracle, market)
        edge = self._settle(scenarios, oracle, market, found)
        total = Sums(
            debt=flat(found.debt, size),
            collateral=flat(found.collateral, size),
            accounts=flat(found.accounts, size).astype(np.int64),
            bad_debt=flat(found.bad_debt, size),
            edge=edge,
        )
        return priced(self._book, scenarios, total, flat(prices.market, size))

    def _prices(self, oracle: Floats, market: Floats) -> Prices:
        """In lanes; those beyond the last scenario repeat it, so that bounds stay tight."""
        beyond = WIDTH - oracle.shape[1]
        known = np.where(self._held[:, None], np.nan_to_num(oracle), 0)
        lanes = np.pad(known, ((0, 0), (0, beyond)), mode="edge").reshape(-1, BLOCKS, LANES)
        worth = np.where(self._decides[:, None], market, 0)
        blocks = lanes
        return Prices(
            oracle=np.ascontiguousarray(lanes.transpose(1,0,2)),
            market=np.ascontiguousarray(np.pad(worth, ((0, 0), (0, beyond)), mode="edge").reshape(lanes.shape).transpose(1,0,2)),
            low=blocks.min(axis=2),
            high=blocks.max(axis=2),
            grain=self._book.quote_grain * known.max(axis=1, initial=0),
        )

    def _settle(
        self, scenarios: Sequence[Scenario], oracle: Floats, market: Floats, found: Found
    ) -> Counts:
        """Decides what was left open and adds it; how many decisions were made exactly (S,)."""
        row, lane = found.near[: found.count[0]].T
        liquidatable, near = self._judged(self._rows.unit[row], lane, oracle)
        ask = exactly(self._book, scenarios)
        for pair in np.flatnonzero(near):
            liquidatable[pair] = ask(int(self._rows.unit[row[pair]]), int(lane[pair]))
        self._add(row[liquidatable], lane[liquidatable], market, found)
        return np.bincount(lane[near], minlength=len(scenarios)).astype(np.int64)

    def _judged(self, unit: Ints, lane: Ints, oracle: Floats) -> tuple[Bools, Bools]:
        """`edge.judge` of pairs: a few units at a time, in all scenarios."""
        liquidatable, near = np.zeros((2, len(unit)), dtype=np.bool_)
        distinct, place = np.unique(unit, return_inverse=True)
        for first in range(0, len(distinct), LANES):
            some = distinct[first : first + LANES]
            judged = judge(positions(self._book, some), oracle)
            mine = np.flatnonzero((place >= first) & (place < first + LANES))
            liquidatable[mine], near[mine] = (
                verdict[place[mine] - first, lane[mine]] for verdict in judged
            )
        return liquidatable, near

    def _add(self, row: Ints, lane: Ints, market: Floats, found: Found) -> None:
        """Adds single rows in single lanes."""
        count = (self._rows.pledged[row] + self._rows.owed[row]).astype(np.int64)
        terms = ranges(self._rows.first[row].astype(np.int64), count)
        pair = np.repeat(np.arange(len(row)), count)
        quote, amount = self._rows.quote[terms], self._rows.amount[terms]
        at = np.stack(np.divmod(lane, LANES))
        np.add.at(found.debt, (at[0][pair],quote, at[1][pair]), np.maximum(amount, 0))
        np.add.at(found.collateral, (at[0][pair],quote, at[1][pair]), np.maximum(-amount, 0))
        lost = sums(pair, amount * market[quote, lane[pair]], len(row))
        deployment = self._rows.deployment[row]
        np.add.at(found.accounts, (at[0],deployment,at[1]), 1)
        np.add.at(found.bad_debt, (at[0],deployment,at[1]), np.maximum(lost, 0))


def flat(blocks: Floats, size: int) -> Floats:
    """The first `size` lanes of an array by block and lane, on one axis."""
    return blocks.transpose(1,0,2).reshape(blocks.shape[1], blocks.shape[0] * LANES)[:, :size]
