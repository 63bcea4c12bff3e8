"""What the extreme prices of a block prove of a row, without looking at the lanes.

Safe in all lanes: nothing to do. Liquidatable in all lanes: amounts are added once for the block,
and where collateral covers the debt in all lanes, or in none, so is the bad debt, which then is
nothing or linear in prices. All blocks of a sweep are bounded at once: they are the vector here.
"""

from __future__ import annotations

import numpy as np

from defirisk.contagion.blocks import COVERED, NOTHING, SINK, SOME, Found, Index, Prices, Tile
from defirisk.contagion.jit import inner
from defirisk.contagion.signed import SLACK, WIDER, SignedRows, Words
from defirisk.core.book import Floats


@inner
def bound(
    rows: SignedRows, prices: Prices, found: Found, tile: Tile, start: int, stop: int
) -> None:
    """Says of a tile's rows what is left to be done in each block, and adds what need not be."""
    columns, firsts, series, top = rows.column, rows.first, prices.series, prices.top
    margin, uncovered, state = tile.margin, tile.uncovered, tile.state
    blocks = len(tile.whole)
    for row in range(start, stop):
        first, last = np.int64(firsts[row]), np.int64(firsts[row + 1])
        owes = first + np.int64(rows.pledged[row])
        rest = owes + np.int64(rows.owed[row])
        rounding = rows.guard[row]
        for k in range(first, last):
            rounding += prices.grain[np.int64(columns[k])]
        rounding *= 1 + SLACK
        edge = rounding
        for k in range(owes, rest):
            edge -= WIDER * rows.weight[k] * top[np.int64(series[columns[k]])]
        # A score is a margin less its edge, so one of twice the edge below zero is certain.
        certain = rounding - 2 * (1 + SLACK) * edge
        at = row - start
        tile.guard[at], tile.certain[at] = rounding, certain
        extremes(columns, rows.weight, first, owes, rest, series, prices.oracle_range, margin)
        risky = 0
        for b in range(blocks):
            risky += 0 if margin[b] > rounding else 1
        if risky == 0:
            for b in range(blocks):
                state[at, b] = NOTHING
            continue
        extremes(columns, rows.amount, first, owes, rest, series, prices.market_range, uncovered)
        wholes, sunk = 0, 0
        for b in range(blocks):
            whole = margin[blocks + b] < certain
            drowned = whole & (uncovered[blocks + b] >= 0)
            covered = uncovered[b] <= 0
            wholes += 1 if whole else 0
            sunk += 1 if drowned else 0
            tile.whole[b] = 1.0 if whole else 0.0
            tile.drowned[b] = 1.0 if drowned else 0.0
            if_some = COVERED if covered else SOME
            if_whole = NOTHING if covered | drowned else SINK
            risk = if_whole if whole else if_some
            state[at, b] = NOTHING if margin[b] > rounding else risk
        if wholes > 0:
            add_whole(rows, found, tile, row, first, rest, sunk)


@inner
def extremes(
    columns: Words,
    weights: Floats,
    first: Index,
    owes: Index,
    rest: Index,
    series: Words,
    ranges: Floats,
    out: Floats,
) -> None:
    """A row's lowest sum of weights times prices in each block, then its highest in each.

    Of a sum in which what is pledged has a positive weight and what is owed a negative one; with
    the signs turned around, its highest and then its lowest. `ranges` has what a pledged term
    needs for both in one piece, and so, one block axis on, what an owed one needs.
    """
    # Not a constant: so few steps would be written out one by one, and not as vectors.
    wide = len(out)
    for b in range(wide):
        out[b] = 0
    for k in range(first, owes):
        p, weight = np.int64(series[columns[k]]), weights[k]
        for b in range(wide):
            out[b] += weight * ranges[p, b]
    for k in range(owes, rest):
        p, weight = np.int64(series[columns[k]]), weights[k]
        for b in range(wide):
            out[b] += weight * ranges[p, wide // 2 + b]


@inner
def add_whole(
    rows: SignedRows, found: Found, tile: Tile, row: int, first: Index, rest: Index, sunk: int
) -> None:
    """Adds a row in the blocks in which it is liquidatable in all lanes."""
    blocks, whole, drowned = len(tile.whole), tile.whole, tile.drowned
    deployment = np.int64(rows.deployment[row])
    for b in range(blocks):
        found.all_accounts[deployment, b] += whole[b]
    for k in range(first, rest):
        column, amount = np.int64(rows.column[k]), abs(rows.amount[k])
        for b in range(blocks):
            found.all_amount[column, b] += amount * whole[b]
    if sunk > 0:
        for k in range(first, rest):
            column, amount = np.int64(rows.column[k]), rows.amount[k]
            for b in range(blocks):
                found.all_lost[column, b] += amount * drowned[b]
