"""What it would take to move the market of an asset itself, as far as it is indexed.

A network that reports prices asks many markets, most of which are on no chain: what is said here is
a lower bound.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from defirisk.core.book import Book
from defirisk.core.evm import Address
from defirisk.core.quote import Market, leaves
from defirisk.core.venue import Venue
from defirisk.manipulation.push import at_market, push


def market_cost(book: Book, asset: int, factor: float) -> tuple[float, int]:
    """USD that others take where every indexed pool of an asset, or of what it is a claim on, is
    moved by a factor and traded back; and the number of those pools. Where a pool trades it for
    several others, the cheapest counts; pools of unknown prices are left out.
    """
    prices = {one.address: float(p) for one, p in zip(book.assets, book.asset_price, strict=True)}
    tokens, total, count = _tokens(book, asset), 0.0, 0
    for venue in book.sources.venues.values():
        costs = [cost for token in tokens for cost in _costs(venue, token, factor, prices)]
        if costs:
            total, count = total + min(costs), count + 1
    return total, count


def _tokens(book: Book, asset: int) -> tuple[Address, ...]:
    """The asset itself, and what it is a claim on."""
    one = book.assets[asset]
    wrapped = () if one.program is None else leaves(one.program)
    inner = (leaf.asset for leaf in wrapped if isinstance(leaf, Market))
    return tuple(dict.fromkeys((one.address, *inner)))


def _costs(
    venue: Venue, token: Address, factor: float, prices: Mapping[Address, float]
) -> Iterator[float]:
    if token not in venue.tokens:
        return
    place = venue.tokens.index(token)
    for other in range(len(venue.tokens)):
        if other != place:
            sold, taken = (other, place) if factor >= 1 else (place, other)
            there = replace(venue, pool=at_market(venue, sold, taken, prices))
            pushed = push(there, sold, taken, Fraction(max(factor, 1 / factor)))
            cost = pushed.arbitraged_usd(prices)
            if pushed.paid and not math.isnan(cost):
                yield cost
