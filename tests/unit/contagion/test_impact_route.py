"""Routing over several venues against an exact split of the pools' own integers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defirisk.contagion.impact.route import Path, Route
from defirisk.core.depth import Floats
from defirisk.core.venue import Pool
from defirisk.swaps.concentrated import Concentrated
from defirisk.swaps.constant_product import ConstantProduct
from defirisk.swaps.stableswap import StableSwap
from defirisk.swaps.tick_math import Q96, sqrt_ratio_at_tick
from tests.unit.contagion.impact_cases import Twins

E = 10**18
SIZES = st.just(0.0) | st.floats(1e-9, 1e8)
STABLE = StableSwap(
    balances=(3 * 10**6 * E, 2 * 10**6 * E),
    rates=(E, E),
    amplification=200_00,
    fee_e10=4_000_000,
    admin_fee_e10=5 * 10**9,
)


def concentrated(liquidity: int, *, fee_pips: int = 500, width: int = 600) -> Concentrated:
    """One range on both sides of a price of one, over nothing."""
    return Concentrated.of(
        sqrt_price_x96=Q96,
        tick=0,
        liquidity=liquidity,
        fee_pips=fee_pips,
        tick_spacing=10,
        liquidity_net={-width: liquidity, width: -liquidity},
    )


@st.composite
def venues(draw: st.DrawFn) -> list[Pool]:
    """Two or three pools that trade at about one to one."""
    size = st.integers(1, 10**7)
    pairs = st.tuples(size, st.floats(0.97, 1.03)).map(
        lambda one: ConstantProduct((one[0] * E, int(one[0] * one[1] * 1000) * E // 1000))
    )
    ranges = st.tuples(size, st.sampled_from([100, 500, 3000])).map(
        lambda one: concentrated(one[0] * E * 10, fee_pips=one[1])
    )
    return draw(st.lists(st.one_of(pairs, ranges, st.just(STABLE)), min_size=2, max_size=3))


def route(pools: list[Pool]) -> Route:
    return Route(tuple(Twins(pool, 0, 1, (18, 18)).curve for pool in pools))


def best_split(pools: list[Pool], amount: int) -> int:
    """Base units received from the best split over two pools, by thirds over whole base units."""
    one, other = pools

    def received(part: int) -> int:
        return one.sell(0, 1, part).received + other.sell(0, 1, amount - part).received

    low, high = 0, amount
    while high - low > 2:
        third = (high - low) // 3
        if received(low + third) < received(high - third):
            low += third
        else:
            high -= third
    return max(received(part) for part in {0, low, low + 1, high, amount})


@settings(max_examples=15)
@given(venues(), st.floats(1e-3, 1e7))
def test_no_exact_split_brings_more(pools: list[Pool], amount: float) -> None:
    raw = int(amount * E)
    made = route(pools[:2])
    best = best_split(pools[:2], raw) / E
    ours = made.sell(np.array([raw / E]))[0]
    assert ours == pytest.approx(best, rel=1e-9, abs=1e-9)
    # And the split, executed in integers, brings what was said.
    parts = [int(part * E) for part in made.split(np.array([raw / E]))[:, 0]]
    executed = sum(p.sell(0, 1, part).received for p, part in zip(pools[:2], parts, strict=True))
    assert executed / E == pytest.approx(best, rel=1e-9, abs=1e-9)


@settings(max_examples=40)
@given(venues(), st.lists(SIZES, min_size=1, max_size=6))
def test_the_parts_add_up_and_bring_the_same_at_the_margin(
    pools: list[Pool], sizes: list[float]
) -> None:
    made, amount = route(pools), np.array(sizes)
    parts = made.split(amount)
    np.testing.assert_allclose(parts.sum(axis=0), np.minimum(amount, made.capacity), rtol=1e-12)
    margins = np.array([c.marginal(p) for c, p in zip(made.curves, parts, strict=True)])
    best = margins.max(axis=0)
    for curve, part, margin in zip(made.curves, parts, margins, strict=True):
        used = (part > 0) & (part < curve.capacity * (1 - 1e-9)) & (amount < made.capacity)
        gap_begins = np.isfinite(curve.capacity)
        assert (np.abs(margin[used] / best[used] - 1) < 1e-6).all() or gap_begins
        # A venue that is not used pays less from the beginning than the others do in the end.
        assert (curve.marginal(np.zeros(1))[0] <= best[part == 0] * (1 + 1e-9)).all() or (
            amount[part == 0] == 0
        ).any()


@settings(max_examples=40)
@given(venues(), st.lists(st.floats(0.2, 1.2), min_size=1, max_size=4))
def test_a_price_that_is_reached_is_reached_everywhere(
    pools: list[Pool], parts: list[float]
) -> None:
    made = route(pools)
    now = made.price_after(np.zeros(1))[0]
    wanted = now * np.array(parts)
    amount = made.amount_to(wanted)
    reached = np.isfinite(amount)
    after = made.price_after(np.where(reached, amount, 0.0))
    assert (amount[wanted >= now] == 0).all()
    assert (after[reached] <= np.maximum(wanted, 0)[reached] * (1 + 1e-8)).all() or (
        amount[reached] == 0
    ).any()


def test_one_pool_alone_is_its_own_route() -> None:
    made, alone = route([STABLE]), Twins(STABLE, 0, 1, (18, 18)).curve
    amount = np.array([0.0, 1.0, 1e5, 1e9])
    np.testing.assert_allclose(made.sell(amount), alone.sell(amount), rtol=1e-12)
    np.testing.assert_allclose(made.price_after(amount), alone.price_after(amount), rtol=1e-12)


def test_equal_pools_share_equally() -> None:
    pair = ConstantProduct((10**6 * E, 10**6 * E))
    parts = route([pair, pair]).split(np.array([2e5]))
    np.testing.assert_allclose(parts[:, 0], 1e5, rtol=1e-9)


def test_more_than_all_can_take_fills_all() -> None:
    pools: list[Pool] = [concentrated(10**24), concentrated(10**25, fee_pips=100)]
    made = route(pools)
    over = np.array([made.capacity * 3])
    exact = sum(pool.sell(0, 1, 2**200).received for pool in pools) / E
    assert made.sell(over)[0] == pytest.approx(exact, rel=1e-12)
    assert made.price_after(over)[0] < 1e-30


def path_of(first: Pool, second: Pool) -> Path:
    return Path(Twins(first, 0, 1, (18, 18)).curve, Twins(second, 0, 1, (18, 18)).curve)


@settings(max_examples=40)
@given(venues(), st.lists(st.floats(1e-2, 1e7), min_size=1, max_size=6))
def test_a_path_is_one_sale_after_the_other(pools: list[Pool], sizes: list[float]) -> None:
    first, second = pools[:2]
    made = path_of(first, second)
    exact = []
    for size in sizes:
        between = first.sell(0, 1, int(size * E)).received
        exact.append(second.sell(0, 1, between).received / E)
    np.testing.assert_allclose(made.sell(np.array(sizes)), exact, rtol=1e-9, atol=1e-12)


@settings(max_examples=40)
@given(venues(), st.lists(st.floats(0.3, 0.95), min_size=1, max_size=4))
def test_a_path_s_price_is_the_product_and_is_found_again(
    pools: list[Pool], parts: list[float]
) -> None:
    made = path_of(*pools[:2])
    now = float(pools[0].price(0, 1) * pools[1].price(0, 1))
    assert made.price_after(np.zeros(1))[0] == pytest.approx(now, rel=1e-12)
    amount = made.amount_to(now * np.array(parts))
    reached: Floats = amount[np.isfinite(amount)]
    after = made.price_after(reached)
    before = made.price_after(reached * (1 - 1e-9))
    wanted = (now * np.array(parts))[np.isfinite(amount)]
    assert (after <= wanted * (1 + 1e-7)).all()
    assert (before >= wanted * (1 - 1e-7)).all()


def test_a_path_takes_what_fills_its_second_pool() -> None:
    small = concentrated(10**22)
    most = small.sell(0, 1, 2**200)
    made = path_of(ConstantProduct((10**6 * E, 10**6 * E), Fraction(0)), small)
    assert isinstance(most.pool, Concentrated)
    received = made.sell(np.array([made.capacity]))[0]
    assert received == pytest.approx(most.received / E, rel=1e-9)
    assert small.swap(True, most.sold, sqrt_ratio_at_tick(-600)).received == most.received
    assert path_of(small, STABLE).capacity == pytest.approx(most.sold / E, rel=1e-12)
    assert path_of(small, concentrated(10**26)).capacity == pytest.approx(most.sold / E, rel=1e-12)
