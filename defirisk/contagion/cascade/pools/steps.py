"""Where the steps of a pool's swaps end, exact: initialised ticks, and edges of bitmap words.

Source: TickBitmap.nextInitializedTickWithinOneWord of @uniswap/v3-core 1.0.1; downwards a word ends
at its first tick, upwards at its last.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from defirisk.swaps.concentrated import Concentrated
from defirisk.swaps.tick_math import sqrt_ratio_at_tick

WORD = 256


@dataclass(frozen=True, slots=True)
class End:
    """An end of a row: its square-root price (Q64.96), and in which directions a step ends here."""

    ratio: int
    down: bool = True
    up: bool = True


@dataclass(frozen=True, slots=True)
class Course:
    """R rows of constant liquidity from the lowest price to the highest, between R + 1 ends; the
    pool's price is in row `at`.
    """

    ends: tuple[End, ...]
    liquidity: tuple[int, ...]
    at: int


def liquidities(pool: Concentrated) -> tuple[list[int], list[int]]:
    """The initialised ticks between the pool's ends, and the liquidity below, between and above."""
    low, high = pool.end(True), pool.end(False)
    inside = [place for place, at in enumerate(pool.ticks) if low < sqrt_ratio_at_tick(at) < high]
    ticks = [pool.ticks[place] for place in inside]
    nets = [pool.liquidity_net[place] for place in inside]
    here = bisect_right(ticks, pool.tick)
    liquidity = [pool.liquidity]
    for net in reversed(nets[:here]):
        liquidity.insert(0, liquidity[0] - net)
    for net in nets[here:]:
        liquidity.append(liquidity[-1] + net)
    return ticks, liquidity


def course(pool: Concentrated) -> Course:
    """The pool's rows. Words are only told apart where there is liquidity to round."""
    ticks, liquidity = liquidities(pool)
    between = [pool.known[0], *ticks, pool.known[1]]
    ends, rows, at = [End(pool.end(True))], [], 0
    for place, there in enumerate(liquidity):
        for edge in _edges(between[place], between[place + 1], pool.tick_spacing) if there else ():
            down = edge // pool.tick_spacing % WORD == 0
            at += edge <= pool.tick
            ends.append(End(sqrt_ratio_at_tick(edge), down, not down))
            rows.append(there)
        rows.append(there)
        if place < len(ticks):
            at += ticks[place] <= pool.tick
            ends.append(End(sqrt_ratio_at_tick(ticks[place])))
    ends.append(End(pool.end(False)))
    return Course(tuple(ends), tuple(rows), at)


def _edges(low: int, high: int, spacing: int) -> list[int]:
    """First and last ticks of words, strictly between two ticks, ascending."""
    word = WORD * spacing
    first = range((low // word + 1) * word, high, word)
    last = range((low // word) * word + (WORD - 1) * spacing, high, word)
    return sorted([*first, *(edge for edge in last if edge > low)])
