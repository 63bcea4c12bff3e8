"""Means over time of what pools say, round by round.

What a mean was before the start it is taken to have been for as long as it looks back: only
differences from there are added up, so that a mean whose pool stays does not move. Three rules, by
the kind of pool that is read:

* A constant product pair: the mean of a fixed window, as in `ExampleOracleSimple` of npm
  @uniswap/v2-periphery 1.1.0-beta.0. Somebody has to close a window; it is taken to begin at the
  start, and to be closed in the first round in which it has passed. Cut to the quote's base units.
* A pool of ranges: the price at the mean tick of the last seconds, which `OracleLibrary` of npm
  @uniswap/v3-periphery 1.4.4 rounds to minus infinity. Cut to the quote's base units.
* Anything else: the arithmetic mean of the last seconds, not cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy import floor

from defirisk.contagion.cascade.ticks import price_at, tick_at
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.evaluation import SAME
from defirisk.core.quote import Spot, Twap, exact

ROLLING, CLOSED, TICKS = range(3)
PART, MEAN, STARTED, SAID, LAST = range(5)
BASIS = 5
"""Columns of `basis`. At the start: the part's value, the mean (base units of the quote, whole
tokens where nothing is cut, a tick of pools of ranges), the part's tick, the mean's value as a
leaf. `LAST` is the column of the history at which a fixed window was closed last.
"""


class Means(NamedTuple):
    """One row for each mean of the compiled programs.

    `program` is that of the part. `grain` is base units of the quote to the whole token, 0 where
    nothing is cut, `base` that of the base token. `second`: 1 where the base is the
    pool's token 1.
    """

    rule: Ints  # (T,)
    program: Ints  # (T,)
    window: Floats  # (T,), seconds
    grain: Floats  # (T,)
    base: Floats  # (T,)
    second: Ints  # (T,)


def mean_table(book: Book, means: Sequence[Twap], first_program: int) -> Means:
    """The means in the order of their leaves; the program of the first one's part is given."""
    rules, grains, bases, seconds = [], [], [], []
    for mean in means:
        rule, grain, base, second = ROLLING, 0.0, 1.0, 0
        spot = mean.part
        venue = book.sources.venues.get(spot.venue) if isinstance(spot, Spot) else None
        if isinstance(spot, Spot) and venue is not None:
            i, j = venue.place(spot.base), venue.place(spot.quote)
            if venue.kind in ("constant-product", "concentrated"):
                rule = CLOSED if venue.kind == "constant-product" else TICKS
                grain, base = float(10 ** venue.decimals[j]), float(10 ** venue.decimals[i])
                second = int(i > j)
        rules.append(rule)
        grains.append(grain)
        bases.append(base)
        seconds.append(second)
    return Means(
        rule=np.array(rules, dtype=np.int64),
        program=first_program + np.arange(len(means), dtype=np.int64),
        window=np.array([float(mean.window_seconds) for mean in means], dtype=np.float64),
        grain=np.array(grains, dtype=np.float64),
        base=np.array(bases, dtype=np.float64),
        second=np.array(seconds, dtype=np.int64),
    )


def opened(means: Means, t: int, mean: Twap, powers: Floats, part: float, row: Floats) -> float:
    """The mean's value at the start where its part's is `part`; fills its row of `basis`.

    Where the part stays, today's. Where it moved, it has been there for the whole window.
    """
    now = exact(mean.part)
    row[PART] = part
    if now is None or now == 0 or mean.value is None:
        row[MEAN] = row[SAID] = np.nan
        return float("nan")
    tick = int(means.rule[t]) == TICKS
    grain = float(means.grain[t]) or 1.0
    row[STARTED] = tick_of(means, t, powers, part) if tick else np.nan
    if abs(part - float(now)) <= SAME * abs(float(now)):
        value = float(mean.value)
        row[MEAN] = float(mean.value * int(grain))
        if tick:
            row[MEAN] = _nearest_tick(means, t, powers, value)
    else:
        row[MEAN] = row[STARTED] if tick else part * grain
        value = mean_value(means, t, powers, float(row[MEAN]))
    row[SAID] = value
    return value


def _nearest_tick(means: Means, t: int, powers: Floats, value: float) -> float:
    """The tick whose price this is, cut to base units."""
    middle = 1.00005 if means.second[t] == 0 else 1 / 1.00005
    return tick_of(means, t, powers, value * middle)


def tick_of(means: Means, t: int, powers: Floats, value: float) -> float:
    """Kernel. The tick of a pool in which a whole base token is worth `value` in quote tokens."""
    price = value * means.grain[t] / means.base[t]
    if means.second[t] == 1:
        price = np.inf if price == 0.0 else 1.0 / price
    return tick_at(powers, price)


def mean_value(means: Means, t: int, powers: Floats, mean: float) -> float:
    """Kernel. The leaf's value where the mean is `mean`, in the unit of `MEAN`."""
    if means.rule[t] == TICKS:
        price = price_at(powers, mean)
        worth = means.base[t] / price if means.second[t] == 1 else means.base[t] * price
        return float(floor(worth) / means.grain[t])
    if means.grain[t] > 0.0:
        return float(floor(mean) / means.grain[t])
    return mean


def off(means: Means, t: int, powers: Floats, basis: Floats, part: float) -> float:
    """Kernel. How far the part is now from the mean at the start, in the unit of `MEAN`."""
    if part == basis[t, PART]:
        return 0.0
    if means.rule[t] == TICKS:
        return tick_of(means, t, powers, part) - float(basis[t, STARTED])
    if basis[t, PART] == 0.0:
        return part * (means.grain[t] if means.grain[t] > 0.0 else 1.0) - float(basis[t, MEAN])
    return float(basis[t, MEAN] * (part / basis[t, PART]) - basis[t, MEAN])


def summed(history: Floats, t: int, column: int, second: float) -> float:
    """Kernel. What had been added up by a second after the start; 0 before it.

    `column` is the latest one of `history`, whose last row is the clock.
    """
    clock = len(history) - 1
    if second <= 0.0:
        return 0.0
    later = column
    while later > 0 and history[clock, later - 1] >= second:
        later -= 1
    before = later - 1
    whole = history[clock, later] - history[clock, before]
    rise = history[t, later] - history[t, before]
    return float(history[t, before] + rise * (second - history[clock, before]) / whole)


def moved_mean(
    means: Means,
    t: int,
    powers: Floats,
    basis: Floats,
    history: Floats,
    column: int,
    part: float,
    said: float,
) -> float:
    """Kernel. The leaf's value after its part was `part` for the seconds since the column before.

    `said` is its value until now; fills column `column` of the history, whose clock is set.
    """
    clock = len(history) - 1
    now = float(history[clock, column])
    passed = now - float(history[clock, column - 1])
    away = off(means, t, powers, basis, part)
    history[t, column] = history[t, column - 1] + away * passed
    window = float(means.window[t])
    if means.rule[t] == CLOSED:
        last = int(basis[t, LAST])
        elapsed = now - float(history[clock, last])
        if elapsed < window or elapsed == 0.0:
            return said
        mean = float(history[t, column] - history[t, last]) / elapsed
        basis[t, LAST] = float(column)
    elif window > 0.0:
        mean = float(history[t, column] - summed(history, t, column, now - window)) / window
    else:
        mean = away
    if mean == 0.0:
        return float(basis[t, SAID])
    if means.rule[t] == TICKS:
        mean = float(floor(mean))
    return mean_value(means, t, powers, float(basis[t, MEAN]) + mean)


KERNELS = (tick_of, mean_value, off, summed, moved_mean)
