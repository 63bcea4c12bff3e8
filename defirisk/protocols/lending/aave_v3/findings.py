"""What must be said wherever numbers of an Aave v3 market are shown."""

from __future__ import annotations

from collections.abc import Iterator

from defirisk.core.adapter import Finding, Snapshot
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.protocols.lending.aave_v3.generation import generation_of
from defirisk.protocols.lending.aave_v3.market_now import MarketNow, market_now
from defirisk.protocols.lending.aave_v3.rows import (
    THE_POOL,
    EModeCategory,
    Implementation,
    PoolCode,
)

PROVEN_REVISIONS = {
    "pool": {1, 10},
    "pool_configurator": {1, 7},
    "a_token": {1, 5},
    "variable_debt_token": {1, 5},
}
"""Revisions of v3.0 and v3.6 whose running code our numbers were compared with, by role of the
proxy.
"""


def findings(snapshot: Snapshot) -> Iterator[Finding]:
    """Unproven code, debts and prices that are not followed, amounts that are not in USD."""
    market = market_now(snapshot)
    yield from _unproven(snapshot)
    yield from _other_rules(snapshot, market)
    yield from _not_followed(snapshot, market)
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


def _other_rules(snapshot: Snapshot, market: MarketNow) -> Iterator[Finding]:
    """Where one set of rules did not hold all the time, or is not the one of the running code."""
    code = snapshot.rows.find(PoolCode, THE_POOL)
    if code is not None and code.first_revision != code.since_revision:
        first = generation_of(code.first_revision)
        yield Finding(
            code="upgraded",
            text=f"the Pool was upgraded from v{first.version} to v{market.generation.version}: "
            "how balances are carried over was never compared with our code",
        )
    pool = snapshot.rows.find(Implementation, snapshot.deployment.contracts["pool"])
    if pool is None or pool.revision <= 0:
        return
    running = generation_of(pool.revision)
    if running is not market.generation:
        yield Finding(
            code="other-rules",
            text=f"balances were folded by the rules of v{market.generation.version}, but the Pool "
            f"runs v{running.version}: its addresses provider does not say so in any block from "
            f"{snapshot.deployment.first_block} on",
        )


def _not_followed(snapshot: Snapshot, market: MarketNow) -> Iterator[Finding]:
    for asset, now in market.reserves.items():
        if now.reserve.stable_debt or now.reserve.stable_borrowing_enabled:
            token = snapshot.tokens.get(asset)
            yield Finding(
                code="stable-debt",
                text=f"{token.symbol if token else asset} is or was lent at stable rates: such "
                "debts are not followed",
            )
    if not market.generation.emode_of_reserve:
        return
    for category in snapshot.rows.all(EModeCategory):
        if category.price_source != ZERO_ADDRESS:
            yield Finding(
                code="emode-price",
                text=f"efficiency mode {category.category_id} has a price of its own, which is not "
                "followed: its accounts are valued at the prices of their assets",
            )
