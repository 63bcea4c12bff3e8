"""`market:` the market moves and the oracles do not: stale, frozen or hard-coded."""

from __future__ import annotations

from defirisk.core.book import Book
from defirisk.core.scenario import Moves, Shock
from defirisk.shocks.target import find_asset, market_moves
from defirisk.shocks.value import change_or_price


class Market:
    """Nothing becomes liquidatable by it, but what is liquidatable covers less or more debt."""

    name = "market"
    grammar = "market:WETH=-20% market:WETH=1200"
    summary = "market price of an asset and of all that follows it moves, oracles stay"

    def moves(self, book: Book, target: str, value: str) -> Moves:
        """`-20%` is relative, `1200` a market price in USD."""
        asset = find_asset(book, target)
        current = float(book.asset_price[asset])
        factor = change_or_price(value, current, book.symbol(asset))
        return market_moves(book, asset, factor)


SHOCK: Shock = Market()
