"""Perps V2 as `core.margin` states perpetuals: isolated margin, no insurance fund."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.margin import MarginAccount, Mode, PerpMarket, PerpPosition, Perps
from defirisk.core.quote import exact
from defirisk.protocols.perps.synthetix_perps_v2.arithmetic import (
    Funding,
    accrued_funding,
    can_liquidate,
    equity,
    liquidation_margin,
    liquidation_premium,
    profit_loss,
)
from defirisk.protocols.perps.synthetix_perps_v2.holdings import priced_markets
from defirisk.protocols.perps.synthetix_perps_v2.liquidation_price import liquidation_price
from defirisk.protocols.perps.synthetix_perps_v2.market_now import (
    MarketNow,
    system_now,
    unit_name,
)
from defirisk.protocols.perps.synthetix_perps_v2.rows import UNIT, Position

LIMITS = {
    "skew scale": "skewScale",
    "maximum funding velocity": "maxFundingVelocity",
    "maximum leverage": "maxLeverage",
    "maximum open interest of a side": "maxMarketValue",
    "taker fee": "takerFeeOffchainDelayedOrder",
    "maker fee": "makerFeeOffchainDelayedOrder",
    "liquidation premium multiplier": "liquidationPremiumMultiplier",
    "maximum size of a liquidation over skew scale": "maxLiquidationDelta",
    "maximum skew for a liquidation over skew scale": "maxPD",
}


def perps(snapshot: Snapshot) -> Perps:
    """Positions, margins and markets; what is not known without a price is None.

    Losses beyond the margin are borne by all who stake SNX: there is no fund for them.
    """
    markets = priced_markets(system_now(snapshot))
    accounts = [one for now in markets for one in _accounts(now)]
    return Perps(
        positions=tuple(one for now in markets for one in _positions(now)),
        accounts=tuple(accounts),
        markets=tuple(_market(now) for now in markets),
        insurance_fund=None,
        bad_debt=sum((_owed(one) for one in accounts), Fraction(0)),
    )


def _owed(account: MarginAccount) -> Fraction:
    """What the account owes beyond its margin."""
    return Fraction(0) if account.equity is None else max(Fraction(0), -account.equity)


def _wad(value: int) -> Fraction:
    return Fraction(value, UNIT)


def _valid_price(now: MarketNow) -> int | None:
    return None if exact(now.rate.program()) is None else now.rate.wad


def _funding(now: MarketNow) -> Funding:
    assert now.funding is not None
    return now.funding


def _positions(now: MarketNow) -> Iterator[PerpPosition]:
    price, funding = _valid_price(now), _funding(now)
    for held in now.positions:
        if held.size_wad == 0:
            continue
        # Without a price, the funding since the last entry of the sequence is not known either.
        accrued = accrued_funding(held, funding, price or 0)
        yield PerpPosition(
            unit=unit_name(held),
            market=now.market.market,
            size=_wad(held.size_wad),
            entry_price=_wad(held.last_price_wad),
            mark_price=None if price is None else _wad(price),
            unrealised_pnl=None if price is None else _wad(profit_loss(held, price)),
            accrued_funding=_wad(accrued),
            liquidation_price=liquidation_price(held, funding, _wad(price or 0), now.settings),
        )


def _accounts(now: MarketNow) -> Iterator[MarginAccount]:
    price = _valid_price(now)
    for held in now.open_positions:
        worth = None if price is None else equity(held, _funding(now), price)
        if held.size_wad == 0:
            worth = held.margin_wad
        initial, maintenance = _required(held, now, price)
        yield MarginAccount(
            unit=unit_name(held),
            owner=held.account,
            mode=Mode.ISOLATED,
            margin=_wad(held.margin_wad),
            equity=None if worth is None else _wad(worth),
            initial=initial,
            maintenance=maintenance,
            liquidatable=_liquidatable(held, now, price),
        )


def _required(
    held: Position, now: MarketNow, price: int | None
) -> tuple[Fraction | None, Fraction | None]:
    """What `_postTradeDetails` demands of a new position, and what `_canLiquidate` does."""
    if held.size_wad == 0:
        return Fraction(0), Fraction(0)
    if price is None:
        return None, None
    size, settings = held.size_wad, now.settings
    keep = liquidation_margin(size, price, settings) + liquidation_premium(size, price, settings)
    maintenance, least = _wad(keep), _wad(settings.min_initial_margin)
    leveraged = abs(_wad(size)) * _wad(price) * _initial_ratio(now)
    return max(maintenance, least, leveraged), maintenance


def _initial_ratio(now: MarketNow) -> Fraction:
    leverage = now.settings.max_leverage
    return Fraction(UNIT, leverage) if leverage else Fraction(0)


def _liquidatable(held: Position, now: MarketNow, price: int | None) -> bool | None:
    if held.size_wad and price is None:
        return None
    return can_liquidate(held, _funding(now), price or 0, now.settings)


def _market(now: MarketNow) -> PerpMarket:
    market, settings, price = now.market, now.settings, _valid_price(now)
    mark = None if price is None else _wad(price)
    ratio = _wad(settings.liquidation_buffer_ratio + settings.liquidation_fee_ratio)
    limits = {label: now.parameters.get(name, 0) for label, name in LIMITS.items()}
    limits["minimum liquidation fee"] = settings.min_keeper_fee
    limits["maximum liquidation fee"] = settings.max_keeper_fee
    return PerpMarket(
        market=market.market,
        name=market.market_key,
        base_asset=market.base_asset,
        mark_price=mark,
        index_price=mark,
        long_interest=_wad(market.market_size_wad + market.market_skew_wad) / 2,
        short_interest=_wad(market.market_size_wad - market.market_skew_wad) / 2,
        funding_rate=_wad(_funding(now).rate),
        initial_ratio=_initial_ratio(now),
        maintenance_ratio=ratio,
        limits=tuple((label, f"{float(_wad(value)):.10g}") for label, value in limits.items()),
    )
