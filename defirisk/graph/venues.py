"""What a pool takes before its price falls by 2 %, in dollars of each of its tokens."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import permutations

from defirisk.core.errors import CheckFailed
from defirisk.core.evm import Address
from defirisk.core.venue import Venue
from defirisk.graph.claims import Claims

MOVE = Fraction(98, 100)
"""The part of its price to which a token may fall."""


def depths(venue: Venue, claims: Claims) -> dict[Address, float]:
    """Dollars of each token that can be sold, for the token that takes most; NaN without a price.

    Tokens that an empty pool has no price of are left out.
    """
    found: dict[Address, float] = {}
    for sell, buy in permutations(range(len(venue.tokens)), 2):
        try:
            price = venue.pool.price(sell, buy)
        except CheckFailed:  # the pool is empty, or takes no such token
            continue
        sale = venue.pool.sell_until(sell, buy, price * MOVE)
        token = venue.tokens[sell]
        sold = float(Fraction(sale.sold, 10 ** venue.decimals[sell]))
        dollars = sold * claims.prices.get(token, math.nan)
        before = found.get(token, math.nan)
        found[token] = dollars if math.isnan(before) else max(before, dollars)
    return found


def cheapest_way(found: dict[Address, float]) -> float:
    """The least of the depths: through it a price is moved. 0 of an empty pool, NaN if unknown."""
    known = [depth for depth in found.values() if not math.isnan(depth)]
    if not found:
        return 0.0
    return min(known, default=math.nan)
