"""StableSwap against its invariant in exact fractions, and properties of every exchange."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import prod

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from defirisk.core.errors import CheckFailed, UsageError
from defirisk.swaps.stableswap import FEE_DENOMINATOR, Generation, StableSwap, amplification_at
from tests.unit.swaps.pools import amounts, stable

PLACES = st.permutations(range(4))
EVEN = StableSwap(
    balances=(10**24, 10**12, 10**24),
    rates=(10**18, 10**30, 10**18),
    amplification=200_00,
    fee_e10=4_000_000,
)


def two_of(pool: StableSwap, order: list[int]) -> tuple[int, int]:
    first, second, *_ = [place for place in order if place < len(pool.balances)]
    return first, second


def excess(pool: StableSwap, scaled: list[int], invariant: int) -> Fraction:
    """Ann·S + D - Ann·D - D^(n+1) / (n^n·prod): rises with every balance, falls with D."""
    n = len(scaled)
    ann = Fraction(pool.amplification * n, pool.generation.value)
    curved = Fraction(invariant ** (n + 1), n**n * prod(scaled))
    return ann * sum(scaled) + invariant - ann * invariant - curved


def true_invariant(pool: StableSwap) -> int:
    """The largest D that is not above the real one."""
    scaled = list(pool.scaled())
    low, high = 0, sum(scaled) + 1
    while high - low > 1:
        middle = (low + high) // 2
        if excess(pool, scaled, middle) >= 0:
            low = middle
        else:
            high = middle
    return low


def slack(pool: StableSwap) -> int:
    """By how many parts of 1e-18 the contract's truncations may move y: steep where the balances
    are far apart.
    """
    scaled = pool.scaled()
    return 8 + 4 * max(scaled) // min(scaled)


@given(stable(balanced=100))
def test_the_invariant_is_the_root_of_its_equation(pool: StableSwap) -> None:
    assert abs(pool.invariant() - true_invariant(pool)) <= 2 + slack(pool)


@given(stable(balanced=100), PLACES, st.data())
def test_an_exchange_keeps_the_invariant(
    pool: StableSwap, order: list[int], data: st.DataObject
) -> None:
    """What leaves before the fee is what the equation gives up, less one for rounding."""
    i, j = two_of(pool, order)
    free = replace(pool, fee_e10=0, rates=(10**18,) * len(pool.balances), balances=pool.scaled())
    amount = data.draw(amounts(free.balances[i] // 1000))
    invariant = free.invariant()
    sale = free.sell(i, j, amount)
    assume(sale.sold)
    after = list(sale.pool.scaled()) if isinstance(sale.pool, StableSwap) else []
    low, high = 1, after[j] + slack(pool)
    while high - low > 1:
        middle = (low + high) // 2
        if excess(free, [*after[:j], middle, *after[j + 1 :]], invariant) >= 0:
            high = middle
        else:
            low = middle
    assert -slack(pool) <= after[j] - high <= slack(pool) + 2


@given(stable(), PLACES, st.data())
def test_the_view_and_the_exchange_agree(
    pool: StableSwap, order: list[int], data: st.DataObject
) -> None:
    i, j = two_of(pool, order)
    amount = data.draw(amounts(pool.balances[i]))
    sale, view = pool.sell(i, j, amount), pool.get_dy(i, j, amount)
    if pool.generation is Generation.PLAIN:
        assert sale.received == view
    else:
        assert abs(sale.received - view) <= 1
    assert isinstance(sale.pool, StableSwap)
    fee = Fraction(pool.fee_e10, FEE_DENOMINATOR)
    admin = sale.received * fee / (1 - fee) * Fraction(pool.admin_fee_e10, FEE_DENOMINATOR)
    left = pool.balances[j] - sale.pool.balances[j] - sale.received
    assert abs(left - admin) <= 2
    assert sale.pool.balances[i] == pool.balances[i] + sale.sold


@given(stable(), PLACES, st.data())
def test_more_sold_brings_more_at_a_lower_price(
    pool: StableSwap, order: list[int], data: st.DataObject
) -> None:
    i, j = two_of(pool, order)
    one, other = sorted(data.draw(amounts(pool.balances[i])) for _ in range(2))
    small, large = pool.sell(i, j, one), pool.sell(i, j, other)
    assert small.received <= large.received
    grain = 1 + Fraction(slack(pool), min(pool.scaled()))
    assert large.pool.price(i, j) <= small.pool.price(i, j) * grain
    assert small.pool.price(i, j) <= pool.price(i, j) * grain


@given(stable(), PLACES, st.data())
def test_a_round_trip_never_gains(pool: StableSwap, order: list[int], data: st.DataObject) -> None:
    i, j = two_of(pool, order)
    there = pool.sell(i, j, data.draw(amounts(pool.balances[i])))
    back = there.pool.sell(j, i, there.received)
    assert back.received <= there.sold


@given(stable(fee=False, balanced=10), PLACES, st.data())
def test_without_a_fee_two_halves_are_a_whole(
    pool: StableSwap, order: list[int], data: st.DataObject
) -> None:
    i, j = two_of(pool, order)
    one, other = (data.draw(amounts(pool.balances[i] // 1000)) for _ in range(2))
    first = pool.sell(i, j, one)
    second = first.pool.sell(i, j, other)
    whole = pool.sell(i, j, one + other)
    assume(first.sold and second.sold)
    unit = Fraction(slack(pool), 1) * 10**18 / pool.rates[j] + 2
    assert abs(whole.received - first.received - second.received) <= unit


@given(stable(), PLACES)
def test_the_price_is_what_a_small_sale_brings(pool: StableSwap, order: list[int]) -> None:
    i, j = two_of(pool, order)
    free = replace(pool, fee_e10=0, rates=(10**18,) * len(pool.balances), balances=pool.scaled())
    amount = min(free.balances) // 10**6
    sale = free.sell(i, j, amount)
    assume(sale.sold)  # with little amplification the contract's D may not converge
    brought = Fraction(sale.received, amount)
    assert float(brought) == pytest.approx(float(free.price(i, j)), rel=1e-4)
    scale = Fraction(pool.rates[i], pool.rates[j])
    assert float(pool.price(i, j)) == pytest.approx(float(free.price(i, j) * scale), rel=1e-12)


@settings(max_examples=30)
@given(stable(), PLACES, st.fractions(Fraction(1, 100), 1))
def test_selling_until_a_price_sells_all_that_it_allows(
    pool: StableSwap, order: list[int], part: Fraction
) -> None:
    i, j = two_of(pool, order)
    price = pool.price(i, j) * part
    sale = pool.sell_until(i, j, price)
    assert sale == pool.sell(i, j, sale.sold)
    assert sale.pool.price(i, j) >= price
    more = pool.sell(i, j, sale.sold + 2 + sale.sold // 1000)
    assert more.sold == 0 or more.pool.price(i, j) < price


def test_what_cannot_be_computed_is_not_sold() -> None:
    empty = replace(EVEN, balances=(10**24, 0, 10**24))
    assert empty.sell(0, 1, 10**18).sold == 0
    assert empty.sell_until(0, 1, Fraction(1, 10)).sold == 0
    with pytest.raises(CheckFailed):
        empty.price(0, 1)
    assert EVEN.sell(0, 1, 2**256).sold == 0  # beyond 256 bits
    assert EVEN.get_dy(0, 1, 2**256) == 0
    assert EVEN.sell(0, 1, 0).sold == 0
    with pytest.raises(UsageError):
        EVEN.sell(0, 3, 1)


def test_an_empty_pool_has_no_virtual_price() -> None:
    empty = replace(EVEN, balances=(0, 0, 0))
    assert empty.invariant() == 0
    with pytest.raises(CheckFailed):
        empty.virtual_price(0)


def test_dust_against_a_fortune_converges_or_is_refused() -> None:
    """The first generation takes what 255 iterations give; the next one reverts."""
    lopsided = replace(EVEN, balances=(10**30, 1, 10**24), amplification=100)
    first = replace(lopsided, amplification=1, generation=Generation.FIRST)
    assert first.sell(1, 0, 10**6).received <= 10**30
    with_a = lopsided.sell(1, 0, 10**6)
    assert with_a.received <= 10**30


@pytest.mark.parametrize(
    ("now", "expected"), [(0, 1000), (50, 1500), (33, 1330), (100, 2000), (500, 2000)]
)
def test_a_ramp_is_linear_in_time(now: int, expected: int) -> None:
    up = amplification_at(now, initial=1000, future=2000, initial_time=0, future_time=100)
    assert up == expected
    down = amplification_at(now, initial=2000, future=1000, initial_time=0, future_time=100)
    assert down == 3000 - expected


def test_a_ramp_is_rounded_towards_where_it_began() -> None:
    up = amplification_at(1, initial=10, future=15, initial_time=0, future_time=3)
    down = amplification_at(1, initial=15, future=10, initial_time=0, future_time=3)
    assert (up, down) == (11, 14)
