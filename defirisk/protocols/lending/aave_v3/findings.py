"""What must be said wherever numbers of an Aave v3 market are shown."""

from __future__ import annotations

from collections.abc import Iterator

from defirisk.core.adapter import Finding, Snapshot
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.protocols.lending.aave_v3.market_now import market_now
from defirisk.protocols.lending.aave_v3.rows import Implementation

PROVEN_REVISIONS = {
    "pool": {10},
    "pool_configurator": {7},
    "a_token": {5},
    "variable_debt_token": {5},
}
"""Revisions of 3.6.0 whose running code our numbers were compared with, by role of the proxy."""


def findings(snapshot: Snapshot) -> Iterator[Finding]:
    """Unproven code behind a proxy, assets without a price, amounts that are not in USD."""
    yield from _unproven(snapshot)
    market = market_now(snapshot)
    for asset, price in market.prices.items():
        if price.price is None:
            token = snapshot.tokens.get(asset)
            name = token.symbol if token else asset
            yield Finding(
                code="no-price",
                text=f"{name} has no price at this block: accounts with a stake in it are left out",
            )
    if market.base_currency != ZERO_ADDRESS:
        yield Finding(
            code="not-usd",
            text=f"prices of this market are in {market.base_currency}, not in US dollars",
        )


def _unproven(snapshot: Snapshot) -> Iterator[Finding]:
    unproven: dict[tuple[str, int], int] = {}
    for row in snapshot.rows.all(Implementation):
        if row.revision not in PROVEN_REVISIONS.get(row.role, set()):
            key = (row.role, row.revision)
            unproven[key] = unproven.get(key, 0) + 1
    for (role, revision), count in sorted(unproven.items()):
        stated = "unknown revision" if revision < 0 else f"revision {revision}"
        proxies = "1 proxy" if count == 1 else f"{count} proxies"
        yield Finding(
            code="unproven-implementation",
            text=f"{role.replace('_', ' ')}: {proxies} run {stated}, which was never compared "
            "with our code: treat numbers that depend on it as unproven",
        )
