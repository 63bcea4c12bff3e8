"""The compiled sweep over units and scenarios: arithmetic on plain arrays, and nothing else.

64 scenarios are the lanes of a block, 16 blocks a sweep, 1024 rows a tile that stays in the cache
while all blocks pass over it. The lowest and highest prices of a block bound a row's margin: rows
that are safe even at those are not looked at. No fast-math: every operation is done as written.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from defirisk.contagion.jit import compiled, inner
from defirisk.contagion.signed import SLACK, WIDER, SignedRows, Words
from defirisk.core.book import Floats, Ints

Index = int | np.signedinteger
LANES = 64
BLOCKS = 16
WIDTH = LANES * BLOCKS
TILE = 1024
FEW = 6
"""Up to so many liquidatable lanes are cheaper one by one than all 64 at once."""


class Prices(NamedTuple):
    """Positive prices of columns by block and lane, and their bounds."""

    oracle: Floats  # (BLOCKS, C, LANES)
    market: Floats  # (BLOCKS, C, LANES)
    low: Floats  # (C, BLOCKS), lowest oracle price of a block
    high: Floats  # (C, BLOCKS)
    grain: Floats  # (C + Q,), the contract's rounding of a balance at the highest price of all


class Found(NamedTuple):
    """What a sweep adds up, and the decisions that it leaves open."""

    amount: Floats  # (BLOCKS, C, LANES), units of quotes
    accounts: Floats  # (BLOCKS, D, LANES)
    bad_debt: Floats  # (BLOCKS, D, LANES), USD
    open: Ints  # (K, 2), row and scenario
    tally: Ints  # (2,), open decisions, perhaps more than K; blocks of a row that were evaluated


class Tile(NamedTuple):
    """Working memory: which rows of a tile are to be evaluated, and one row's lanes."""

    guard: Floats  # (TILE,), what the contract's rounding may amount to, at most
    active: Words  # (BLOCKS, TILE), rows of the tile that may be liquidatable in a block
    length: Ints  # (BLOCKS,), how many those are
    margin: Floats  # (BLOCKS,)
    score: Floats  # (LANES,)
    uncovered: Floats  # (LANES,)


def workspace() -> Tile:
    """Memory for one sweep."""
    return Tile(
        guard=np.empty(TILE),
        active=np.empty((BLOCKS, TILE), dtype=np.uint32),
        length=np.zeros(BLOCKS, dtype=np.int64),
        margin=np.empty(BLOCKS),
        score=np.empty(LANES),
        uncovered=np.empty(LANES),
    )


@inner
def weigh(
    columns: Words,
    weights: Floats,
    first: Index,
    last: Index,
    prices: Floats,
    block: int,
    out: Floats,
) -> None:
    """Weights times prices of the terms from first to last, by lane; there is at least one."""
    if last - first == 1:
        c0, w0 = np.int64(columns[first]), weights[first]
        for i in range(LANES):
            out[i] = w0 * prices[block, c0, i]
    elif last - first == 2:
        c0, w0 = np.int64(columns[first]), weights[first]
        c1, w1 = np.int64(columns[first + 1]), weights[first + 1]
        for i in range(LANES):
            out[i] = w0 * prices[block, c0, i] + w1 * prices[block, c1, i]
    elif last - first == 3:
        c0, w0 = np.int64(columns[first]), weights[first]
        c1, w1 = np.int64(columns[first + 1]), weights[first + 1]
        c2, w2 = np.int64(columns[first + 2]), weights[first + 2]
        for i in range(LANES):
            out[i] = (
                w0 * prices[block, c0, i] + w1 * prices[block, c1, i] + w2 * prices[block, c2, i]
            )
    else:
        c0, w0 = np.int64(columns[first]), weights[first]
        c1, w1 = np.int64(columns[first + 1]), weights[first + 1]
        c2, w2 = np.int64(columns[first + 2]), weights[first + 2]
        c3, w3 = np.int64(columns[first + 3]), weights[first + 3]
        for i in range(LANES):
            out[i] = (
                w0 * prices[block, c0, i]
                + w1 * prices[block, c1, i]
                + w2 * prices[block, c2, i]
                + w3 * prices[block, c3, i]
            )
    k = first + 4
    while last - k >= 2:
        c0, w0 = np.int64(columns[k]), weights[k]
        c1, w1 = np.int64(columns[k + 1]), weights[k + 1]
        for i in range(LANES):
            out[i] += w0 * prices[block, c0, i] + w1 * prices[block, c1, i]
        k += 2
    if last - k == 1:
        c0, w0 = np.int64(columns[k]), weights[k]
        for i in range(LANES):
            out[i] += w0 * prices[block, c0, i]


@compiled
def sweep(rows: SignedRows, prices: Prices, found: Found, tile: Tile, scenarios: int) -> None:
    """Adds up all rows in the first `scenarios` lanes."""
    size = len(rows.pledged)
    for start in range(0, size, TILE):
        bound(rows, prices, tile, start, min(start + TILE, size))
        for block in range((scenarios + LANES - 1) // LANES):
            strike(rows, prices, found, tile, start, block, scenarios)


@inner
def bound(rows: SignedRows, prices: Prices, tile: Tile, start: int, stop: int) -> None:
    """Lists, by block, the rows that the block's extreme prices do not prove safe."""
    columns, weights = rows.column, rows.weight
    firsts, pledged, owed, guards = rows.first, rows.pledged, rows.owed, rows.guard
    low, high, grain = prices.low, prices.high, prices.grain
    guard, active, length, margin = tile.guard, tile.active, tile.length, tile.margin
    for b in range(BLOCKS):
        length[b] = 0
    for row in range(start, stop):
        first, last = np.int64(firsts[row]), np.int64(firsts[row + 1])
        owes = first + np.int64(pledged[row])
        rest = owes + np.int64(owed[row])
        rounding = guards[row]
        for k in range(first, last):
            rounding += grain[np.int64(columns[k])]
        rounding *= 1 + SLACK
        guard[row - start] = rounding
        for b in range(BLOCKS):
            margin[b] = -rounding
        for k in range(first, owes):
            column, weight = np.int64(columns[k]), weights[k]
            for b in range(BLOCKS):
                margin[b] += weight * low[column, b]
        for k in range(owes, rest):
            column, weight = np.int64(columns[k]), weights[k]
            for b in range(BLOCKS):
                margin[b] += weight * high[column, b]
        for b in range(BLOCKS):
            active[b, length[b]] = row - start
            length[b] += 0 if margin[b] > 0 else 1


@inner
def strike(
    rows: SignedRows,
    prices: Prices,
    found: Found,
    tile: Tile,
    start: int,
    block: int,
    scenarios: int,
) -> None:
    """Evaluates a tile's active rows in one block, and adds those that are liquidatable."""
    columns, weights, amounts = rows.column, rows.weight, rows.amount
    firsts, pledged, owed, deployments = rows.first, rows.pledged, rows.owed, rows.deployment
    oracle, market, high = prices.oracle, prices.market, prices.high
    added, accounts, bad_debt = found.amount, found.accounts, found.bad_debt
    guards, active, score, uncovered = tile.guard, tile.active, tile.score, tile.uncovered
    # One long function: handing all these arrays to a second one costs more than its work.
    for j in range(tile.length[block]):
        row = start + np.int64(active[block, j])
        guard = guards[row - start]
        first = np.int64(firsts[row])
        owes = first + np.int64(pledged[row])
        rest = owes + np.int64(owed[row])
        weigh(columns, weights, first, rest, oracle, block, score)
        hits = 0
        for i in range(LANES):
            hits += 1 if score[i] <= guard else 0
        if hits == 0:
            continue
        # A score is a margin less its edge, so one of twice the edge below zero is certain.
        edge = guard
        for k in range(owes, rest):
            edge -= WIDER * weights[k] * high[np.int64(columns[k]), block]
        certain = guard - 2 * (1 + SLACK) * edge
        sure = 0
        for i in range(LANES):
            sure += 1 if score[i] < certain else 0
        if sure < hits:
            leave(found, row, block, scenarios, certain, guard, score)
        deployment = np.int64(deployments[row])
        if sure > FEW:
            for i in range(LANES):
                score[i] = 1.0 if score[i] < certain else 0.0
            weigh(columns, amounts, first, rest, market, block, uncovered)
            for i in range(LANES):
                lost = uncovered[i] * score[i]
                bad_debt[block, deployment, i] += lost if lost > 0 else 0.0
            for i in range(LANES):
                accounts[block, deployment, i] += score[i]
            for k in range(first, rest):
                column, amount = np.int64(columns[k]), abs(amounts[k])
                for i in range(LANES):
                    added[block, column, i] += amount * score[i]
        elif sure > 0:
            for i in range(LANES):
                if score[i] < certain:
                    lost = 0.0
                    for k in range(first, rest):
                        column, amount = np.int64(columns[k]), amounts[k]
                        lost += amount * market[block, column, i]
                        added[block, column, i] += abs(amount)
                    accounts[block, deployment, i] += 1
                    bad_debt[block, deployment, i] += max(lost, 0.0)
    found.tally[1] += tile.length[block]


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
