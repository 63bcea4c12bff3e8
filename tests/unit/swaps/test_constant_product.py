"""Pairs against published vectors, the pair's own K check, and properties of every exchange."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.core.errors import CheckFailed, UsageError
from defirisk.swaps.constant_product import MAX_RESERVE, ConstantProduct
from tests.unit.swaps.pools import DIRECTIONS, amounts, pairs

ETHER = 10**18
FREE = Fraction(0)

# UniswapV2Pair.spec of @uniswap/v2-core: amount in, both reserves in ether, wei out.
SPEC = [
    (1, 5, 10, 1662497915624478906),
    (1, 10, 5, 453305446940074565),
    (2, 5, 10, 2851015155847869602),
    (2, 10, 5, 831248957812239453),
    (1, 10, 10, 906610893880149131),
    (1, 100, 100, 987158034397061298),
    (1, 1000, 1000, 996006981039903216),
]

# A rise of the price by a factor: capital and loss, in parts of the reserve that is sold into.
MANIPULATION = [
    (2, 0.414214, 0.121320),
    (4, 1.0, 0.5),
    (10, 2.162278, 1.478505),
    (100, 9.0, 8.1),
]


@pytest.mark.parametrize(("amount", "x", "y", "out"), SPEC)
def test_the_vectors_of_the_pair_s_own_tests(amount: int, x: int, y: int, out: int) -> None:
    pair = ConstantProduct((x * ETHER, y * ETHER))
    sale = pair.sell(0, 1, amount * ETHER)
    assert (sale.sold, sale.received) == (amount * ETHER, out)
    assert sale.pool == ConstantProduct(((x + amount) * ETHER, y * ETHER - out))
    assert ConstantProduct((y * ETHER, x * ETHER)).sell(1, 0, amount * ETHER).received == out


@pytest.mark.parametrize(("factor", "capital", "loss"), MANIPULATION)
def test_what_it_costs_to_move_a_price(factor: int, capital: float, loss: float) -> None:
    base, quote = 10**25, 2000 * 10**25
    pair = ConstantProduct((base, quote), FREE)
    push = pair.sell_until(1, 0, pair.price(1, 0) / factor)
    assert push.sold / quote == pytest.approx(capital, abs=5e-7)
    worth = push.received * pair.price(0, 1)
    assert float(push.sold - worth) / quote == pytest.approx(loss, abs=5e-7)
    assert push.pool.price(0, 1) == pytest.approx(float(factor * pair.price(0, 1)), rel=1e-12)


def test_the_inverse_finance_attack_of_april_2022() -> None:
    pair = ConstantProduct((46 * ETHER, 432 * ETHER))
    sale = pair.sell(0, 1, 300 * ETHER)
    assert sale.received / ETHER == pytest.approx(374.417, abs=5e-4)
    assert sale.received / ETHER == pytest.approx(374.385477, rel=2e-4)  # what came out
    moved = sale.pool.price(1, 0) / pair.price(1, 0)
    assert float(moved) == pytest.approx(56.4, abs=0.1)
    assert float(sale.pool.price(1, 0)) == pytest.approx(6.005, abs=0.01)


@given(pairs(), st.data(), DIRECTIONS)
def test_no_more_could_be_taken_without_failing_the_pair_s_check(
    pair: ConstantProduct, data: st.DataObject, way: tuple[int, int]
) -> None:
    """UniswapV2Pair.swap demands that the product does not fall, fee left out of the sum."""
    i, j = way
    amount = data.draw(amounts(pair.reserves[i]))
    sale = pair.sell(i, j, amount)
    whole, fee = pair.fee.denominator, pair.fee.numerator
    before = pair.reserves[i] * pair.reserves[j] * whole

    def allowed(out: int) -> bool:
        if pair.fee_leaves:
            kept = pair.reserves[i] + amount - floor(amount * pair.fee)
            return kept * (pair.reserves[j] - out) * whole >= before
        adjusted = (pair.reserves[i] + amount) * whole - amount * fee
        return adjusted * (pair.reserves[j] - out) >= before

    if sale.sold == 0:
        assert not allowed(1) or pair.reserves[i] + amount > MAX_RESERVE
    else:
        assert sale.sold == amount
        assert allowed(sale.received)
        assert not allowed(sale.received + 1)


@given(pairs(), st.data(), DIRECTIONS)
def test_more_sold_brings_more_at_a_lower_price(
    pair: ConstantProduct, data: st.DataObject, way: tuple[int, int]
) -> None:
    one, other = sorted(data.draw(amounts(pair.reserves[way[0]])) for _ in range(2))
    small, large = pair.sell(*way, one), pair.sell(*way, other)
    assert large.received >= small.received or large.sold == 0
    if large.sold:
        assert large.pool.price(*way) <= small.pool.price(*way) <= pair.price(*way)


@given(pairs(), st.data(), DIRECTIONS)
def test_a_round_trip_never_gains(
    pair: ConstantProduct, data: st.DataObject, way: tuple[int, int]
) -> None:
    i, j = way
    there = pair.sell(i, j, data.draw(amounts(pair.reserves[i])))
    back = there.pool.sell(j, i, there.received)
    assert back.received <= there.sold


@given(pairs(fees=(FREE,)), st.data(), DIRECTIONS)
def test_without_a_fee_two_halves_are_a_whole(
    pair: ConstantProduct, data: st.DataObject, way: tuple[int, int]
) -> None:
    one, other = (data.draw(amounts(pair.reserves[way[0]])) for _ in range(2))
    first = pair.sell(*way, one)
    second = first.pool.sell(*way, other)
    whole = pair.sell(*way, one + other)
    if first.sold and second.sold and whole.sold:
        assert 0 <= whole.received - first.received - second.received <= 1


@given(pairs(), st.fractions(Fraction(1, 10**6), 1), DIRECTIONS)
def test_selling_until_a_price_sells_all_that_it_allows(
    pair: ConstantProduct, part: Fraction, way: tuple[int, int]
) -> None:
    price = pair.price(*way) * part
    if price == 0:
        return
    sale = pair.sell_until(*way, price)
    assert sale == pair.sell(*way, sale.sold)
    assert sale.pool.price(*way) >= price
    more = pair.sell(*way, sale.sold + 1)
    assert more.sold == 0 or more.pool.price(*way) < price


def test_a_price_that_is_reached_sells_nothing() -> None:
    pair = ConstantProduct((1000, 1000))
    assert pair.sell_until(0, 1, Fraction(2)).sold == 0


@pytest.mark.parametrize("pair", [ConstantProduct((0, 10)), ConstantProduct((0, 0))])
def test_an_empty_pair_sells_nothing_and_has_no_price(pair: ConstantProduct) -> None:
    assert pair.sell(1, 0, 5).sold == 0
    assert pair.sell_until(0, 1, Fraction(1, 2)).pool == pair
    with pytest.raises(CheckFailed):
        pair.price(0, 1)


def test_what_the_pair_refuses_is_not_sold() -> None:
    pair = ConstantProduct((MAX_RESERVE - 10, MAX_RESERVE))
    assert pair.sell(0, 1, 10).sold == 10
    assert pair.sell(0, 1, 11).sold == 0
    assert ConstantProduct((10**6, 10**6)).sell(0, 1, 1).sold == 0  # INSUFFICIENT_OUTPUT_AMOUNT


def test_a_fee_that_leaves_is_rounded_down_first_and_is_not_in_the_reserve() -> None:
    pair = ConstantProduct((10**6, 10**6), Fraction(30, 10_000), fee_leaves=True)
    sale = pair.sell(0, 1, 999)  # a fee of 2.997, so 2
    assert sale.received == 997 * 10**6 // (10**6 + 997)
    assert sale.pool == ConstantProduct(
        (10**6 + 997, 10**6 - sale.received), Fraction(3, 1000), fee_leaves=True
    )


@pytest.mark.parametrize("places", [(0, 0), (0, 2), (-1, 0)])
def test_places_that_are_not_a_trade(places: tuple[int, int]) -> None:
    pair = ConstantProduct((10, 10))
    for ask in (lambda: pair.sell(*places, 1), lambda: pair.price(*places)):
        with pytest.raises(UsageError):
            ask()


def test_amounts_and_prices_that_mean_nothing() -> None:
    pair = ConstantProduct((10, 10))
    with pytest.raises(UsageError):
        pair.sell(0, 1, -1)
    with pytest.raises(UsageError):
        pair.sell_until(0, 1, Fraction(0))
