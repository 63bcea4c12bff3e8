"""Ticks in floats, by products alone: price = 1.0001 ** tick. Exact twin: `swaps.tick_math`.

Every power is a product of those of the tick's bits, which were rounded once each: within 3e-15 of
the truth, and the same on every machine (no exponential, no logarithm).
"""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np

from defirisk.core.book import Floats
from defirisk.swaps.tick_math import MAX_TICK, MIN_TICK

BITS = 20
DIGITS = 80
EDGE = 1e-14
"""A price this close to a tick's own is at the tick."""

LOWEST, HIGHEST = float(MIN_TICK), float(MAX_TICK)


def tick_powers() -> Floats:
    """1.0001 ** (2 ** i) for every bit of a tick, each rounded once, shape (20,)."""
    with localcontext(prec=DIGITS):
        power, found = Decimal("1.0001"), []
        for _ in range(BITS):
            found.append(float(power))
            power *= power
    return np.array(found, dtype=np.float64)


def price_at(powers: Floats, tick: float) -> float:
    """Kernel. Base units of token 1 per base unit of token 0 at a whole tick; NaN of NaN."""
    if math.isnan(tick):
        return math.nan
    rest, price = int(abs(tick)), 1.0
    for bit in range(BITS):
        if rest & (1 << bit):
            price *= powers[bit]
    return price if tick >= 0.0 else 1.0 / price


def tick_at(powers: Floats, price: float) -> float:
    """Kernel. The largest whole tick whose price is not above this one, NaN of NaN; prices beyond
    every tick have the outermost one.
    """
    if math.isnan(price):
        return math.nan
    if price <= 0.0:
        return LOWEST
    if price == math.inf:
        return HIGHEST
    rest = price if price >= 1.0 else 1.0 / price
    tick = 0.0
    for k in range(BITS):
        bit = BITS - 1 - k
        if rest >= powers[bit]:
            rest /= powers[bit]
            tick += float(1 << bit)
    if rest >= powers[0] * (1.0 - EDGE):
        rest, tick = 1.0, tick + 1.0
    if price < 1.0:
        tick = -tick if rest <= 1.0 + EDGE else -tick - 1.0
    return max(LOWEST, min(HIGHEST, tick))


KERNELS = (price_at, tick_at)
