"""Where a quantity that falls as more is sold reaches a value, for many values at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import elementwise

from defirisk.core.depth import Floats

DOUBLINGS = 400
FINEST = 1e-26
"""Amounts closer than this are the same: far less than a base unit of a token of 18 decimals."""


def amount_where(falling: Callable[[Floats], Floats], target: Floats) -> Floats:
    """The amount at which `falling` (of an amount, elementwise) comes down to `target`, same shape.

    0 where it is there from the beginning, inf where it never gets there, NaN where either is NaN.
    Where it jumps past the target, the amount is just behind the jump.
    """
    target = np.asarray(target, dtype=np.float64)
    start = falling(np.zeros_like(target))
    high = np.ones_like(target)
    sought = (start > target) & (target > 0)
    for _ in range(DOUBLINGS):
        above = sought & (falling(high) > target)
        if not above.any():
            break
        high[above] *= 2
    never = (target <= 0) | (sought & (falling(high) > target))
    amount = np.where(never, np.inf, np.where(np.isnan(start + target), np.nan, 0.0))
    inside = sought & ~never
    if inside.any():
        amount[inside] = _root(falling, target[inside], high[inside])
    return amount


def _root(falling: Callable[[Floats], Floats], target: Floats, high: Floats) -> Floats:
    def above(amount: Floats, value: Floats) -> Floats:
        return falling(amount) - value

    low = np.where(high > 1, high / 2, 0.0)
    found = elementwise.find_root(
        above,
        (low, high),
        args=(target,),
        tolerances={"xatol": FINEST, "xrtol": 1e-15, "fatol": 0.0, "frtol": 0.0},
    )
    behind = np.maximum(*found.bracket)
    return np.asarray(np.where(found.f_x <= 0, found.x, behind), dtype=np.float64)
