"""The base rate, which redemptions raise and time lets decay, and the fees made of it.

Source: `TroveManagerBase._calcDecayedBaseRate`, `_calcRedemptionRate`,
`TroveManager._calcBorrowingRate` and `LiquityMath._decPow` of npm @sovryn-zero/contracts 0.4.0.
"""

from __future__ import annotations

from defirisk.protocols.cdp.liquity_v1.rows import WAD, System, SystemParameters

MINUTE_DECAY_FACTOR = 999_037_758_833_783_000
"""Half in twelve hours."""
SECONDS_IN_ONE_MINUTE = 60
_MOST_MINUTES = 525_600_000


def decayed_base_rate(system: System, timestamp: int) -> int:
    """The base rate that the next operation would find."""
    minutes = (timestamp - system.last_fee_operation_ts) // SECONDS_IN_ONE_MINUTE
    return system.base_rate_wad * power(MINUTE_DECAY_FACTOR, minutes) // WAD


def borrowing_rate(base_rate_wad: int, parameters: SystemParameters) -> int:
    """Of what is borrowed, in normal mode, 1e18."""
    rate = parameters.borrowing_fee_floor_wad + base_rate_wad
    return min(rate, parameters.max_borrowing_fee_wad)


def redemption_rate(base_rate_wad: int, parameters: SystemParameters) -> int:
    """Of the collateral that is redeemed, 1e18."""
    return min(parameters.redemption_fee_floor_wad + base_rate_wad, WAD)


def power(base: int, exponent: int) -> int:
    """`base` to the power, each product rounded half up at 18 decimals."""
    left, result, square = min(exponent, _MOST_MINUTES), WAD, base
    if left == 0:
        return WAD
    while left > 1:
        if left % 2:
            result = _times(square, result)
        square = _times(square, square)
        left //= 2
    return _times(square, result)


def _times(left: int, right: int) -> int:
    return (left * right + WAD // 2) // WAD
