"""Depth as a table: what can be sold at each price, as an order book or an aggregator states it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from fractions import Fraction

from defirisk.core.errors import CheckFailed
from defirisk.core.venue import Sale
from defirisk.swaps.arguments import check_amount, check_places, check_price


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBook:
    """Bids for token 0 in token 1, the best first; token 1 cannot be sold here.

    `prices` are base units of token 1 per base unit of token 0 and fall; `amounts` are base units
    of token 0 that are taken at each price or a better one, and rise. `taken` are sold already.
    """

    prices: tuple[Fraction, ...]
    amounts: tuple[int, ...]
    taken: int = 0

    @property
    def fee(self) -> Fraction:
        """None: the prices are what is paid."""
        return Fraction(0)

    def sell(self, token_in: int, token_out: int, amount_in: int) -> Sale:
        """At the best prices that are left; rounded down. Nothing of token 1."""
        check_places(token_in, token_out, 2)
        check_amount(amount_in)
        if token_in == 1:
            return Sale(0, 0, self)
        left, paid, at = amount_in, Fraction(0), self.taken
        for price, amount in zip(self.prices, self.amounts, strict=True):
            part = min(left, max(amount - at, 0))
            paid, at, left = paid + part * price, at + part, left - part
        received = paid.numerator // paid.denominator
        return Sale(amount_in - left, received, replace(self, taken=at))

    def sell_until(self, token_in: int, token_out: int, price: Fraction) -> Sale:
        """All that is taken at this price or a better one.

        The price is a step further down then; one base unit less would leave it where it is.
        """
        check_places(token_in, token_out, 2)
        check_price(price)
        if token_in == 1:
            return Sale(0, 0, self)
        reached = sum(one >= price for one in self.prices)
        until = self.amounts[reached - 1] if reached else 0
        return self.sell(token_in, token_out, max(0, until - self.taken))

    def price(self, token_in: int, token_out: int) -> Fraction:
        """The best price that is left. Errors: `CheckFailed` where none is."""
        check_places(token_in, token_out, 2)
        at = bisect_right(self.amounts, self.taken)
        if token_in == 1 or at == len(self.prices):
            raise CheckFailed("nobody bids: there is no price")
        return self.prices[at]
