"""The price at which a position can be liquidated, with every fee as it would be at that price.

`liquidationPrice` of the contract takes fees, premium and funding as they are at the present price.
Source of what is solved: `PerpsV2MarketBase._canLiquidate` of npm synthetix 2.102.1.
"""

from __future__ import annotations

from fractions import Fraction

from defirisk.protocols.perps.synthetix_perps_v2.arithmetic import (
    Funding,
    Settings,
    divide,
    multiply,
)
from defirisk.protocols.perps.synthetix_perps_v2.rows import UNIT, Position


def constant_part(position: Position, now: Funding) -> Fraction:
    """The part of a position's margin that no price moves; sUSD, may be negative."""
    received = now.recorded - position.funding_wad
    sold = position.size_wad * (received - position.last_price_wad)
    return Fraction(position.margin_wad, UNIT) + Fraction(sold, UNIT**2)


def margin_ratio(position: Position, settings: Settings) -> Fraction:
    """Buffer and premium, both as parts of the notional."""
    impact = divide(abs(position.size_wad), settings.skew_scale)
    premium = multiply(impact, settings.liquidation_premium_multiplier)
    return Fraction(settings.liquidation_buffer_ratio + premium, UNIT)


def liquidation_price(
    position: Position, now: Funding, price: Fraction, settings: Settings
) -> Fraction | None:
    """The one nearest to the present price; None where there is none above 0.

    What is left of the margin is a line in the price for each regime of the liquidation fee.
    """
    if position.size_wad == 0:
        return None
    size = Fraction(position.size_wad, UNIT)
    moving = size * (1 + Fraction(now.per_price, UNIT))
    moving -= abs(size) * margin_ratio(position, settings)
    fixed = constant_part(position, now) - Fraction(settings.keeper_liquidation_fee, UNIT)
    fee = abs(size) * Fraction(settings.liquidation_fee_ratio, UNIT)
    low, high = (Fraction(x, UNIT) for x in (settings.min_keeper_fee, settings.max_keeper_fee))
    found = []
    for slope, start in ((moving, fixed - low), (moving - fee, fixed), (moving, fixed - high)):
        if slope == 0:
            continue
        root = -start / slope
        charged = max(min(fee * root, high), low)
        if root > 0 and moving * root + fixed == charged:
            found.append(root)
    return min(found, key=lambda root: abs(root - price), default=None)
