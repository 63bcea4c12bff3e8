"""`depeg:` an asset leaves its peg, and everything pegged or wrapped to it follows."""

from __future__ import annotations

from fractions import Fraction

from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.scenario import Moves, Shock
from defirisk.shocks.target import find_asset, price_moves
from defirisk.shocks.value import factor, price, to_price

DOLLAR_PEG = (0.5, 2.0)
"""Market prices in USD that can belong to an asset with a peg of one dollar."""


class Depeg:
    """The new price is told in units of the peg, as the news would tell it."""

    name = "depeg"
    grammar = "depeg:USDC=0.88 depeg:stETH=0.94"
    summary = "an asset trades at this many units of its peg, with all that follows it"

    def moves(self, book: Book, target: str, value: str) -> Moves:
        """The peg is one dollar; for an asset that follows another, what it is worth in it now."""
        asset = find_asset(book, target)
        pegs = price(value)
        if pegs is None:
            raise UsageError(f"{value!r} is not a price in units of the peg")
        return price_moves(book, asset, _factor(book, asset, pegs, value))


def _factor(book: Book, asset: int, pegs: Fraction, value: str) -> Fraction:
    if book.assets[asset].follows is not None:
        # A wrapper's rate is not a departure from par, so par is where it trades today.
        return factor(pegs, value)
    symbol, now = book.symbol(asset), float(book.asset_price[asset])
    low, high = DOLLAR_PEG
    if now < low or now > high:
        raise UsageError(f"{symbol} trades at {now:g} USD, not near a dollar: use price:")
    return to_price(pegs, now, symbol, value)


SHOCK: Shock = Depeg()
