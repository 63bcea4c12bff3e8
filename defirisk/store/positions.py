"""Positions of a deployment at a block, exact, as they are listed."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from defirisk.core.adapter import MarketAdapter
from defirisk.core.claim import Share
from defirisk.core.evm import Block
from defirisk.core.plugins import adapter
from defirisk.core.position import Position
from defirisk.core.quote import exact, rate_value
from defirisk.core.sources import HoldsShares
from defirisk.store.registry import StoredDeployment
from defirisk.store.snapshots import snapshot


def positions(connection: Connection, stored: StoredDeployment, block: Block) -> Iterator[Position]:
    """Every position of a deployment, account by account."""
    market = adapter(stored.deployment.protocol)
    assert isinstance(market, MarketAdapter)
    snap = snapshot(connection, stored, block)
    holdings = market.holdings(snap)
    for holding in holdings.holdings:
        quote = holdings.quotes[holding.quote]
        token = snap.tokens.get(quote.asset)
        value, rate = exact(quote.program), rate_value(quote.program)
        price = None if value is None or rate == 0 else value / rate
        yield Position(
            deployment=stored.deployment.name,
            account=holdings.units[holding.unit],
            asset=quote.asset,
            symbol=token.symbol if token else quote.asset,
            side=holding.side,
            balance_raw=holding.balance_raw,
            decimals=quote.decimals,
            price_usd=None if price is None else float(price),
        )


def shares(connection: Connection, stored: StoredDeployment, block: Block) -> list[Share]:
    """Every share of a deployment's vaults or pools; none where it has neither."""
    holder = adapter(stored.deployment.protocol)
    if not isinstance(holder, HoldsShares):
        return []
    return list(holder.shares(snapshot(connection, stored, block)))
