"""The best of one number: a coarse look over its whole range, then a fine one around the best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log

COARSE = 48
FINE = 40
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class Peak:
    """The best move, what it gives, and everything that was tried in the coarse look."""

    at: float
    value: float
    tried: tuple[tuple[float, float], ...]


def best_move(value: Callable[[float], float], largest: float) -> Peak:
    """The move between 1 and `largest` of the highest value, geometric in the size of the move.

    Golden-section search between the neighbours of the best coarse point: the value must have one
    peak there. NaN and minus infinity are never the best.
    """
    xs = [log(largest) * (number / COARSE) ** 1.5 for number in range(COARSE + 1)]
    tried = [(exp(x), _known(value(exp(x)))) for x in xs]
    best = max(range(len(xs)), key=lambda number: tried[number][1])
    low, high = xs[max(best - 1, 0)], xs[min(best + 1, COARSE)]
    found = max(tried[best], _golden(value, low, high), key=lambda one: one[1])
    return Peak(found[0], found[1], tuple(tried))


def _golden(value: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    first, second = _known(value(exp(left))), _known(value(exp(right)))
    for _ in range(FINE):
        if first >= second:
            high, right, second = right, left, first
            left = high - _GOLDEN * (high - low)
            first = _known(value(exp(left)))
        else:
            low, left, first = left, right, second
            right = low + _GOLDEN * (high - low)
            second = _known(value(exp(right)))
    return (exp(left), first) if first >= second else (exp(right), second)


def _known(value: float) -> float:
    return value if value == value else float("-inf")
