"""x * y = k, as Uniswap v2 and its forks compute it.

Sources: UniswapV2Library.getAmountOut (@uniswap/v2-periphery 1.1.0-beta.0), UniswapV2Pair.swap and
_update (@uniswap/v2-core 1.0.1); for `fee_leaves`, Pool.getAmountOut and swap of Aerodrome.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from defirisk.core.errors import CheckFailed
from defirisk.core.venue import Sale
from defirisk.swaps.arguments import check_amount, check_places, check_price

MAX_RESERVE = 2**112 - 1
"""Reserves are uint112: a pair reverts with OVERFLOW above that."""

UNISWAP_FEE = Fraction(3, 1000)


@dataclass(frozen=True, slots=True)
class ConstantProduct:
    """The reserves of a pair in base units, and its fee on what is sold.

    `fee_leaves` is the way of Solidly and Aerodrome (volatile pools): the fee is rounded down,
    taken off first, and leaves the pair. Elsewhere it stays, and is not rounded by itself.
    """

    reserves: tuple[int, int]
    fee: Fraction = UNISWAP_FEE
    fee_leaves: bool = False

    def sell(self, token_in: int, token_out: int, amount_in: int) -> Sale:
        """Nothing where the pair reverts: empty, an output of 0, a reserve beyond uint112."""
        check_places(token_in, token_out, 2)
        check_amount(amount_in)
        kept = self._kept(amount_in)
        received = self._amount_out(token_in, amount_in)
        if received == 0 or self.reserves[token_in] + kept > MAX_RESERVE:
            return Sale(0, 0, self)
        return Sale(amount_in, received, self._after(token_in, kept, received))

    def price(self, token_in: int, token_out: int) -> Fraction:
        """The ratio of the reserves."""
        check_places(token_in, token_out, 2)
        if 0 in self.reserves:
            raise CheckFailed("the pair is empty: it has no price")
        return Fraction(self.reserves[token_out], self.reserves[token_in])

    def sell_until(self, token_in: int, token_out: int, price: Fraction) -> Sale:
        """Bisection over whole base units: the price falls with every one of them."""
        check_places(token_in, token_out, 2)
        check_price(price)
        if 0 in self.reserves:
            return Sale(0, 0, self)
        low, high = 0, MAX_RESERVE - self.reserves[token_in]
        while low < high:
            middle = (low + high + 1) // 2
            out_left = self.reserves[token_out] - self._amount_out(token_in, middle)
            in_then = self.reserves[token_in] + self._kept(middle)
            if out_left * price.denominator >= price.numerator * in_then:
                low = middle
            else:
                high = middle - 1
        return self.sell(token_in, token_out, low)

    def _amount_out(self, token_in: int, amount_in: int) -> int:
        """What the router's view answers; 0 where it reverts."""
        reserve_in, reserve_out = self.reserves[token_in], self.reserves[1 - token_in]
        if reserve_in == 0 or reserve_out == 0:
            return 0
        if self.fee_leaves:
            net = self._kept(amount_in)
            return net * reserve_out // (reserve_in + net)
        whole = self.fee.denominator
        net = amount_in * (whole - self.fee.numerator)
        return net * reserve_out // (reserve_in * whole + net)

    def _kept(self, amount_in: int) -> int:
        """What of the amount ends up in the reserve."""
        if not self.fee_leaves:
            return amount_in
        return amount_in - amount_in * self.fee.numerator // self.fee.denominator

    def _after(self, token_in: int, kept: int, received: int) -> ConstantProduct:
        first, second = self.reserves
        if token_in == 0:
            return replace(self, reserves=(first + kept, second - received))
        return replace(self, reserves=(first - received, second + kept))
