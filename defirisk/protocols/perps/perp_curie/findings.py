"""What must be said wherever numbers of Perp Curie are shown."""

from __future__ import annotations

from collections.abc import Iterator

from defirisk.core.adapter import Finding, Snapshot
from defirisk.core.evm import Address
from defirisk.protocols.perps.perp_curie.account_value import present_prices, worth
from defirisk.protocols.perps.perp_curie.arithmetic import SETTLEMENT_DECIMALS
from defirisk.protocols.perps.perp_curie.perp_now import PerpNow, perp_now
from defirisk.protocols.perps.perp_curie.rows import OPEN, Fallback, PriceFeed


def findings(snapshot: Snapshot) -> Iterator[Finding]:
    """What was read, what is approximate, what is not known."""
    now = perp_now(snapshot)
    yield from _settlement(snapshot)
    yield from _markets(snapshot, now)
    yield from _makers(now)
    prices = present_prices(now)
    unknown = sum(worth(one, now, prices) is None for one in now.accounts.values())
    if unknown:
        yield Finding(
            code="no-price",
            text=f"{_accounts(unknown)} left out: a price or a funding growth that "
            f"{'it depends' if unknown == 1 else 'they depend'} on is not known",
        )
    if any(account.collateral for account in now.accounts.values()):
        yield Finding(
            code="collateral-liquidation",
            text="collateral beside the settlement token counts at its collateral ratio; that it "
            "can be sold before the positions are (Vault.liquidateCollateral) is not counted",
        )
    if now.wallet.read_block != snapshot.block.number:
        yield Finding(
            code="insurance-read",
            text="the insurance fund's own tokens were not read at this block: its capacity is as "
            "of the last run before it",
        )


def _settlement(snapshot: Snapshot) -> Iterator[Finding]:
    token = snapshot.tokens.get(snapshot.deployment.contracts["settlement_token"])
    if token is not None and token.decimals != SETTLEMENT_DECIMALS:
        yield Finding(
            code="settlement-decimals",
            text=f"the settlement token has {token.decimals} decimals, not {SETTLEMENT_DECIMALS}: "
            "balances of this deployment are wrong",
        )


def _markets(snapshot: Snapshot, now: PerpNow) -> Iterator[Finding]:
    for base, one in now.markets.items():
        name = _name(snapshot, base)
        if one.market.status != OPEN:
            yield Finding(code="closed-market", text=f"{name} is not open: its price is fixed")
        if not one.market.growth_known:
            yield Finding(
                code="unknown-funding",
                text=f"{name} stated a mean price that no tick has: its funding is not known",
            )
        orders = sum(
            order.liquidity
            for account in now.accounts.values()
            if base in account.held
            for order in account.held[base].orders
        )
        if orders != one.pool.liquidity:
            yield Finding(
                code="orders-missing",
                text=f"the orders of {name} do not add up to the liquidity of its pool, so logs "
                "are missing or somebody provides past the order book",
            )
    for feed in snapshot.rows.all(PriceFeed):
        if feed.freezed_reason:
            yield Finding(
                code="frozen-index",
                text=f"the price feed {feed.price_feed} refused what its aggregator said last: the "
                "index stays where it was",
            )
    for row in snapshot.rows.all(Fallback):
        yield Finding(
            code="uniswap-index",
            text=f"the price feed {row.dispatcher} may turn to a Uniswap pool once its aggregator "
            "is silent for too long: prices that come from it are left out",
        )


def _makers(now: PerpNow) -> Iterator[Finding]:
    makers = [account for account in now.accounts.values() if account.has_orders]
    if not makers:
        return
    yield Finding(
        code="makers",
        text=f"{_accounts(len(makers))} providing liquidity: pending fees and funding of orders "
        "are read, and shocks hold their sizes as they are, though a pool that moves changes them; "
        "near the edge they are decided at what the orders hold then. Their orders have to be "
        "cancelled before anybody can liquidate them",
    )
    stale = sum(not account.exact for account in makers)
    if stale:
        yield Finding(
            code="makers-stale",
            text=f"{_accounts(stale)} counted with fees and funding of their orders as of an "
            "earlier block",
        )


def _accounts(count: int) -> str:
    return "1 account is" if count == 1 else f"{count} accounts are"


def _name(snapshot: Snapshot, token: Address) -> str:
    known = snapshot.tokens.get(token)
    return known.symbol if known else token
