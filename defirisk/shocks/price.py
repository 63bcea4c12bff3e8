"""`price:` the market and every oracle that follows it move together."""

from __future__ import annotations

from defirisk.core.book import Book
from defirisk.core.scenario import Moves, Shock
from defirisk.shocks.target import find_asset, price_moves
from defirisk.shocks.value import change_or_price


class Price:
    """An asset and all that follows it change price, after every averaging window has passed."""

    name = "price"
    grammar = "price:WETH=-40% price:WETH=1200"
    summary = "market price and oracles of an asset move together, with all that follows it"

    def moves(self, book: Book, target: str, value: str) -> Moves:
        """`-40%` is relative, `1200` a market price in USD; oracles move by the same factor."""
        asset = find_asset(book, target)
        current = float(book.asset_price[asset])
        factor = change_or_price(value, current, book.symbol(asset))
        return price_moves(book, asset, factor)


SHOCK: Shock = Price()
