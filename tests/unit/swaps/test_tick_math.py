"""Ticks against the contract's constants, its own logarithm, and decimals of fifty digits."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.core.errors import UsageError
from defirisk.swaps.tick_math import (
    MAX_SQRT_RATIO,
    MAX_TICK,
    MIN_SQRT_RATIO,
    MIN_TICK,
    sqrt_ratio_at_tick,
    tick_at_sqrt_ratio,
)

TICKS = st.integers(MIN_TICK, MAX_TICK)


def by_logarithm(sqrt_price_x96: int) -> int:
    """The contract's way: a base-2 logarithm of 64.14 bits, scaled, and two candidates."""
    ratio = sqrt_price_x96 << 32
    top = ratio.bit_length() - 1
    r = ratio >> (top - 127) if top >= 128 else ratio << (127 - top)
    log_2 = (top - 128) << 64
    for bit in range(63, 49, -1):
        r = r * r >> 127
        over = r >> 128
        log_2 |= over << bit
        r >>= over
    log_root = log_2 * 255738958999603826347141
    low = (log_root - 3402992956809132418596140100660247210) >> 128
    high = (log_root + 291339464771989622907027621153398088495) >> 128
    if low == high:
        return low
    return high if sqrt_ratio_at_tick(high) <= sqrt_price_x96 else low


def test_the_ends_are_the_contract_s_constants() -> None:
    assert sqrt_ratio_at_tick(MIN_TICK) == MIN_SQRT_RATIO
    assert sqrt_ratio_at_tick(MAX_TICK) == MAX_SQRT_RATIO
    assert sqrt_ratio_at_tick(0) == 2**96
    assert tick_at_sqrt_ratio(MIN_SQRT_RATIO) == MIN_TICK
    assert tick_at_sqrt_ratio(MAX_SQRT_RATIO - 1) == MAX_TICK - 1


@given(TICKS)
def test_ratios_are_powers_of_the_base(tick: int) -> None:
    with localcontext() as context:
        context.prec = 50
        true = (Decimal("1.0001") ** tick).sqrt() * 2**96
        ratio = sqrt_ratio_at_tick(tick)
        assert abs(ratio - true) <= 1 + true * Decimal("1e-18")


@given(st.integers(MIN_SQRT_RATIO, MAX_SQRT_RATIO - 1) | TICKS.map(sqrt_ratio_at_tick))
def test_the_tick_is_the_one_of_the_contract_s_logarithm(sqrt_price: int) -> None:
    sqrt_price = min(sqrt_price, MAX_SQRT_RATIO - 1)
    tick = tick_at_sqrt_ratio(sqrt_price)
    assert tick == by_logarithm(sqrt_price)
    assert sqrt_ratio_at_tick(tick) <= sqrt_price < sqrt_ratio_at_tick(tick + 1)


@given(TICKS.filter(lambda tick: tick > MIN_TICK))
def test_one_below_a_ratio_belongs_to_the_tick_below(tick: int) -> None:
    ratio = sqrt_ratio_at_tick(tick)
    assert tick_at_sqrt_ratio(ratio - 1) == tick - 1
    if tick < MAX_TICK:
        assert tick_at_sqrt_ratio(ratio) == tick


@pytest.mark.parametrize("tick", [MIN_TICK - 1, MAX_TICK + 1])
def test_there_is_no_ratio_beyond_the_ends(tick: int) -> None:
    with pytest.raises(UsageError):
        sqrt_ratio_at_tick(tick)


@pytest.mark.parametrize("sqrt_price", [MIN_SQRT_RATIO - 1, MAX_SQRT_RATIO])
def test_there_is_no_tick_beyond_the_ends(sqrt_price: int) -> None:
    with pytest.raises(UsageError):
        tick_at_sqrt_ratio(sqrt_price)
