"""A market's funding and a position's margin in the contracts' integers.

Source: `PerpsV2MarketBase`, `PerpsV2MarketViews`, `SafeDecimalMath` and `SignedSafeDecimalMath` of
npm synthetix 2.102.1. Everything is 1e18; sizes are below 0 for shorts. Funding has the sign of
what a long receives.
"""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.protocols.perps.synthetix_perps_v2.rows import UNIT, Market, Position

DAY = 86_400


def multiply(left: int, right: int) -> int:
    """`multiplyDecimal`, cut towards 0."""
    return _cut(left * right, UNIT)


def divide(left: int, right: int) -> int:
    """`divideDecimal`, cut towards 0. Errors: `ZeroDivisionError`, where the contract reverts."""
    return _cut(left * UNIT, right)


def _cut(top: int, bottom: int) -> int:
    whole = abs(top) // abs(bottom)
    return whole if (top < 0) == (bottom < 0) else -whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `PerpsV2MarketSettings` says of one market, and of all."""

    skew_scale: int
    max_funding_velocity: int
    max_leverage: int
    liquidation_buffer_ratio: int
    liquidation_premium_multiplier: int
    liquidation_fee_ratio: int
    min_keeper_fee: int
    max_keeper_fee: int
    keeper_liquidation_fee: int
    min_initial_margin: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """A market's funding at a moment. `per_price` times the price is what is not recorded yet."""

    velocity: int
    rate: int
    per_price: int
    recorded: int

    def unrecorded(self, price: int) -> int:
        """`_unrecordedFunding`: sUSD per base unit since the last entry of the sequence."""
        return multiply(self.per_price, price)

    def next_entry(self, price: int) -> int:
        """`_nextFundingEntry`."""
        return self.recorded + self.unrecorded(price)


def funding(market: Market, settings: Settings, timestamp: int) -> Funding | None:
    """None where the skew has no scale yet: the contract then divides by 0 and reverts."""
    if settings.skew_scale == 0:
        return None
    skew = max(-UNIT, min(UNIT, divide(market.market_skew_wad, settings.skew_scale)))
    velocity = multiply(skew, settings.max_funding_velocity)
    elapsed = (timestamp - market.funding_last_recomputed_ts) * UNIT // DAY
    rate = market.funding_rate_wad + multiply(velocity, elapsed)
    average = divide(-(market.funding_rate_wad + rate), 2 * UNIT)
    return Funding(
        velocity=velocity,
        rate=rate,
        per_price=multiply(average, elapsed),
        recorded=market.funding_wad,
    )


def debt_correction(margin: int, size: int, last_price: int, funding_entry: int) -> int:
    """`_positionDebtCorrection`: a position's part of the market's debt that no price moves."""
    return margin - multiply(size, last_price + funding_entry)


def market_debt(market: Market, now: Funding, price: int) -> int:
    """`_marketDebt`: the margins of all positions as if none could be below 0."""
    if market.market_skew_wad == 0 and market.entry_debt_correction_wad == 0:
        return 0
    debt = multiply(market.market_skew_wad, price + now.next_entry(price))
    return max(0, debt + market.entry_debt_correction_wad)


def profit_loss(position: Position, price: int) -> int:
    """`_profitLoss`."""
    return multiply(position.size_wad, price - position.last_price_wad)


def accrued_funding(position: Position, now: Funding, price: int) -> int:
    """`_accruedFunding`; above 0 where the account receives."""
    if position.last_funding_index == 0:
        return 0
    return multiply(position.size_wad, now.next_entry(price) - position.funding_wad)


def equity(position: Position, now: Funding, price: int) -> int:
    """`_marginPlusProfitFunding`: below 0 where a gap in prices ate more than the margin."""
    profit = profit_loss(position, price)
    return position.margin_wad + profit + accrued_funding(position, now, price)


def liquidation_fee(size: int, price: int, settings: Settings) -> int:
    """`_liquidationFee`: a part of the notional, between the two keeper fees."""
    fee = multiply(multiply(abs(size), price), settings.liquidation_fee_ratio)
    return max(min(fee, settings.max_keeper_fee), settings.min_keeper_fee)


def liquidation_margin(size: int, price: int, settings: Settings) -> int:
    """`_liquidationMargin`: buffer, the flagger's fee and the liquidator's."""
    buffer = multiply(multiply(abs(size), price), settings.liquidation_buffer_ratio)
    return buffer + liquidation_fee(size, price, settings) + settings.keeper_liquidation_fee


def liquidation_premium(size: int, price: int, settings: Settings) -> int:
    """`_liquidationPremium`: what closing the position would move the price by, times its size."""
    if size == 0:
        return 0
    impact = multiply(divide(abs(size), settings.skew_scale), abs(multiply(size, price)))
    return multiply(impact, settings.liquidation_premium_multiplier)


def can_liquidate(position: Position, now: Funding, price: int, settings: Settings) -> bool:
    """`_canLiquidate`."""
    size = position.size_wad
    if size == 0:
        return False
    left = equity(position, now, price) - liquidation_premium(size, price, settings)
    return max(0, left) <= liquidation_margin(size, price, settings)


def approximate_liquidation_price(
    position: Position, now: Funding, price: int, settings: Settings
) -> int:
    """`_approxLiquidationPrice`: fees, premium and funding as they are at the present price."""
    size = position.size_wad
    if size == 0:
        return 0
    free = position.margin_wad - liquidation_premium(size, price, settings)
    shift = divide(liquidation_margin(size, price, settings) - free, size)
    received = now.next_entry(price) - position.funding_wad
    return max(0, position.last_price_wad + shift - received)
