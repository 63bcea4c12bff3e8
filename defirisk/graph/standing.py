"""The rows of the book's markets: what is in each, and which contracts its price stands on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from defirisk.contagion.valuation import holding_values, sums
from defirisk.core.book import Book, Floats, Ints, MarketFacts
from defirisk.core.evm import Address
from defirisk.core.holdings import Side
from defirisk.core.quote import Conversion, Feed, Spot, leaves
from defirisk.core.sources import Link
from defirisk.graph import ids
from defirisk.metrics.oracle import sources_of
from defirisk.metrics.place import quotes_by_market


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One asset in one market. Dollars at market prices: `supplied_usd` is NaN where unknown.

    `standing_usd` are collateral and debts at the oracle's own price: what is lost or won where it
    lies; unknown prices are left out. `chain` is what is asked for the price, `read` the contracts
    that the quotes themselves read, none of a price that no contract can move.
    """

    id: str
    label: str
    facts: MarketFacts
    quotes: tuple[int, ...]
    supplied_usd: float
    standing_usd: float
    chain: Link
    read: tuple[Address, ...]

    def contracts(self) -> tuple[Address, ...]:
        """All that the price stands on, from the outside in, each once."""
        chain = (one.address for one in self.chain.all() if one.address)
        return tuple(dict.fromkeys([*chain, *self.read]))


def rows(book: Book) -> tuple[Row, ...]:
    """Every market of the book, in its order."""
    places = quotes_by_market(book)
    values = np.nan_to_num(book.holding_amount * book.quote_price[book.holding_quote], nan=0.0)
    backing = book.holding_side != Side.SUPPLY
    standing = sums(book.holding_quote[backing], values[backing], len(book.quote_asset))
    found = []
    for facts in book.markets:
        quotes = places.get((facts.deployment, facts.market, facts.asset), [])
        found.append(
            Row(
                id=ids.market(book, facts),
                label=ids.market_label(book, facts),
                facts=facts,
                quotes=tuple(quotes),
                supplied_usd=facts.supplied * float(book.asset_price[facts.asset]),
                standing_usd=float(standing[quotes].sum()),
                chain=sources_of(book, facts),
                read=_read(book, quotes),
            )
        )
    return tuple(found)


def _read(book: Book, quotes: Sequence[int]) -> tuple[Address, ...]:
    found: dict[Address, None] = {}
    for quote in quotes:
        for leaf in leaves(book.quote_program[quote]):
            match leaf:
                case Feed(address=address) | Spot(venue=address) | Conversion(token=address):
                    found[address] = None
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """What owners have in which rows, shapes (K,), no pair of them twice for one side.

    Dollars at market prices, NaN where unknown.
    """

    owner: Ints
    row: Ints
    side: Ints
    value: Floats


def positions(book: Book, found: Sequence[Row]) -> Positions:
    """Sums of all holdings above 0, by owner, row and side."""
    row_of = np.full(len(book.quote_asset), -1, dtype=np.int64)
    for number, row in enumerate(found):
        row_of[list(row.quotes)] = number
    held = (book.holding_amount > 0) & (row_of[book.holding_quote] >= 0)
    owner = book.unit_owner[book.holding_unit[held]]
    keys: Ints = np.stack(
        [owner, row_of[book.holding_quote[held]], book.holding_side[held].astype(np.int64)]
    )
    unique, place = np.unique(keys, axis=1, return_inverse=True)
    return Positions(
        owner=unique[0],
        row=unique[1],
        side=unique[2],
        value=sums(place.reshape(-1), holding_values(book)[held], unique.shape[1]),
    )
