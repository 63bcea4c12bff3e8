"""One step of a Uniswap v3 swap, within a range of constant liquidity.

Sources: SwapMath.computeSwapStep and SqrtPriceMath of @uniswap/v3-core 1.0.1, for exact input. All
square-root prices are Q64.96, all amounts base units.
"""

from __future__ import annotations

from typing import NamedTuple

from defirisk.swaps.arguments import MAX_UINT256
from defirisk.swaps.tick_math import Q96

PIPS = 10**6


class Step(NamedTuple):
    """Where the price ends, what the range took without the fee, what it gave, and the fee."""

    sqrt_price_x96: int
    amount_in: int
    amount_out: int
    fee: int


def ceil_div(top: int, bottom: int) -> int:
    """top / bottom, rounded up."""
    return -(-top // bottom)


def amount0_delta(one: int, other: int, liquidity: int, *, up: bool) -> int:
    """getAmount0Delta: base units of token 0 between two square-root prices."""
    low, high = min(one, other), max(one, other)
    product = (liquidity << 96) * (high - low)
    return ceil_div(ceil_div(product, high), low) if up else product // high // low


def amount1_delta(one: int, other: int, liquidity: int, *, up: bool) -> int:
    """getAmount1Delta: base units of token 1 between two square-root prices."""
    product = liquidity * abs(one - other)
    return ceil_div(product, Q96) if up else product // Q96


def next_sqrt_price(
    sqrt_price_x96: int, liquidity: int, amount_in: int, *, zero_for_one: bool
) -> int:
    """getNextSqrtPriceFromInput: rounded so that the pool never gives too much."""
    if not zero_for_one:
        return sqrt_price_x96 + (amount_in << 96) // liquidity
    if amount_in == 0:
        return sqrt_price_x96
    numerator = liquidity << 96
    denominator = numerator + amount_in * sqrt_price_x96
    if denominator <= MAX_UINT256:
        return ceil_div(numerator * sqrt_price_x96, denominator)
    # Where 256 bits are too few the contract divides first, and rounds differently.
    return ceil_div(numerator, numerator // sqrt_price_x96 + amount_in)


def swap_step(
    sqrt_price_x96: int, target_x96: int, liquidity: int, remaining: int, fee_pips: int
) -> Step:
    """computeSwapStep: from one square-root price towards another, which says the direction."""
    zero_for_one = sqrt_price_x96 >= target_x96
    taken, given = (
        (amount0_delta, amount1_delta) if zero_for_one else (amount1_delta, amount0_delta)
    )
    less_fee = remaining * (PIPS - fee_pips) // PIPS
    amount_in = taken(sqrt_price_x96, target_x96, liquidity, up=True)
    if less_fee >= amount_in:
        end = target_x96
    else:
        end = next_sqrt_price(sqrt_price_x96, liquidity, less_fee, zero_for_one=zero_for_one)
    if end == target_x96:
        fee = ceil_div(amount_in * fee_pips, PIPS - fee_pips)
    else:
        amount_in = taken(sqrt_price_x96, end, liquidity, up=True)
        fee = remaining - amount_in
    return Step(end, amount_in, given(sqrt_price_x96, end, liquidity, up=False), fee)
