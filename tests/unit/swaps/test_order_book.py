"""Depth tables: sold level by level, and what is left of them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.contagion.impact.depth_curve import curve
from defirisk.contagion.impact.route import Route
from defirisk.core.depth import LevelsDepth
from defirisk.core.errors import CheckFailed, UsageError
from defirisk.store.venue_frames import depth
from defirisk.swaps.constant_product import ConstantProduct
from defirisk.swaps.order_book import OrderBook
from tests.unit.contagion.impact_cases import TOKENS, Twins, venue

E = 10**18
# 10 at 2000, 20 more at 1990, 70 more at 1900.
BOOK = OrderBook(
    prices=(Fraction(2000), Fraction(1990), Fraction(1900)), amounts=(10 * E, 30 * E, 100 * E)
)


@st.composite
def books(draw: st.DrawFn) -> OrderBook:
    """Up to six levels, of which some may be sold already."""
    count = draw(st.integers(1, 6))
    prices = draw(st.lists(st.fractions(0.001, 5000), min_size=count, max_size=count, unique=True))
    sizes = draw(st.lists(st.integers(1, 10**24), min_size=count, max_size=count))
    amounts = tuple(sum(sizes[: at + 1]) for at in range(count))
    return OrderBook(
        prices=tuple(sorted(prices, reverse=True)),
        amounts=amounts,
        taken=draw(st.integers(0, amounts[-1])),
    )


def test_a_sale_goes_through_the_levels_from_the_best() -> None:
    sale = BOOK.sell(0, 1, 25 * E)

    assert (sale.sold, sale.received) == (25 * E, (10 * 2000 + 15 * 1990) * E)
    assert sale.pool.price(0, 1) == 1990
    rest = sale.pool.sell(0, 1, 1000 * E)
    assert (rest.sold, rest.received) == (75 * E, (5 * 1990 + 70 * 1900) * E)


def test_what_is_received_is_rounded_down() -> None:
    thirds = OrderBook(prices=(Fraction(1, 3),), amounts=(100,))

    assert [thirds.sell(0, 1, amount).received for amount in (0, 1, 2, 3, 100)] == [0, 0, 0, 1, 33]


@pytest.mark.parametrize(
    ("price", "sold"), [(2001, 0), (2000, 10), (1995, 10), (1990, 30), (1, 100)]
)
def test_down_to_a_price_is_all_that_is_bid_there_or_better(price: int, sold: int) -> None:
    sale = BOOK.sell_until(0, 1, Fraction(price))

    assert sale.sold == sold * E
    assert sale == BOOK.sell(0, 1, sale.sold)


def test_nothing_is_left_of_a_book_that_was_sold_out() -> None:
    sold_out = BOOK.sell(0, 1, 10**30).pool

    assert sold_out.sell(0, 1, 1).sold == 0
    assert sold_out.sell_until(0, 1, Fraction(1)).sold == 0
    with pytest.raises(CheckFailed, match="nobody bids"):
        sold_out.price(0, 1)


def test_nobody_bids_for_the_second_token() -> None:
    assert BOOK.fee == 0
    assert BOOK.sell(1, 0, 5).sold == 0
    assert BOOK.sell_until(1, 0, Fraction(1)).received == 0
    with pytest.raises(CheckFailed, match="nobody bids"):
        BOOK.price(1, 0)


def test_a_book_refuses_what_every_pool_refuses() -> None:
    for ask in (lambda: BOOK.sell(0, 0, 1), lambda: BOOK.sell(0, 2, 1), lambda: BOOK.price(2, 0)):
        with pytest.raises(UsageError):
            ask()
    with pytest.raises(UsageError, match="not negative"):
        BOOK.sell(0, 1, -1)
    with pytest.raises(UsageError, match="never reached"):
        BOOK.sell_until(0, 1, Fraction(0))


@given(books(), st.integers(0, 10**25), st.integers(0, 10**25))
def test_two_sales_give_what_one_gives(book: OrderBook, first: int, second: int) -> None:
    once = book.sell(0, 1, first + second)
    one = book.sell(0, 1, first)
    two = one.pool.sell(0, 1, second)

    assert one.sold + two.sold == once.sold
    assert 0 <= once.received - one.received - two.received <= 1
    assert two.pool == once.pool


@given(books(), st.fractions(0.001, 6000))
def test_the_largest_sale_above_a_price_is_the_largest(book: OrderBook, price: Fraction) -> None:
    sale = book.sell_until(0, 1, price)

    if sale.sold:
        assert book.sell(0, 1, sale.sold - 1).pool.price(0, 1) >= price
    after = book.sell(0, 1, sale.sold).pool
    try:
        assert after.price(0, 1) < price
    except CheckFailed:
        assert sale.sold == book.amounts[-1] - book.taken


@given(books(), st.lists(st.integers(0, 10**25), min_size=1, max_size=6), st.data())
def test_the_float_twin(book: OrderBook, raw: list[int], data: st.DataObject) -> None:
    decimals = (data.draw(st.sampled_from([6, 18])), data.draw(st.sampled_from([6, 18])))
    pair = Twins(book, 0, 1, decimals)
    if book.taken == book.amounts[-1]:
        assert pair.curve.capacity == 0
        assert pair.curve.sell(np.array([1.0])) == [0.0]
        return
    amounts = np.array([amount / pair.unit_in for amount in raw])
    received = [book.sell(0, 1, amount).received / pair.unit_out for amount in raw]
    slack = 1 / pair.unit_out + 1e-12 * book.sell(0, 1, 10**30).received / pair.unit_out
    np.testing.assert_allclose(pair.curve.sell(amounts), received, rtol=0, atol=slack)
    assert pair.curve.capacity * pair.unit_in == pytest.approx(book.amounts[-1] - book.taken)

    # Between prices that floats tell apart.
    pairs = zip(book.prices, book.prices[1:], strict=False)
    between = [float((a + b) / 2) for a, b in pairs if abs(a - b) > a / 10**12]
    prices = np.array([*between, float(book.prices[0]) * 2, float(book.prices[-1]) / 2])
    exact = [book.sell_until(0, 1, Fraction(price)).sold / pair.unit_in for price in prices]
    for ours in (pair.curve.amount_to, pair.curve.amount_at):
        np.testing.assert_allclose(ours(prices * pair.shift), exact, rtol=1e-12)


def test_the_price_of_the_float_twin_after_a_sale() -> None:
    made = depth(venue(BOOK, (18, 18)), TOKENS[0], TOKENS[1])
    assert isinstance(made, LevelsDepth)
    ours = curve(made)
    amounts = np.array([0.0, 9.5, 10.0, 29.0, 30.0, 99.0, 100.0, 500.0, np.nan])

    expected = [2000, 2000, 1990, 1990, 1900, 1900, 0, 0, np.nan]
    np.testing.assert_equal(ours.price_after(amounts), expected)
    np.testing.assert_equal(ours.marginal(amounts), expected)
    np.testing.assert_equal(
        ours.amount_to(np.array([2000.0, 1995.0, 1990.0, 0.0, -1.0, np.nan])),
        [0, 10, 10, 100, np.inf, np.nan],
    )
    assert np.isnan(ours.sell(np.array([np.nan]))).all()
    assert curve(depth(venue(BOOK, (18, 18)), TOKENS[1], TOKENS[0])).capacity == 0


def test_a_book_beside_a_pair_is_sold_into_where_it_pays_more() -> None:
    """A pair of 1000 by 2,000,000: without fee it falls to 1990 when 1000 (√(2000/1990) - 1) are
    sold, and the next 20 belong to the book.
    """
    pair = ConstantProduct((1000 * E, 2_000_000 * E), Fraction(0))
    route = Route(tuple(Twins(pool, 0, 1, (18, 18)).curve for pool in (pair, BOOK)))
    until = 1000 * ((2000 / 1990) ** 0.5 - 1)
    amounts = np.array([10 + until + part for part in (0.5, 10.0, 19.5)])

    parts = route.split(amounts)

    np.testing.assert_allclose(parts[0], until, rtol=1e-9)
    np.testing.assert_allclose(parts.sum(axis=0), amounts)
