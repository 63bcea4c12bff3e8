"""Prices that are means over a window, after a pool was elsewhere for a part of it.

Sources: notes on Uniswap v2 and v3 oracles; a v2 mean is arithmetic over the prices, a v3 mean is
geometric (arithmetic over ticks, OracleLibrary.consult of @uniswap/v3-periphery 1.4.4).
"""

from __future__ import annotations

from fractions import Fraction

from defirisk.core.errors import CheckFailed
from defirisk.core.quote import Spot, Twap
from defirisk.core.venue import Venue
from defirisk.manipulation.push import Push
from defirisk.swaps.concentrated import Concentrated
from defirisk.swaps.tick_math import sqrt_ratio_at_tick
from defirisk.swaps.twap import CumulativePrices, Observations


def arithmetic_move(mean: Fraction, part: Fraction) -> Fraction:
    """The move of the price, over a `part` of the window, that moves the mean by a factor."""
    return 1 + (mean - 1) / part


def geometric_move(mean: float, part: Fraction) -> float:
    """As `arithmetic_move` for a geometric mean."""
    return float(mean ** float(1 / part))


def mean_after(twap: Twap, pushed: Push, held_seconds: int) -> Fraction | None:
    """What a mean says once a pool has been where it was pushed for so long, and has rested before.

    Arithmetic means are those of windows that somebody closes: the attacker closes the open one
    and has the whole next one, which begins at today's price. Geometric ones look back from the
    end. None where the mean is of anything else than one pool's price, or of another kind.
    """
    part, history = twap.part, pushed.venue.history
    if not isinstance(part, Spot) or part.value is None:
        return None
    if isinstance(history, CumulativePrices):
        share = Fraction(min(held_seconds, twap.window_seconds), twap.window_seconds)
        return part.value * (1 + share * (pushed.factor(part) - 1))
    if isinstance(history, Observations) and isinstance(pushed.after, Concentrated):
        tick = _mean_tick(history, twap.window_seconds, pushed.after.tick, held_seconds)
        return None if tick is None else _at_tick(part, pushed.venue, tick)
    return None


def _mean_tick(history: Observations, window: int, tick: int, held: int) -> int | None:
    if held >= window:
        return tick
    try:
        (end, _), (start, _) = (
            history.accumulated(at) for at in (history.now, history.now - window + held)
        )
    except CheckFailed:
        return None
    return (end - start + tick * held) // window


def _at_tick(spot: Spot, venue: Venue, tick: int) -> Fraction:
    base, quote = venue.place(spot.base), venue.place(spot.quote)
    price = Fraction(sqrt_ratio_at_tick(tick) ** 2, 1 << 192)
    raw = price if base == 0 else 1 / price
    return raw * Fraction(10) ** (venue.decimals[base] - venue.decimals[quote])
