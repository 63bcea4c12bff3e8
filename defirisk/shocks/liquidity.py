"""`liquidity:` the pools that trade an asset become shallower, at the prices that they have."""

from __future__ import annotations

from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.scenario import Moves, Shock
from defirisk.shocks.target import find_asset
from defirisk.shocks.value import change


class Liquidity:
    """Only what sells into pools is touched by it: the cascade."""

    name = "liquidity"
    grammar = "liquidity:WETH=-80%"
    summary = "every pool that trades an asset takes less of it for the same fall of its price"

    def moves(self, book: Book, target: str, value: str) -> Moves:
        """VALUE is relative: what is lost of the pools' depth."""
        asset = find_asset(book, target)
        factor = change(value)
        if factor is None:
            raise UsageError(f"{value!r} is not a change in percent")
        return Moves(depth={asset: factor})


SHOCK: Shock = Liquidity()
