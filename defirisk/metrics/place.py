"""Holdings by market: what is summed where."""

from __future__ import annotations

import numpy as np

from defirisk.contagion.valuation import Bools, sums
from defirisk.core.book import Book, Floats

Place = tuple[int, str, int]
"""Deployment, market and asset: the identity of one row of `book.markets`."""


def quotes_by_market(book: Book) -> dict[Place, list[int]]:
    """The quotes of every market, in the order of the quotes."""
    found: dict[Place, list[int]] = {}
    places = zip(book.quote_deployment, book.quote_market, book.quote_asset, strict=True)
    for quote, (deployment, market, asset) in enumerate(places):
        found.setdefault((int(deployment), market, int(asset)), []).append(quote)
    return found


def sum_by_market(book: Book, values: Floats, chosen: Bools) -> dict[Place, float]:
    """Sums of `values` (H,) over the `chosen` holdings (H,); markets without any are left out."""
    quote = book.holding_quote[chosen]
    size = len(book.quote_asset)
    totals = sums(quote, values[chosen], size)
    held = np.bincount(quote, minlength=size) > 0
    return {
        place: float(totals[quotes].sum())
        for place, quotes in quotes_by_market(book).items()
        if held[quotes].any()
    }
