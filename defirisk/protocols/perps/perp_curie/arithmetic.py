"""Integer arithmetic as Solidity does it, and prices from square roots.

Source: PerpMath, SettlementTokenMath and UniswapV3Broker of npm @perp/curie-contract 2.8.4.
"""

from __future__ import annotations

from math import isqrt

from defirisk.core.errors import UsageError
from defirisk.protocols.perps.perp_curie.rows import RATIO, WAD
from defirisk.swaps.tick_math import Q96, sqrt_ratio_at_tick, tick_at_sqrt_ratio

SETTLEMENT_DECIMALS = 6
"""Of the settlement token, USDC in every deployment: no event says it."""
SETTLEMENT_UNIT: int = 10 ** (18 - SETTLEMENT_DECIMALS)


def toward_zero(top: int, bottom: int) -> int:
    """`top` / `bottom`, cut as Solidity cuts; `bottom` is above 0."""
    whole = abs(top) // bottom
    return whole if top >= 0 else -whole


def of_ratio(value: int, ratio: int) -> int:
    """PerpMath.mulRatio: so many parts of a million."""
    return toward_zero(value * ratio, RATIO)


def value_at(size: int, price: int) -> int:
    """What a size (1e18) is worth at a price (1e18)."""
    return toward_zero(size * price, WAD)


def price_x96(sqrt_price_x96: int) -> int:
    """formatSqrtPriceX96ToPriceX96."""
    return sqrt_price_x96 * sqrt_price_x96 // Q96


def price_of(sqrt_price_x96: int) -> int:
    """The price (1e18) of a square-root price."""
    return price_x96(sqrt_price_x96) * WAD // Q96


def median_of_three(one: int, two: int, three: int) -> int:
    """PerpMath.findMedianOfThree."""
    return sorted((one, two, three))[1]


def to_settlement(value: int) -> int:
    """formatSettlementToken: rounded down, whatever the sign."""
    return value // SETTLEMENT_UNIT


def from_settlement(amount_raw: int) -> int:
    """parseSettlementToken."""
    return amount_raw * SETTLEMENT_UNIT


def root_of_mean(price: int) -> int | None:
    """The square-root price of the tick whose price (1e18) this is; None where no tick has it.

    A mean price is that of a whole tick, so what an event rounds to 1e18 can be had back exactly.
    """
    guess = isqrt((price << 192) // WAD)
    try:
        tick = tick_at_sqrt_ratio(guess)
    except UsageError:
        return None
    for near in (tick, tick + 1, tick - 1):
        root = sqrt_ratio_at_tick(near)
        if price_of(root) == price:
            return root
    return None
