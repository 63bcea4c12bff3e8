"""Ticks and square-root prices of Uniswap v3: price = 1.0001 ** tick.

Source: TickMath of @uniswap/v3-core 1.0.1. Square-root prices are Q64.96 integers: the square root
of base units of token 1 per base unit of token 0, times 2**96.
"""

from __future__ import annotations

from functools import lru_cache

from defirisk.core.errors import UsageError
from defirisk.swaps.arguments import MAX_UINT256

MIN_TICK = -887272
MAX_TICK = 887272
MIN_SQRT_RATIO = 4295128739
MAX_SQRT_RATIO = 1461446703485210103287273052203988822378723970342
Q96 = 1 << 96

# 1.0001 ** (-(2**i) / 2) as Q128.128, for every bit i of the tick.
_POWERS = (
    0xFFFCB933BD6FAD37AA2D162D1A594001,
    0xFFF97272373D413259A46990580E213A,
    0xFFF2E50F5F656932EF12357CF3C7FDCC,
    0xFFE5CACA7E10E4E61C3624EAA0941CD0,
    0xFFCB9843D60F6159C9DB58835C926644,
    0xFF973B41FA98C081472E6896DFB254C0,
    0xFF2EA16466C96A3843EC78B326B52861,
    0xFE5DEE046A99A2A811C461F1969C3053,
    0xFCBE86C7900A88AEDCFFC83B479AA3A4,
    0xF987A7253AC413176F2B074CF7815E54,
    0xF3392B0822B70005940C7A398E4B70F3,
    0xE7159475A2C29B7443B29C7FA6E889D9,
    0xD097F3BDFD2022B8845AD8F792AA5825,
    0xA9F746462D870FDF8A65DC1F90E061E5,
    0x70D869A156D2A1B890BB3DF62BAF32F7,
    0x31BE135F97D08FD981231505542FCFA6,
    0x9AA508B5B7A84E1C677DE54F3E99BC9,
    0x5D6AF8DEDB81196699C329225EE604,
    0x2216E584F5FA1EA926041BEDFE98,
    0x48A170391F7DC42444E8FA2,
)


@lru_cache(maxsize=1 << 14)
def sqrt_ratio_at_tick(tick: int) -> int:
    """getSqrtRatioAtTick. Errors: `UsageError` where the contract reverts with T."""
    if not MIN_TICK <= tick <= MAX_TICK:
        raise UsageError(f"tick {tick} is not between {MIN_TICK} and {MAX_TICK}")
    ratio = 1 << 128
    for bit, power in enumerate(_POWERS):
        if abs(tick) >> bit & 1:
            ratio = ratio * power >> 128
    if tick > 0:
        ratio = MAX_UINT256 // ratio
    return (ratio + (1 << 32) - 1) >> 32


def tick_at_sqrt_ratio(sqrt_price_x96: int) -> int:
    """getTickAtSqrtRatio: the largest tick whose square-root price is not above this one.

    Errors: `UsageError` where the contract reverts with R.
    """
    if not MIN_SQRT_RATIO <= sqrt_price_x96 < MAX_SQRT_RATIO:
        raise UsageError(f"a square-root price of {sqrt_price_x96} is beyond every tick")
    low, high = MIN_TICK, MAX_TICK - 1
    while low < high:
        middle = (low + high + 1) // 2
        if sqrt_ratio_at_tick(middle) <= sqrt_price_x96:
            low = middle
        else:
            high = middle - 1
    return low
