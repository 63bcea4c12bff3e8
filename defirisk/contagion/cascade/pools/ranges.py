"""Ranges of liquidity with state: kernel functions. Exact twin: `swaps.concentrated`.

Every step of a swap rounds to whole base units, and ends at an initialised tick or at the edge of a
word of the bitmap; so do these. Where liquidity is nil the price runs on to where there is some.
"""

from __future__ import annotations

import math

from numpy import ceil, floor

from defirisk.contagion.cascade.pools.columns import (
    ABOVE,
    BEHIND,
    BELOW,
    DEPTH,
    DOWN,
    FEE,
    FIRST,
    LIQUIDITY,
    LOWER,
    OFFSET,
    RANGE,
    ROOT,
    UP,
    UPPER,
    WHOLE,
    WIDTH,
    Pools,
)
from defirisk.core.book import Floats

Q96 = 2.0**96
"""Square roots of prices move in steps of one part of it."""


def place_in_ranges(p: Pools, state: Floats, v: int, row: int, offset: float) -> None:
    """Puts the price `offset` above the lower end of a row."""
    state[v, RANGE] = row
    state[v, OFFSET] = offset
    state[v, ROOT] = p.ranges[row, LOWER] + offset


def sale_down(p: Pools, state: Floats, v: int, amount: float, moves: bool) -> tuple[float, float]:
    """Sold and received for token 0. Moves the state if told."""
    fee, whole, depth = p.numbers[v, FEE], p.numbers[v, WHOLE], state[v, DEPTH]
    row, offset = int(state[v, RANGE]), state[v, OFFSET]
    remaining, received = amount, 0.0
    while remaining > 0.0 and not (row == p.facts[v, FIRST] and offset <= 0.0):
        stop = int(p.ranges[row, DOWN])
        liquidity = p.ranges[row, LIQUIDITY] * depth
        root, distance = p.ranges[row, LOWER] + offset, offset + p.ranges[row, BELOW]
        needed = ceil(liquidity * distance / (root * p.ranges[stop, LOWER]))
        net = floor(remaining * (whole - fee) / whole)
        if net >= needed:
            remaining = max(remaining - (needed + ceil(needed * fee / (whole - fee))), 0.0)
            received += floor(liquidity * distance)
            row, offset = stop, 0.0
            if stop > p.facts[v, FIRST]:
                row, offset = stop - 1, p.ranges[stop - 1, WIDTH]
        else:
            fall = floor(net * root * (root / (liquidity + net * root)) * Q96) / Q96
            received += floor(liquidity * fall)
            offset -= fall
            while offset < 0.0 and row > stop:
                row -= 1
                offset += p.ranges[row, WIDTH]
            offset = max(offset, 0.0)
            remaining = 0.0
    if moves:
        place_in_ranges(p, state, v, row, offset)
    return amount - remaining, received


def sale_up(p: Pools, state: Floats, v: int, amount: float, moves: bool) -> tuple[float, float]:
    """Sold and received for token 1. Moves the state if told."""
    fee, whole, depth = p.numbers[v, FEE], p.numbers[v, WHOLE], state[v, DEPTH]
    row, offset = int(state[v, RANGE]), state[v, OFFSET]
    remaining, received = amount, 0.0
    while remaining > 0.0 and not (
        row == p.facts[v, BEHIND] - 1 and offset >= p.ranges[row, WIDTH]
    ):
        stop = int(p.ranges[row, UP])
        liquidity = p.ranges[row, LIQUIDITY] * depth
        root, distance = p.ranges[row, LOWER] + offset, p.ranges[row, WIDTH] - offset
        distance += p.ranges[row, ABOVE]
        needed = ceil(liquidity * distance)
        net = floor(remaining * (whole - fee) / whole)
        if net >= needed:
            remaining = max(remaining - (needed + ceil(needed * fee / (whole - fee))), 0.0)
            received += floor(liquidity * distance / (root * p.ranges[stop, UPPER]))
            row, offset = stop, p.ranges[stop, WIDTH]
            if stop < p.facts[v, BEHIND] - 1:
                row, offset = stop + 1, 0.0
        else:
            rise = floor(net / liquidity * Q96) / Q96
            received += floor(liquidity * rise / (root * (root + rise)))
            offset += rise
            while offset > p.ranges[row, WIDTH] and row < stop:
                offset -= p.ranges[row, WIDTH]
                row += 1
            offset = min(offset, p.ranges[row, WIDTH])
            remaining = 0.0
    if moves:
        place_in_ranges(p, state, v, row, offset)
    return amount - remaining, received


def fall_of_ranges(p: Pools, state: Floats, v: int, times: float) -> float:
    """Takes the root down to `times` < 1 of what it is, or to the end; returns what is sold."""
    fee, whole, depth = p.numbers[v, FEE], p.numbers[v, WHOLE], state[v, DEPTH]
    row, offset, sold = int(state[v, RANGE]), float(state[v, OFFSET]), 0.0
    left = state[v, ROOT] * (1.0 - times)
    while left > 0.0:
        stop = int(p.ranges[row, DOWN])
        root, distance = p.ranges[row, LOWER] + offset, offset + p.ranges[row, BELOW]
        ends = left < distance
        step = left if ends else distance
        liquidity = p.ranges[row, LIQUIDITY] * depth
        needed = ceil(liquidity * step / (root * (root - step)))
        sold += needed + ceil(needed * fee / (whole - fee))
        left -= step
        if ends:
            offset -= step
            while offset < 0.0 and row > stop:
                row -= 1
                offset += p.ranges[row, WIDTH]
            offset = max(offset, 0.0)
            left = 0.0
        elif stop == p.facts[v, FIRST]:
            row, offset, left = stop, 0.0, 0.0
        else:
            row, offset = stop - 1, float(p.ranges[stop - 1, WIDTH])
    place_in_ranges(p, state, v, row, offset)
    return sold


def rise_of_ranges(p: Pools, state: Floats, v: int, times: float) -> float:
    """Takes the root up to `times` > 1 of what it is, or to the end; returns what is sold."""
    fee, whole, depth = p.numbers[v, FEE], p.numbers[v, WHOLE], state[v, DEPTH]
    row, offset, sold = int(state[v, RANGE]), float(state[v, OFFSET]), 0.0
    left = state[v, ROOT] * (times - 1.0)
    while left > 0.0:
        stop = int(p.ranges[row, UP])
        distance = (p.ranges[row, WIDTH] - offset) + p.ranges[row, ABOVE]
        ends = left < distance
        step = left if ends else distance
        needed = ceil(p.ranges[row, LIQUIDITY] * depth * step)
        sold += needed + ceil(needed * fee / (whole - fee))
        left -= step
        if ends:
            offset += step
            while offset > p.ranges[row, WIDTH] and row < stop:
                offset -= p.ranges[row, WIDTH]
                row += 1
            offset = min(offset, float(p.ranges[row, WIDTH]))
            left = 0.0
        elif stop == p.facts[v, BEHIND] - 1:
            row, offset, left = stop, float(p.ranges[stop, WIDTH]), 0.0
        else:
            row, offset = stop + 1, 0.0
    place_in_ranges(p, state, v, row, offset)
    return sold


def amount_in_ranges(
    p: Pools,
    state: Floats,
    v: int,
    i: int,
    factor: float,
) -> float:
    """Sells token i until its price is `factor` < 1 times what it is, as a swap with a price limit
    does; returns what is sold. The price may end where there is no liquidity.
    """
    times = math.sqrt(factor)
    if i == 0:
        return fall_of_ranges(p, state, v, times)
    return rise_of_ranges(p, state, v, 1.0 / times)


def root_of_ranges(p: Pools, state: Floats, v: int, root: float) -> None:
    """Puts the price at a root, which is between the ends."""
    row = int(state[v, RANGE])
    while root < p.ranges[row, LOWER] and row > p.facts[v, FIRST]:
        row -= 1
    while root > p.ranges[row, UPPER] and row < p.facts[v, BEHIND] - 1:
        row += 1
    offset = min(max(root - p.ranges[row, LOWER], 0.0), p.ranges[row, WIDTH])
    place_in_ranges(p, state, v, row, offset)


KERNELS = (
    place_in_ranges,
    sale_down,
    sale_up,
    fall_of_ranges,
    rise_of_ranges,
    amount_in_ranges,
    root_of_ranges,
)
