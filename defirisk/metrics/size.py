"""How large markets and deployments are.

Unit: USD at market prices, from 0 up (`net_usd` may be negative). NaN policy: a market whose price
is unknown is NaN; a deployment's totals leave it out and count it in `unpriced_markets`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from defirisk.contagion.valuation import holding_values
from defirisk.core.book import Book, MarketFacts
from defirisk.core.holdings import Side
from defirisk.metrics.place import Place, sum_by_market


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One market, or a deployment where `market` and `asset` are None.

    `collateral_usd` is the part of the supply that backs debts or could; `tvl_usd` what the
    contracts hold, so lent-out deposits are not counted twice; `net_usd` supply minus loans.
    """

    deployment: int
    market: str | None
    asset: int | None
    supplied_usd: float
    borrowed_usd: float
    collateral_usd: float
    tvl_usd: float
    net_usd: float
    unpriced_markets: int


def by_market(book: Book) -> tuple[Size, ...]:
    """Every market of the book, in its order."""
    pledged = book.holding_side == Side.COLLATERAL
    collateral = sum_by_market(book, holding_values(book), pledged)
    return tuple(_of_market(book, m, collateral) for m in book.markets)


def by_deployment(book: Book) -> tuple[Size, ...]:
    """Every deployment of the book, in its order."""
    markets = by_market(book)
    return tuple(
        _total(d, [size for size in markets if size.deployment == d])
        for d in range(len(book.deployments))
    )


def _of_market(book: Book, m: MarketFacts, collateral: dict[Place, float]) -> Size:
    usd = float(book.asset_price[m.asset])
    return Size(
        deployment=m.deployment,
        market=m.market,
        asset=m.asset,
        supplied_usd=m.supplied * usd,
        borrowed_usd=m.borrowed * usd,
        collateral_usd=collateral.get((m.deployment, m.market, m.asset), 0.0 * usd),
        tvl_usd=m.cash * usd,
        net_usd=(m.supplied - m.borrowed) * usd,
        unpriced_markets=int(np.isnan(usd)),
    )


def _total(deployment: int, markets: Iterable[Size]) -> Size:
    markets = list(markets)
    known = [m for m in markets if not m.unpriced_markets]
    return Size(
        deployment=deployment,
        market=None,
        asset=None,
        supplied_usd=sum(m.supplied_usd for m in known),
        borrowed_usd=sum(m.borrowed_usd for m in known),
        collateral_usd=sum(m.collateral_usd for m in known),
        tvl_usd=sum(m.tvl_usd for m in known),
        net_usd=sum(m.net_usd for m in known),
        unpriced_markets=len(markets) - len(known),
    )
