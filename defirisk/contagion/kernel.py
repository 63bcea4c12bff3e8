"""The compiled sweep over units and scenarios: arithmetic on plain arrays, and nothing else.

64 scenarios are the lanes of a block, 16 blocks a sweep, 1024 rows a tile that stays in the cache
while all blocks pass over it. `bounds` finds what a block's extreme prices already prove; only the
rows that they leave undecided are evaluated lane by lane, here. No fast-math: every operation is
done as written (contracting products and sums was measured, and is no faster).
"""

from __future__ import annotations

import numpy as np

from defirisk.contagion.blocks import COVERED, LANES, SINK, SOME, TILE, Found, Index, Prices, Tile
from defirisk.contagion.bounds import bound
from defirisk.contagion.jit import compiled, inner
from defirisk.contagion.signed import SignedRows, Words
from defirisk.core.book import Floats


@compiled
def sweep(rows: SignedRows, prices: Prices, found: Found, tile: Tile, scenarios: int) -> None:
    """Adds up all rows in the first `scenarios` lanes."""
    size = len(rows.pledged)
    for start in range(0, size, TILE):
        stop = min(start + TILE, size)
        bound(rows, prices, found, tile, start, stop)
        for block in range((scenarios + LANES - 1) // LANES):
            strike(rows, prices, found, tile, start, stop - start, block, scenarios)


@inner
def strike(
    rows: SignedRows,
    prices: Prices,
    found: Found,
    tile: Tile,
    start: int,
    size: int,
    block: int,
    scenarios: int,
) -> None:
    """Tests a tile's undecided rows in one block, and adds those that are liquidatable."""
    columns, weights, amounts = rows.column, rows.weight, rows.amount
    firsts, pledged, owed, deployments = rows.first, rows.pledged, rows.owed, rows.deployment
    series, oracle, market = prices.series, prices.oracle[block], prices.market[block]
    added, accounts = found.amount[block], found.accounts[block]
    bad_debt, score, lost = found.bad_debt[block], tile.score, tile.lost
    length, sunk = listed(tile, size, block)
    found.tally[1] += length
    for j in range(length):
        at = np.int64(tile.some[j])
        row, guard, certain = start + at, tile.guard[at], tile.certain[at]
        first = np.int64(firsts[row])
        rest = first + np.int64(pledged[row]) + np.int64(owed[row])
        weigh(columns, weights, first, rest, series, oracle, score)
        hit, unsure = False, False
        for i in range(LANES):
            below, sure = score[i] <= guard, score[i] < certain
            hit |= below
            unsure |= below != sure
            score[i] = 1.0 if sure else 0.0
        if not hit:
            continue
        if unsure:
            weigh(columns, weights, first, rest, series, oracle, lost)
            leave(found, row, block, scenarios, certain, guard, lost)
        deployment = np.int64(deployments[row])
        number, lack = accounts[deployment], bad_debt[deployment]
        for i in range(LANES):
            number[i] += score[i]
        add(columns, amounts, first, rest, score, added)
        if tile.state[at, block] == SOME:
            weigh(columns, amounts, first, rest, series, market, lost)
            for i in range(LANES):
                lack[i] += (lost[i] if lost[i] > 0 else 0.0) * score[i]
    for j in range(sunk):
        row = start + np.int64(tile.sink[j])
        first = np.int64(firsts[row])
        rest = first + np.int64(pledged[row]) + np.int64(owed[row])
        weigh(columns, amounts, first, rest, series, market, lost)
        lack = bad_debt[np.int64(deployments[row])]
        for i in range(LANES):
            lack[i] += lost[i] if lost[i] > 0 else 0.0


@inner
def listed(tile: Tile, size: int, block: int) -> tuple[int, int]:
    """Lists which of a tile's rows are to be done in one block; how many of either kind."""
    state, some, sink = tile.state, tile.some, tile.sink
    length, sunk = 0, 0
    for at in range(size):
        left = state[at, block]
        # Written always and counted where it belongs: there is no branch to be guessed wrong.
        some[length] = at
        sink[sunk] = at
        length += 1 if (left == COVERED) | (left == SOME) else 0
        sunk += 1 if left == SINK else 0
    return length, sunk


@inner
def add(
    columns: Words, amounts: Floats, first: Index, rest: Index, share: Floats, added: Floats
) -> None:
    """Adds shares (LANES,) of a row's amounts to their columns; two at a time read them once."""
    k = first
    while k + 1 < rest:
        one, other = added[np.int64(columns[k])], added[np.int64(columns[k + 1])]
        a0, a1 = abs(amounts[k]), abs(amounts[k + 1])
        for i in range(LANES):
            one[i] += a0 * share[i]
            other[i] += a1 * share[i]
        k += 2
    if k < rest:
        one, a0 = added[np.int64(columns[k])], abs(amounts[k])
        for i in range(LANES):
            one[i] += a0 * share[i]


@inner
def weigh(
    columns: Words,
    weights: Floats,
    first: Index,
    last: Index,
    series: Words,
    prices: Floats,
    out: Floats,
) -> None:
    """Weights times prices (P, LANES) of the terms from first to last; there is at least one."""
    k, w0, p0 = first, weights[first], prices[np.int64(series[columns[first]])]
    count = last - first
    if count == 1:
        for i in range(LANES):
            out[i] = w0 * p0[i]
        return
    w1, p1 = weights[k + 1], prices[np.int64(series[columns[k + 1]])]
    if count == 2:
        for i in range(LANES):
            out[i] = w0 * p0[i] + w1 * p1[i]
        return
    w2, p2 = weights[k + 2], prices[np.int64(series[columns[k + 2]])]
    if count == 3:
        for i in range(LANES):
            out[i] = w0 * p0[i] + w1 * p1[i] + w2 * p2[i]
        return
    w3, p3 = weights[k + 3], prices[np.int64(series[columns[k + 3]])]
    if count == 4:
        for i in range(LANES):
            out[i] = w0 * p0[i] + w1 * p1[i] + w2 * p2[i] + w3 * p3[i]
        return
    w4, p4 = weights[k + 4], prices[np.int64(series[columns[k + 4]])]
    if count == 5:
        for i in range(LANES):
            out[i] = w0 * p0[i] + w1 * p1[i] + w2 * p2[i] + w3 * p3[i] + w4 * p4[i]
        return
    w5, p5 = weights[k + 5], prices[np.int64(series[columns[k + 5]])]
    for i in range(LANES):
        out[i] = w0 * p0[i] + w1 * p1[i] + w2 * p2[i] + w3 * p3[i] + w4 * p4[i] + w5 * p5[i]
    for more in range(first + 6, last):
        w0, p0 = weights[more], prices[np.int64(series[columns[more]])]
        for i in range(LANES):
            out[i] += w0 * p0[i]


@inner
def leave(
    found: Found,
    row: Index,
    block: int,
    scenarios: int,
    certain: float,
    guard: float,
    score: Floats,
) -> None:
    """Notes the lanes that are neither safe nor certain; the last block has some beyond the end."""
    opened, tally = found.open, found.tally
    for i in range(min(LANES, scenarios - block * LANES)):
        if certain <= score[i] <= guard:
            if tally[0] < len(opened):
                opened[tally[0], 0] = row
                opened[tally[0], 1] = block * LANES + i
            tally[0] += 1
