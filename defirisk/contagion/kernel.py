"""The compiled sweep over units and scenarios. Only numba reads this file's functions.

64 scenarios are the lanes of a block, 16 blocks a sweep, 1024 rows a tile that stays in the cache
while all blocks pass over it. A block's lowest and highest prices bound a row's margin: rows that
are safe at those are not looked at. No fast-math: every operation is done as written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

from defirisk.contagion.signed import WIDER, SignedRows
from defirisk.core.book import Floats, Ints

F = TypeVar("F", bound=Callable[..., object])

LANES = 64
BLOCKS = 16
WIDTH = LANES * BLOCKS
TILE = 1024


class Prices(NamedTuple):
    """Prices of quotes by lane, and their bounds by block. All positive."""

    oracle: Floats  # (BLOCKS, Q, LANES)
    market: Floats  # (BLOCKS, Q, LANES)
    low: Floats  # (Q, BLOCKS), lowest oracle price of a block
    high: Floats  # (Q, BLOCKS)
    grain: Floats  # (Q,), the contract's rounding of a balance at the highest price of all


class Found(NamedTuple):
    """What a sweep adds up, by lane, and what it leaves to others."""

    debt: Floats  # (BLOCKS, Q, LANES), units of quotes
    collateral: Floats  # (BLOCKS, Q, LANES)
    accounts: Floats  # (BLOCKS, D, LANES)
    bad_debt: Floats  # (BLOCKS, D, LANES), USD
    near: Ints  # (K, 2), row and lane of decisions that are left open
    count: Ints  # (2,), how many those are, which may be more than K; blocks evaluated


def inlined(function: F) -> F:
    return cast(F, njit(function, inline="always", error_model="numpy"))


def compiled(function: F) -> F:
    """Compiled on its first call; kept on disk where there is a place for it."""
    try:
        kept = njit(function, cache=True, nogil=True, error_model="numpy")
    except RuntimeError:  # nowhere to write
        kept = njit(function, nogil=True, error_model="numpy")
    return cast(F, kept)


@compiled
def sweep(rows: SignedRows, prices: Prices, found: Found, lanes: int) -> None:
    """Adds up all rows in the first `lanes` scenarios."""
    size = len(rows.pledged)
    blocks = (lanes + LANES - 1) // LANES
    guard = np.empty(TILE)
    active = np.empty((BLOCKS, TILE), np.uint32)
    count = np.empty(BLOCKS, np.int64)
    score = np.empty(LANES)
    for start in range(0, size, TILE):
        stop = min(start + TILE, size)
        bound(rows, prices, start, stop, guard, active, count)
        for block in range(blocks):
            found.count[1] += count[block]
            for j in range(count[block]):
                row = start + np.int64(active[block, j])
                evaluate(rows, prices, found, row, block, guard[row - start], lanes, score)


@compiled
def bound(
    rows: SignedRows,
    prices: Prices,
    start: int,
    stop: int,
    guard: Floats,
    active: npt.NDArray[np.uint32],
    count: Ints,
) -> None:
    """Lists, by block, the rows that the block's extreme prices do not prove safe."""
    margin = np.empty(BLOCKS)
    count[:] = 0
    for row in range(start, stop):
        first, last = np.int64(rows.first[row]), np.int64(rows.first[row + 1])
        owes = first + np.int64(rows.pledged[row])
        rest = owes + np.int64(rows.owed[row])
        rounding = rows.guard[row]
        for k in range(first, last):
            rounding += prices.grain[np.int64(rows.quote[k])]
        rounding *= 1 + 1e-6
        guard[row - start] = rounding
        for b in range(BLOCKS):
            margin[b] = -rounding
        for k in range(first, owes):
            quote, weight = np.int64(rows.quote[k]), rows.weight[k]
            for b in range(BLOCKS):
                margin[b] += weight * prices.low[quote, b]
        for k in range(owes, rest):
            quote, weight = np.int64(rows.quote[k]), rows.weight[k]
            for b in range(BLOCKS):
                margin[b] += weight * prices.high[quote, b]
        for b in range(BLOCKS):
            active[b, count[b]] = row - start
            count[b] += 0 if margin[b] > 0 else 1


@inlined
def evaluate(
    rows: SignedRows,
    prices: Prices,
    found: Found,
    row: int,
    block: int,
    guard: float,
    lanes: int,
    score: Floats,
) -> None:
    """One row in one block: who is liquidatable for certain, and where that is left open."""
    first = np.int64(rows.first[row])
    owes = first + np.int64(rows.pledged[row])
    rest = owes + np.int64(rows.owed[row])
    weigh(rows.quote, rows.weight, first, rest, prices.oracle, block, score)
    hits = 0
    for i in range(LANES):
        hits += 1 if score[i] <= guard else 0
    if hits == 0:
        return
    # The score is the margin less its edge: twice the edge below zero is certain.
    owed = 0.0
    for k in range(owes, rest):
        owed -= rows.weight[k] * prices.high[np.int64(rows.quote[k]), block]
    certain = guard - 2 * (1 + 1e-6) * (WIDER * owed + guard)
    sure = 0
    for i in range(LANES):
        sure += 1 if score[i] < certain else 0
    if sure < hits:
        leave(found, row, block, lanes, certain, guard, score)
    if sure == 0:
        return
    for i in range(LANES):
        score[i] = 1.0 if score[i] < certain else 0.0
    add(rows, prices, found, row, block, score)


@compiled
def leave(
    found: Found, row: int, block: int, lanes: int, certain: float, guard: float, score: Floats
) -> None:
    """Notes the lanes that are neither safe nor certain."""
    lane = block * LANES
    for i in range(min(LANES, lanes - lane)):
        if score[i] <= guard and not score[i] < certain:
            if found.count[0] < len(found.near):
                found.near[found.count[0], 0] = row
                found.near[found.count[0], 1] = lane + i
            found.count[0] += 1


@inlined
def add(
    rows: SignedRows, prices: Prices, found: Found, row: int, block: int, mask: Floats
) -> None:
    """Adds a row where the mask is 1."""
    first = np.int64(rows.first[row])
    owes = first + np.int64(rows.pledged[row])
    rest = owes + np.int64(rows.owed[row])
    deployment = np.int64(rows.deployment[row])
    for i in range(LANES):
        found.accounts[block, deployment, i] += mask[i]
    for k in range(first, owes):
        quote, amount = np.int64(rows.quote[k]), rows.amount[k]
        for i in range(LANES):
            found.collateral[block, quote, i] -= amount * mask[i]
    for k in range(owes, rest):
        quote, amount = np.int64(rows.quote[k]), rows.amount[k]
        for i in range(LANES):
            found.debt[block, quote, i] += amount * mask[i]
    uncovered = np.empty(LANES)
    weigh(rows.quote, rows.amount, first, rest, prices.market, block, uncovered)
    for i in range(LANES):
        lost = uncovered[i] * mask[i]
        found.bad_debt[block, deployment, i] += lost if lost > 0 else 0.0


@inlined
def weigh(
    quotes: npt.NDArray[np.uint32],
    weights: Floats,
    first: int,
    last: int,
    prices: Floats,
    block: int,
    out: Floats,
) -> None:
    """out[i] = the sum of weights times prices of quotes in lane i, at least two terms at a time."""
    k = first
    if last - k == 1:
        q0, w0 = np.int64(quotes[k]), weights[k]
        for i in range(LANES):
            out[i] = w0 * prices[block, q0, i]
        return
    if last - k == 2:
        q0, w0 = np.int64(quotes[k]), weights[k]
        q1, w1 = np.int64(quotes[k + 1]), weights[k + 1]
        for i in range(LANES):
            out[i] = w0 * prices[block, q0, i] + w1 * prices[block, q1, i]
        return
    q0, w0 = np.int64(quotes[k]), weights[k]
    q1, w1 = np.int64(quotes[k + 1]), weights[k + 1]
    q2, w2 = np.int64(quotes[k + 2]), weights[k + 2]
    for i in range(LANES):
        out[i] = w0 * prices[block, q0, i] + w1 * prices[block, q1, i] + w2 * prices[block, q2, i]
    k += 3
    while last - k >= 2:
        q0, w0 = np.int64(quotes[k]), weights[k]
        q1, w1 = np.int64(quotes[k + 1]), weights[k + 1]
        for i in range(LANES):
            out[i] += w0 * prices[block, q0, i] + w1 * prices[block, q1, i]
        k += 2
    if last - k == 1:
        q0, w0 = np.int64(quotes[k]), weights[k]
        for i in range(LANES):
            out[i] += w0 * prices[block, q0, i]
