"""The mark price as a program: the median of two means of the pool and the index with a premium."""

from __future__ import annotations

from fractions import Fraction

from defirisk.core.evm import Address
from defirisk.core.quote import (
    Constant,
    Feed,
    Median,
    Product,
    Program,
    Spot,
    Sum,
    Twap,
    anchored,
)
from defirisk.protocols.perps.perp_curie.arithmetic import price_of
from defirisk.protocols.perps.perp_curie.funding import SHORTEST_MEAN
from defirisk.protocols.perps.perp_curie.market_now import MARK_WINDOW, MarketNow
from defirisk.protocols.perps.perp_curie.rows import OPEN, WAD


def mark_program(now: MarketNow, quote_token: Address) -> Program:
    """Source: AccountBalance._getMarkPrice. A market that is not open has a fixed price.

    Where the mark is unknown, so is the program.
    """
    if now.market.status != OPEN and now.mark is not None:
        return Constant(Fraction(now.mark, WAD))
    legs, index = now.legs, now.index
    if legs is None or index is None or now.mark is None:
        return Feed(index.source if index else now.market.pool, None)
    price = Fraction(price_of(now.root), WAD)
    spot = Spot(now.market.pool, now.market.base_token, quote_token, price)
    feed = anchored(index.answer.of(index.source), Fraction(legs.index, WAD))
    config = now.config
    premium = (
        _mean(spot, config.premium_interval, legs.premium_market),
        Product((Constant(Fraction(-1)), _mean(feed, config.premium_interval, legs.premium_index))),
    )
    program = Median(
        (
            _mean(spot, MARK_WINDOW, legs.recent),
            _mean(spot, config.market_twap_interval, legs.market),
            Sum((feed, *premium)),
        )
    )
    return anchored(program, Fraction(now.mark, WAD))


def _mean(part: Program, seconds: int, value: int) -> Program:
    """Too short a window is none: the contract takes the pool's price of the moment."""
    if seconds < SHORTEST_MEAN:
        return part
    return Twap(part, seconds, Fraction(value, WAD))
