"""Liquidity in ranges of ticks, as Uniswap v3 and its forks compute it.

Source: UniswapV3Pool.swap and TickBitmap of @uniswap/v3-core 1.0.1.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate
from math import isqrt

from defirisk.core.errors import CheckFailed, UsageError
from defirisk.core.venue import Sale
from defirisk.swaps.arguments import check_amount, check_places, check_price
from defirisk.swaps.swap_math import PIPS, ceil_div, swap_step
from defirisk.swaps.tick_math import (
    MAX_SQRT_RATIO,
    MAX_TICK,
    MIN_SQRT_RATIO,
    MIN_TICK,
    sqrt_ratio_at_tick,
    tick_at_sqrt_ratio,
)

MAX_INT256 = 2**255 - 1
LOWEST = MIN_SQRT_RATIO + 1
HIGHEST = MAX_SQRT_RATIO - 1
"""How far a swap without a limit of its own may move the square-root price."""

EVERY_TICK = (MIN_TICK, MAX_TICK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Concentrated:
    """slot0, liquidity and ticks of a pool. `fee_pips` is in parts of a million.

    `ticks` are the initialised ones, ascending, and `liquidity_net` what is added when the price
    rises through each. `known` are the ticks between which all of them were read: a sale ends
    there. Build it with `of`, which checks that the numbers belong together.
    """

    sqrt_price_x96: int
    tick: int
    liquidity: int
    fee_pips: int
    tick_spacing: int
    ticks: tuple[int, ...]
    liquidity_net: tuple[int, ...]
    known: tuple[int, int] = EVERY_TICK

    @classmethod
    def of(
        cls,
        *,
        sqrt_price_x96: int,
        tick: int,
        liquidity: int,
        fee_pips: int,
        tick_spacing: int,
        liquidity_net: Mapping[int, int],
        known: tuple[int, int] = EVERY_TICK,
    ) -> Concentrated:
        """A pool from its net liquidity by tick.

        Errors: `UsageError` where the numbers cannot be those of one pool at one time.
        """
        ticks = tuple(sorted(liquidity_net))
        pool = cls(
            sqrt_price_x96=sqrt_price_x96,
            tick=tick,
            liquidity=liquidity,
            fee_pips=fee_pips,
            tick_spacing=tick_spacing,
            ticks=ticks,
            liquidity_net=tuple(liquidity_net[at] for at in ticks),
            known=known,
        )
        pool._check()
        return pool

    @property
    def fee(self) -> Fraction:
        """What is taken of each sale, for the liquidity providers and the protocol."""
        return Fraction(self.fee_pips, PIPS)

    def price(self, token_in: int, token_out: int) -> Fraction:
        """The square of the square-root price. A pool without liquidity has one too."""
        check_places(token_in, token_out, 2)
        if self.sqrt_price_x96 == 0:
            raise CheckFailed("the pool is not initialised: it has no price")
        price = Fraction(self.sqrt_price_x96**2, 1 << 192)
        return price if token_in == 0 else 1 / price

    def end(self, zero_for_one: bool) -> int:
        """How far a sale may move the square-root price at most."""
        if zero_for_one:
            return max(LOWEST, sqrt_ratio_at_tick(self.known[0]))
        return min(HIGHEST, sqrt_ratio_at_tick(self.known[1]))

    def sell(self, token_in: int, token_out: int, amount_in: int) -> Sale:
        """A swap without limit. It ends at the last tick there is, whatever is left over then."""
        check_places(token_in, token_out, 2)
        check_amount(amount_in)
        return self.swap(token_in == 0, amount_in, self.end(token_in == 0))

    def sell_until(self, token_in: int, token_out: int, price: Fraction) -> Sale:
        """The pool's own sqrtPriceLimitX96, rounded to the side on which the price still holds."""
        check_places(token_in, token_out, 2)
        check_price(price)
        if token_in == 0:
            square = ceil_div(price.numerator << 192, price.denominator)
            limit = max(isqrt(square - 1) + 1, self.end(True))
        else:
            square = (price.denominator << 192) // price.numerator
            limit = min(isqrt(square), self.end(False))
        return self.swap(token_in == 0, MAX_INT256, limit)

    def swap(self, zero_for_one: bool, amount_in: int, limit_x96: int) -> Sale:
        """UniswapV3Pool.swap for exact input; nothing where it reverts with AS or SPL."""
        sqrt_price = self.sqrt_price_x96
        ahead = limit_x96 < sqrt_price if zero_for_one else limit_x96 > sqrt_price > 0
        if not ahead or not LOWEST <= limit_x96 <= HIGHEST or not 0 < amount_in <= MAX_INT256:
            return Sale(0, 0, self)
        tick, liquidity, remaining, received = self.tick, self.liquidity, amount_in, 0
        while remaining > 0 and sqrt_price != limit_x96:
            next_tick, net = self._next_tick(tick, zero_for_one)
            next_price = sqrt_ratio_at_tick(next_tick)
            target = (max if zero_for_one else min)(next_price, limit_x96)
            step = swap_step(sqrt_price, target, liquidity, remaining, self.fee_pips)
            remaining -= step.amount_in + step.fee
            received += step.amount_out
            if step.sqrt_price_x96 == next_price:
                liquidity += -net if zero_for_one else net
                tick = next_tick - 1 if zero_for_one else next_tick
            elif step.sqrt_price_x96 != sqrt_price:
                tick = tick_at_sqrt_ratio(step.sqrt_price_x96)
            sqrt_price = step.sqrt_price_x96
        after = replace(self, sqrt_price_x96=sqrt_price, tick=tick, liquidity=liquidity)
        return Sale(amount_in - remaining, received, after)

    def _next_tick(self, tick: int, down: bool) -> tuple[int, int]:
        """nextInitializedTickWithinOneWord, and the net liquidity there.

        The edge of a bitmap word ends a step even where nothing is initialised, and every step
        rounds: leaving those out is off by some wei.
        """
        compressed = tick // self.tick_spacing
        found = bisect_right(self.ticks, tick) - (1 if down else 0)
        if down:
            edge = (compressed >> 8 << 8) * self.tick_spacing
            beyond = found < 0 or self.ticks[found] < edge
        else:
            edge = ((compressed + 1 >> 8 << 8) + 255) * self.tick_spacing
            beyond = found == len(self.ticks) or self.ticks[found] > edge
        if beyond:
            return max(MIN_TICK, min(MAX_TICK, edge)), 0
        return self.ticks[found], self.liquidity_net[found]

    def _check(self) -> None:
        """What holds in every state of a real pool."""
        if not 0 <= self.fee_pips < PIPS or self.tick_spacing <= 0:
            raise UsageError(f"a fee of {self.fee_pips} pips or a spacing of {self.tick_spacing}")
        for at in self.ticks:
            if at % self.tick_spacing or not MIN_TICK <= at <= MAX_TICK:
                raise UsageError(f"tick {at} cannot be initialised at spacing {self.tick_spacing}")
        if self.sqrt_price_x96 == 0 and not self.ticks and self.liquidity == 0:
            return
        if not MIN_TICK <= self.tick < MAX_TICK or not (
            sqrt_ratio_at_tick(self.tick)
            <= self.sqrt_price_x96
            <= sqrt_ratio_at_tick(self.tick + 1)
        ):
            raise UsageError(f"the square-root price is not one of tick {self.tick}")
        at = bisect_right(self.ticks, self.tick)
        above = [self.liquidity + net for net in accumulate(self.liquidity_net[at:])]
        below = [self.liquidity - net for net in accumulate(self.liquidity_net[:at][::-1])]
        if min((*above, *below), default=0) < 0:
            raise UsageError("the ticks take more liquidity away than there is: some are missing")
        if self.known == EVERY_TICK and {*above[-1:], *below[-1:]} - {0}:
            raise UsageError("the ticks do not add up to the liquidity: some are missing")
        if self.known == EVERY_TICK and self.liquidity and not (above and below):
            raise UsageError("there is liquidity without ticks at which it ends")
