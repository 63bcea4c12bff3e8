"""How much of a market or deployment is in how few hands.

Unit: shares and the Herfindahl-Hirschman index are fractions, HHI from 1 / owners to 1; USD at
market prices. NaN policy: within one asset shares are of tokens and need no price; across assets,
holdings of unknown price are left out and counted in `unpriced`. Nothing held gives NaN.
Source: HHI as in the US Horizontal Merger Guidelines, in fractions instead of points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from defirisk.contagion.valuation import Bools, holding_values, sums
from defirisk.core.book import Book, Floats
from defirisk.core.holdings import Side
from defirisk.metrics.place import quotes_by_market

TOP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Concentration:
    """Concentration among owners in one deployment; `asset` and `market` are None for the whole.

    Supply is everything that earns, whether or not it backs a debt. All units of an owner are one.
    """

    deployment: int
    market: str | None
    asset: int | None
    side: Literal["supply", "debt"]
    owners: int
    total_usd: float
    hhi: float
    top10_share: float
    unpriced: int


def by_deployment(book: Book) -> tuple[Concentration, ...]:
    """Supply and debt of each deployment, by owner over all its assets."""
    values = holding_values(book)
    where = book.unit_deployment[book.holding_unit]
    return tuple(
        _measure(book, values, values, (where == deployment) & side, deployment, None, None, name)
        for deployment in range(len(book.deployments))
        for name, side in _sides(book)
    )


def by_market(book: Book) -> tuple[Concentration, ...]:
    """Supply and debt of each market that has any, in the order of the quotes."""
    values = holding_values(book)
    tokens = book.holding_amount * book.quote_rate[book.holding_quote]
    return tuple(
        _measure(book, tokens, values, own, deployment, market, asset, name)
        for (deployment, market, asset), quotes in quotes_by_market(book).items()
        for name, side in _sides(book)
        if (own := np.isin(book.holding_quote, quotes) & side).any()
    )


def hhi(amounts: Floats) -> float:
    """Sum of squared shares; NaN where the total is zero. `amounts` (n,) are not negative."""
    total = amounts.sum()
    return float(np.square(amounts / total).sum()) if total > 0 else np.nan


def top_share(amounts: Floats, count: int = TOP) -> float:
    """Share of the `count` largest amounts; NaN where the total is zero."""
    total = amounts.sum()
    return float(np.sort(amounts)[::-1][:count].sum() / total) if total > 0 else np.nan


def _measure(
    book: Book,
    weights: Floats,
    values: Floats,
    own: Bools,
    deployment: int,
    market: str | None,
    asset: int | None,
    side: Literal["supply", "debt"],
) -> Concentration:
    known = own & ~np.isnan(weights)
    amounts = _by_owner(book, weights, known)
    priced = own & ~np.isnan(values)
    return Concentration(
        deployment=deployment,
        market=market,
        asset=asset,
        side=side,
        owners=int(np.count_nonzero(amounts)),
        total_usd=float(values[priced].sum()),
        hhi=hhi(amounts),
        top10_share=top_share(amounts),
        unpriced=int((own & ~priced).sum()),
    )


def _by_owner(book: Book, weights: Floats, own: Bools) -> Floats:
    owners, place = np.unique(book.unit_owner[book.holding_unit[own]], return_inverse=True)
    return sums(place, weights[own], len(owners))


def _sides(book: Book) -> tuple[tuple[Literal["supply"], Bools], tuple[Literal["debt"], Bools]]:
    debt = book.holding_side == Side.DEBT
    return ("supply", ~debt), ("debt", debt)
