"""A quote's value over many scenarios at once, in float64.

Exact values are in `core.quote`; what floating point may round away is said here.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from defirisk.core.quote import (
    Clamp,
    Cut,
    Leaf,
    Median,
    Product,
    Program,
    Ratio,
    Sum,
    Twap,
    exact,
    parts,
)

Floats = npt.NDArray[np.float64]

SAME = 1e-12
"""Values that differ by less, relatively, did not move: floats round."""

WHOLE = 2.0**53
"""From here on floats have nothing behind the point."""

NEARLY = 2.0**-48
"""What is below a whole number by less, relatively, is that number: floats round."""


def evaluate(program: Program, read: Callable[[Leaf], Floats]) -> Floats:
    """The program's value over scenarios, shape (S,), NaN where it is unknown.

    `read` gives a leaf's values likewise. A mean over time that no scenario moves is what it is
    today; one that moves is supposed to have moved for its whole window.
    """
    if isinstance(program, Leaf):
        return read(program)
    if isinstance(program, Twap):
        return _mean(program, read)
    values = [evaluate(part, read) for part in parts(program)]
    with np.errstate(divide="ignore", invalid="ignore"):
        return _combined(program, values)


def _combined(program: Program, values: list[Floats]) -> Floats:
    match program:
        case Product():
            return np.asarray(np.prod(values, axis=0), dtype=np.float64)
        case Sum():
            return np.asarray(np.sum(values, axis=0), dtype=np.float64)
        case Ratio():
            top, bottom = values
            return np.where(bottom == 0, np.nan, top / bottom)
        case Median():
            return np.asarray(np.median(values, axis=0), dtype=np.float64)
        case Clamp(low=low, high=high):
            value = values[0] if high is None else np.minimum(values[0], float(high))
            return value if low is None else np.maximum(value, float(low))
        case Cut(decimals=decimals):
            return _cut(values[0], float(10**decimals))
        case _:
            return np.sqrt(values[0])


def _cut(value: Floats, scale: float) -> Floats:
    """Down to a whole number of `scale`-ths: floats that are nearly one were rounded."""
    parts = value * scale
    upper = np.ceil(parts)
    whole = np.where(upper - parts <= NEARLY * np.abs(parts), upper, np.floor(parts))
    return np.where(np.abs(parts) < WHOLE, whole / scale, value)


def _mean(program: Twap, read: Callable[[Leaf], Floats]) -> Floats:
    """Today's mean, moved by as much as the part moves from its value today."""
    now = exact(program.part)
    if now is None or now == 0 or program.value is None:
        return evaluate(program.part, read) * np.nan
    moved = evaluate(program.part, read)
    stays = np.abs(moved - float(now)) <= SAME * abs(float(now))
    return np.where(stays, float(program.value), moved)
