"""`oracle:` what one market believes moves and the market does not: manipulation, a wrong feed."""

from __future__ import annotations

import numpy as np

from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.scenario import Moves, Shock
from defirisk.shocks.target import find_asset, find_quotes
from defirisk.shocks.value import change


class Oracle:
    """Quotes move, feeds do not: other markets that read the same feed are not touched."""

    name = "oracle"
    grammar = "oracle:WETH@aave-v3=+30% oracle:WETH=+30%"
    summary = (
        "an oracle of an asset lies in one deployment or market (or all), its market price stays"
    )

    def moves(self, book: Book, target: str, value: str) -> Moves:
        """TARGET is ASSET@DEPLOYMENT, ASSET@PROTOCOL, ASSET@MARKET (a word of its label, such as
        the start of its id) or ASSET for all; VALUE is relative.
        """
        symbol, at, place = target.rpartition("@") if "@" in target else (target, "", "")
        asset = find_asset(book, symbol)
        factor = change(value)
        if factor is None:
            raise UsageError(f"{value!r} is not a change in percent")
        chosen = book.quote_asset == asset
        if at:
            chosen = chosen & find_quotes(book, place)
        if not chosen.any():
            where = f"in {place}" if at else "anywhere"
            raise UsageError(f"{book.symbol(asset)} is not quoted {where}: nothing would move")
        return Moves(quotes={int(quote): factor for quote in np.flatnonzero(chosen)})


SHOCK: Shock = Oracle()
