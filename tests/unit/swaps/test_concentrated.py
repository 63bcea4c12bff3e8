"""Ranges of liquidity against published constants, a naive pool, and properties of every swap."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import isqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defirisk.core.errors import UsageError
from defirisk.swaps.concentrated import HIGHEST, LOWEST, Concentrated
from defirisk.swaps.swap_math import PIPS, amount0_delta, amount1_delta, swap_step
from defirisk.swaps.tick_math import MAX_SQRT_RATIO, MIN_SQRT_RATIO, Q96, sqrt_ratio_at_tick
from tests.unit.swaps.pools import DIRECTIONS, amounts, ranged, real_reserve

ETHER = 10**18
POOLS = ranged(widest=40)  # a few word edges, and few enough ticks for the naive pool

# Uniswap v3 Development Book: 1 ETH and 5000 USDC around a price of 5000, no fee.
BOOK = Concentrated.of(
    sqrt_price_x96=5602277097478614198912276234240,
    tick=85176,
    liquidity=1517882343751509868544,
    fee_pips=0,
    tick_spacing=1,
    liquidity_net={84222: 1517882343751509868544, 86129: -1517882343751509868544},
)


def naive(pool: Concentrated, down: bool, amount: int) -> tuple[int, int, int, int, int, int]:
    """Tick by tick to the next one that is initialised or ends a word of 256. Sold, received,
    square-root price, tick, liquidity, and how many steps it took.
    """
    net = dict(zip(pool.ticks, pool.liquidity_net, strict=True))
    price, tick, liquidity = pool.sqrt_price_x96, pool.tick, pool.liquidity
    left, received, steps, inside = amount, 0, 0, False
    limit = LOWEST if down else HIGHEST
    while left and price != limit:
        place = tick // pool.tick_spacing if down else tick // pool.tick_spacing + 1
        while place * pool.tick_spacing not in net and place % 256 != (0 if down else 255):
            place += -1 if down else 1
        end = max(-887272, min(887272, place * pool.tick_spacing))
        target = sqrt_ratio_at_tick(end)
        aim = max(target, limit) if down else min(target, limit)
        step = swap_step(price, aim, liquidity, left, pool.fee_pips)
        inside = step.sqrt_price_x96 not in (price, target)
        left -= step.amount_in + step.fee
        received += step.amount_out
        price, steps = step.sqrt_price_x96, steps + 1
        if price == target:
            liquidity += (-1 if down else 1) * net.get(end, 0)
            tick = end - 1 if down else end
    while inside and sqrt_ratio_at_tick(tick) > price:
        tick -= 1
    while inside and sqrt_ratio_at_tick(tick + 1) <= price:
        tick += 1
    return amount - left, received, price, tick, liquidity, steps


def test_the_book_s_position() -> None:
    """Its amounts are those of the prices 4545 and 5500, between ticks."""
    low, high = isqrt(4545 << 192), isqrt(5500 << 192)
    price, liquidity = BOOK.sqrt_price_x96, BOOK.liquidity
    ether = amount0_delta(price, high, liquidity, up=True)
    assert ether == pytest.approx(998976618347425280, rel=1e-12)
    dollars = amount1_delta(low, price, liquidity, up=True)
    assert dollars == pytest.approx(5000 * ETHER, rel=1e-12)
    assert float(BOOK.price(0, 1)) == pytest.approx(5000, rel=1e-15)


def test_the_book_s_purchase_with_42_usdc() -> None:
    sale = BOOK.sell(1, 0, 42 * ETHER)
    assert (sale.sold, sale.received) == (42 * ETHER, 8396714242162444)
    assert isinstance(sale.pool, Concentrated)
    assert sale.pool.sqrt_price_x96 == 5604469350942327889444743441197
    assert sale.pool.tick == 85184
    assert float(sale.pool.price(0, 1)) == pytest.approx(5003.9139, abs=5e-5)


@given(POOLS, st.data(), DIRECTIONS)
def test_every_number_is_that_of_the_naive_pool(
    pool: Concentrated, data: st.DataObject, way: tuple[int, int]
) -> None:
    amount = data.draw(amounts(pool.liquidity))
    sale = pool.sell(*way, amount)
    after = sale.pool
    assert isinstance(after, Concentrated)
    *numbers, _ = naive(pool, way == (0, 1), amount)
    assert numbers == [
        *(sale.sold, sale.received),
        *(after.sqrt_price_x96, after.tick, after.liquidity),
    ]


@given(
    st.integers(MIN_SQRT_RATIO, MAX_SQRT_RATIO - 1),
    st.integers(MIN_SQRT_RATIO, MAX_SQRT_RATIO - 1),
    st.integers(1, 2**127),
    st.integers(1, 2**255),
    st.sampled_from([0, 100, 3000, 999_999]),
)
def test_a_step_is_the_real_one_rounded_for_the_pool(
    start: int, target: int, liquidity: int, remaining: int, fee_pips: int
) -> None:
    step = swap_step(start, target, liquidity, remaining, fee_pips)
    s, e = Fraction(start, Q96), Fraction(step.sqrt_price_x96, Q96)
    token0, token1 = liquidity * abs(1 / s - 1 / e), liquidity * abs(s - e)
    taken, given_ = (token0, token1) if target <= start else (token1, token0)
    assert min(start, target) <= step.sqrt_price_x96 <= max(start, target)
    assert 0 <= step.amount_in - taken < 2
    assert 0 <= given_ - step.amount_out < 2
    assert step.amount_in + step.fee <= remaining
    if step.sqrt_price_x96 == target:
        assert 0 <= step.fee - step.amount_in * Fraction(fee_pips, PIPS - fee_pips) < 1
    else:
        assert step.amount_in + step.fee == remaining


@given(POOLS, st.data(), DIRECTIONS)
def test_more_sold_brings_more_at_a_lower_price(
    pool: Concentrated, data: st.DataObject, way: tuple[int, int]
) -> None:
    one, other = sorted(data.draw(amounts(pool.liquidity)) for _ in range(2))
    small, large = pool.sell(*way, one), pool.sell(*way, other)
    assert small.sold <= large.sold
    assert small.received <= large.received
    assert large.pool.price(*way) <= small.pool.price(*way) <= pool.price(*way)


@given(POOLS, st.data(), DIRECTIONS)
def test_a_round_trip_never_gains(
    pool: Concentrated, data: st.DataObject, way: tuple[int, int]
) -> None:
    i, j = way
    there = pool.sell(i, j, data.draw(amounts(pool.liquidity)))
    back = there.pool.sell(j, i, there.received)
    assert back.received <= there.sold


@given(ranged(widest=40, fee_pips=0), st.data(), DIRECTIONS)
def test_without_a_fee_two_halves_are_a_whole(
    pool: Concentrated, data: st.DataObject, way: tuple[int, int]
) -> None:
    down = way == (0, 1)
    one, other = (data.draw(amounts(pool.liquidity)) for _ in range(2))
    first = pool.sell(*way, one)
    second = first.pool.sell(*way, other)
    whole = pool.sell(*way, one + other)
    # Each step rounds once; a base unit more or less sold is worth one at the price of the start.
    unit = pool.price(*way) + 1
    steps = naive(pool, down, one + other)[-1] + 2
    assert abs(whole.received - first.received - second.received) <= 2 * steps * unit
    assert whole.received >= first.received


@given(POOLS, st.fractions(Fraction(1, 10), 1), DIRECTIONS)
def test_selling_until_a_price_ends_just_above_it(
    pool: Concentrated, part: Fraction, way: tuple[int, int]
) -> None:
    price = pool.price(*way) * part
    sale = pool.sell_until(*way, price)
    after = sale.pool
    assert isinstance(after, Concentrated)
    assert after.price(*way) >= price
    root = after.sqrt_price_x96 + (-1 if way == (0, 1) else 1)
    if root not in (LOWEST - 1, HIGHEST + 1):
        further = Fraction(root**2, 1 << 192)
        assert (further if way == (0, 1) else 1 / further) < price
    # What moves the price so far is rounded up to a base unit, which is worth one at the price.
    assert abs(pool.sell(*way, sale.sold).received - sale.received) <= pool.price(*way) + 1


@settings(max_examples=20)
@given(ranged(widest=40, fee_pips=3000), st.fractions(Fraction(1, 2), 1), DIRECTIONS)
def test_selling_until_a_price_agrees_with_a_bisection_over_sales(
    pool: Concentrated, part: Fraction, way: tuple[int, int]
) -> None:
    price = pool.price(*way) * part
    sale = pool.sell_until(*way, price)
    low, high = 0, 2**128
    while high - low > 1:
        middle = (low + high) // 2
        if pool.sell(*way, middle).pool.price(*way) >= price:
            low = middle
        else:
            high = middle
    # What is beyond moves the price by less than its own last place, or meets no liquidity at all;
    # a base unit sold more or less is worth one at the price.
    grain = pool.sell(*way, low).received - sale.received
    unit = pool.price(*way) + 1
    assert low >= sale.sold - 1
    assert -unit <= grain <= 2 * unit + max(map(abs, pool.liquidity_net)) // 2**59


def test_word_edges_end_steps_where_nothing_is_initialised() -> None:
    wide = Concentrated.of(
        sqrt_price_x96=Q96,
        tick=0,
        liquidity=10**18,
        fee_pips=3000,
        tick_spacing=1,
        liquidity_net={-5000: 10**18, 5000: -(10**18)},
    )
    *numbers, steps = naive(wide, True, 10**17)
    assert steps >= 7
    sale = wide.sell(0, 1, 10**17)
    assert [sale.sold, sale.received] == numbers[:2]
    # One long step, as if there were no words, is off.
    long = swap_step(Q96, sqrt_ratio_at_tick(-5000), 10**18, 10**17, 3000)
    assert long.sqrt_price_x96 != numbers[2]


@given(POOLS, DIRECTIONS)
def test_a_sale_ends_with_the_liquidity(pool: Concentrated, way: tuple[int, int]) -> None:
    sale = pool.sell(*way, 2**200)
    assert isinstance(sale.pool, Concentrated)
    assert sale.sold < 2**200
    assert sale.pool.liquidity == 0
    assert sale.pool.sqrt_price_x96 == (LOWEST if way == (0, 1) else HIGHEST)
    again = sale.pool.sell(*way, 10)
    assert (again.sold, again.pool) == (0, sale.pool)  # SPL: there is no way to go
    assert real_reserve(pool, way[1]) == sale.received


@given(POOLS, DIRECTIONS)
def test_ticks_that_were_not_read_end_a_sale(pool: Concentrated, way: tuple[int, int]) -> None:
    known = Concentrated.of(
        sqrt_price_x96=pool.sqrt_price_x96,
        tick=pool.tick,
        liquidity=pool.liquidity,
        fee_pips=pool.fee_pips,
        tick_spacing=pool.tick_spacing,
        liquidity_net={
            tick: net
            for tick, net in zip(pool.ticks, pool.liquidity_net, strict=True)
            if abs(tick - pool.tick) < 1000
        },
        known=(pool.tick - 999, pool.tick + 999),
    )
    sale = known.sell(*way, 2**200)
    bound = sqrt_ratio_at_tick(pool.tick + (-999 if way == (0, 1) else 999))
    whole = pool.swap(way == (0, 1), 2**200, bound)
    assert (sale.sold, sale.received) == (whole.sold, whole.received)


@pytest.mark.parametrize("amount", [0, 2**255])
def test_amounts_that_the_pool_refuses(amount: int) -> None:
    assert BOOK.sell(0, 1, amount).sold == 0
    assert BOOK.swap(True, 1, LOWEST - 1).sold == 0
    assert BOOK.swap(False, 1, HIGHEST + 1).sold == 0
    assert BOOK.swap(False, 1, BOOK.sqrt_price_x96).sold == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tick": 85177}, "not one of tick"),
        ({"liquidity": 1}, "take more liquidity away"),
        ({"liquidity_net": {84222: BOOK.liquidity, 86129: -1}}, "do not add up"),
        ({"liquidity_net": {84222: BOOK.liquidity}}, "without ticks"),
        ({"liquidity_net": {}}, "without ticks"),
        ({"tick_spacing": 60}, "spacing 60"),
        ({"fee_pips": PIPS}, "pips"),
    ],
)
def test_numbers_that_are_not_of_one_pool(change: dict[str, object], message: str) -> None:
    net = dict(zip(BOOK.ticks, BOOK.liquidity_net, strict=True))
    stated: dict[str, object] = {
        name: getattr(BOOK, name)
        for name in ("sqrt_price_x96", "tick", "liquidity", "fee_pips", "tick_spacing")
    }
    with pytest.raises(UsageError, match=message):
        Concentrated.of(**(stated | {"liquidity_net": net} | change))  # type: ignore[arg-type]


def test_ticks_are_kept_in_order() -> None:
    assert all(one < other for one, other in pairwise(BOOK.ticks))
