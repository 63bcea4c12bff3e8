"""Ticks by products alone, against the contract's own integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from defirisk.contagion.cascade.machine import machine_code
from defirisk.contagion.cascade.ticks import KERNELS, price_at, tick_at, tick_powers
from defirisk.swaps.tick_math import (
    MAX_TICK,
    MIN_TICK,
    Q96,
    sqrt_ratio_at_tick,
    tick_at_sqrt_ratio,
)

POWERS = tick_powers()
COARSE = 400_000
"""Beyond it the contract's own square roots have less digits than a float."""

ticks = st.integers(-COARSE, COARSE)


@given(ticks)
@example(MAX_TICK)
@example(0)
@example(-1)
def test_the_price_at_a_tick_is_the_contract_s(tick: int) -> None:
    exactly = (sqrt_ratio_at_tick(tick) / Q96) ** 2
    assert price_at(POWERS, float(tick)) == pytest.approx(exactly, rel=1e-14)


@given(ticks, st.floats(1e-9, 1 - 1e-9))
def test_the_tick_of_a_price_between_two_is_the_lower_one(tick: int, part: float) -> None:
    low, high = sqrt_ratio_at_tick(tick), sqrt_ratio_at_tick(tick + 1)
    root = low + int((high - low) * part)
    assert tick_at(POWERS, (root / Q96) ** 2) == tick_at_sqrt_ratio(root)


@given(ticks)
def test_a_price_that_is_a_tick_s_own_is_at_that_tick(tick: int) -> None:
    assert tick_at(POWERS, price_at(POWERS, float(tick))) == tick
    assert tick_at(POWERS, (sqrt_ratio_at_tick(tick) / Q96) ** 2) == tick


def test_prices_beyond_every_tick_have_the_outermost_one() -> None:
    assert tick_at(POWERS, 0.0) == tick_at(POWERS, 1e-300) == MIN_TICK
    assert tick_at(POWERS, np.inf) == tick_at(POWERS, 1e300) == MAX_TICK
    assert np.isnan(tick_at(POWERS, np.nan))
    assert np.isnan(price_at(POWERS, np.nan))


@given(st.floats(1e-30, 1e30))
def test_machine_code_says_the_same_bit_for_bit(price: float) -> None:
    tick = tick_at(POWERS, price)
    assert CODE["tick_at"](POWERS, price) == tick
    assert CODE["price_at"](POWERS, tick) == price_at(POWERS, tick)


CODE = machine_code(KERNELS)
