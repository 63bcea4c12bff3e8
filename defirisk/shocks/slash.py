"""`slash:` what a share of a wrapped token converts to changes: a vault loses, stake is slashed."""

from __future__ import annotations

from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.quote import Conversion, leaves
from defirisk.core.scenario import Moves, Shock
from defirisk.shocks.target import find_asset
from defirisk.shocks.value import change


class Slash:
    """The share's worth falls, at market and in every oracle that asks the wrapper itself."""

    name = "slash"
    grammar = "slash:yWETH=-2%"
    summary = "a share of a vault or staked token converts to less, oracles that ask it follow"

    def moves(self, book: Book, target: str, value: str) -> Moves:
        """VALUE is relative: what is lost of what one share converts to."""
        asset = find_asset(book, target)
        factor = change(value)
        if factor is None:
            raise UsageError(f"{value!r} is not a change in percent")
        token, program = book.assets[asset].address, book.assets[asset].program
        converts = [] if program is None else list(leaves(program))
        if not any(isinstance(leaf, Conversion) and leaf.token == token for leaf in converts):
            raise UsageError(
                f"{book.symbol(asset)} is not known to convert to another asset: use price:"
            )
        return Moves(conversions={token: factor})


SHOCK: Shock = Slash()
