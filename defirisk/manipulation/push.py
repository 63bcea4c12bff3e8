"""Moving a pool: what it takes, what trading back returns, and what others take instead.

Amounts are base units and exact: they are what the pool's own contract would give and take
(`core.venue.Pool`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from defirisk.core.errors import CheckFailed
from defirisk.core.evm import Address
from defirisk.core.quote import Spot
from defirisk.core.venue import Pool, Sale, Venue


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One sale of `paid` for `bought`, after which the price of what was bought is higher.

    `returned` is what selling all of `bought` back gives at once: what is missing are the fees.
    `sold` and `taken` are places in the venue's order.
    """

    venue: Venue
    sold: int
    taken: int
    paid: int
    bought: int
    returned: int
    after: Pool

    @property
    def restored(self) -> Pool:
        """The pool once everything was sold back."""
        return self.after.sell(self.taken, self.sold, self.bought).pool

    def factor(self, spot: Spot) -> Fraction:
        """By how much what is read from this pool has moved."""
        i, j = self.venue.place(spot.base), self.venue.place(spot.quote)
        try:
            return self.after.price(i, j) / self.venue.pool.price(i, j)
        except CheckFailed:
            return Fraction(1)

    def capital_usd(self, prices: Mapping[Address, float]) -> float:
        """What is paid in, at market prices; NaN where the token has none."""
        return _worth(self.venue, self.sold, self.paid, prices)

    def fees_usd(self, prices: Mapping[Address, float]) -> float:
        """The loss where the attacker trades back himself, before anybody else."""
        return _worth(self.venue, self.sold, self.paid - self.returned, prices)

    def arbitraged_usd(self, prices: Mapping[Address, float]) -> float:
        """The loss where others trade it back: what was bought is left, at the market price.

        A push towards the market price earns something, which is not the price of a lie: 0 then.
        """
        left = _worth(self.venue, self.taken, self.bought, prices)
        return max(self.capital_usd(prices) - left, 0.0)


def push(venue: Venue, sold: int, taken: int, factor: Fraction, start: Pool | None = None) -> Push:
    """The largest sale that makes `taken` not more than `factor` (at least 1) times as dear in
    `sold` as it is in the pool today; from `start` where the pool is elsewhere by then. One of
    nothing where the pool is empty, cannot be moved, or is there already.
    """
    pool = venue.pool if start is None else start
    try:
        sale = pool.sell_until(sold, taken, venue.pool.price(sold, taken) / factor)
    except CheckFailed:
        sale = Sale(0, 0, pool)
    return Push(
        venue=venue,
        sold=sold,
        taken=taken,
        paid=sale.sold,
        bought=sale.received,
        returned=sale.pool.sell(taken, sold, sale.received).received if sale.sold else 0,
        after=sale.pool,
    )


def at_market(venue: Venue, one: int, other: int, prices: Mapping[Address, float]) -> Pool:
    """The pool once others have traded it to the market price of two of its tokens; as it is where
    one of them has none.
    """
    worth = [prices.get(venue.tokens[place], float("nan")) for place in (one, other)]
    if not all(price > 0 for price in worth):
        return venue.pool
    pool = venue.pool
    units = Fraction(10 ** venue.decimals[other], 10 ** venue.decimals[one])
    fair = Fraction(worth[0]) / Fraction(worth[1]) * units
    try:
        pool = pool.sell_until(one, other, fair).pool
        return pool.sell_until(other, one, 1 / fair).pool
    except CheckFailed:
        return venue.pool


def _worth(venue: Venue, place: int, amount: int, prices: Mapping[Address, float]) -> float:
    if amount == 0:
        return 0.0
    whole = float(Fraction(amount, 10 ** venue.decimals[place]))
    return whole * prices.get(venue.tokens[place], float("nan"))
