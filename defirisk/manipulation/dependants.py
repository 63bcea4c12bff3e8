"""Who relies on a price: markets, accounts, and dollars at what the markets themselves credit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from defirisk.core.book import Book
from defirisk.core.holdings import Side
from defirisk.manipulation.lending import Listing
from defirisk.metrics.place import quotes_by_market, sum_by_market


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependant:
    """One asset in one market. `accounts` have pledged or owe it; what has no price is left out."""

    listing: Listing
    accounts: int
    collateral_usd: float
    debt_usd: float


def dependants(book: Book, listings: Iterable[Listing]) -> tuple[Dependant, ...]:
    """In the order of the listings."""
    values = np.nan_to_num(book.holding_amount * book.quote_price[book.holding_quote], nan=0.0)
    quotes = quotes_by_market(book)
    staked = book.holding_side != Side.SUPPLY
    collateral, debt = (
        sum_by_market(book, values, book.holding_side == side)
        for side in (Side.COLLATERAL, Side.DEBT)
    )
    return tuple(
        Dependant(
            listing=one,
            accounts=len(
                np.unique(
                    book.holding_unit[staked & np.isin(book.holding_quote, quotes[one.place])]
                )
            ),
            collateral_usd=collateral.get(one.place, 0.0),
            debt_usd=debt.get(one.place, 0.0),
        )
        for one in listings
    )
