"""What oracles say of pools and vaults that are elsewhere, against the contracts' own integers."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from defirisk.core.quote import (
    Clamp,
    Constant,
    Conversion,
    Cut,
    Feed,
    Median,
    Product,
    Program,
    Ratio,
    Root,
    Spot,
    Sum,
    Twap,
)
from defirisk.manipulation.moved import Moved, movable
from defirisk.manipulation.push import Push, push
from defirisk.protocols.oracles.lp_share import LpFeed, _program, share_price
from defirisk.swaps.constant_product import UNISWAP_FEE, ConstantProduct
from tests import books
from tests.unit.manipulation.made import NETWORK, POOL, TKN, USDC, E, pool, spot

SHARE = books.address("yTKN")
DOLLAR = Feed(NETWORK, Fraction(1))


def pushed(factor: int = 4) -> Push:
    return push(pool(), 1, 0, Fraction(factor))


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (spot(), 40),
        (Spot(POOL, USDC, TKN, Fraction(1, 10)), Fraction(1, 40)),
        (Product((spot(), DOLLAR)), 40),
        (Sum((spot(), Constant(Fraction(2)))), 42),
        (Ratio(Constant(Fraction(1)), spot()), Fraction(1, 40)),
        (Root(spot()), 40 ** Fraction(1, 2)),
        (Clamp(spot(), None, Fraction(15)), 15),
        (Clamp(Root(spot()), Fraction(7), None), 7),
        (Cut(Product((spot(), Constant(Fraction(1, 7)))), 2), Fraction(571, 100)),
        (Median((spot(), DOLLAR, Constant(Fraction(12)))), 12),
        (Conversion(SHARE, Fraction(3)), 3),
        (Twap(DOLLAR, 60, Fraction(11)), 11),
        (Spot(books.address("another"), TKN, USDC, Fraction(10)), 10),
    ],
)
def test_a_pool_that_is_four_times_as_dear(program: Program, expected: Fraction) -> None:
    said = Moved(pushes={POOL: pushed()}).value(program, TKN)
    assert said is not None
    assert float(said) == pytest.approx(float(expected), rel=1e-9)


def test_a_gift_raises_the_rate_and_a_cap_holds() -> None:
    given = Moved(gifts={SHARE: Fraction(3, 2)})
    rate = Conversion(SHARE, Fraction(2))
    assert given.value(Product((rate, DOLLAR)), SHARE) == 3
    assert given.value(Clamp(rate, None, Fraction(5, 2)), SHARE) == Fraction(5, 2)
    assert given.value(spot(), TKN) == 10


def test_a_mean_of_what_moves_is_unknown_where_its_kind_is() -> None:
    strange = Twap(Product((spot(), DOLLAR)), 60, Fraction(10))
    assert Moved(pushes={POOL: pushed()}, held_seconds=12).value(strange, TKN) is None
    assert Moved().value(strange, TKN) == 10


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize("way", ["naive", "fair"])
def test_a_share_of_a_pool_that_is_pushed(way: str, up: bool) -> None:
    """The feed's integers over the reserves after the push; fees make a share grow."""
    venue, supply = pool(fee=UNISWAP_FEE), 7 * E
    row = LpFeed(feed="", pair=POOL, decimals_0=18, decimals_1=6, decimals=8, way=way)
    prices, worth = (10 * 10**8, 10**8), (Feed("t", Fraction(10)), DOLLAR)
    program = Cut(_program(way, venue, spot(venue), worth, supply), 8)
    moved = push(venue, *((1, 0) if up else (0, 1)), Fraction(9))
    said = Moved(pushes={POOL: moved}).value(program, POOL)
    assert isinstance(moved.after, ConstantProduct)
    assert said is not None
    exactly = share_price(row, moved.after.reserves, prices, supply)
    assert exactly is not None
    if way == "naive":
        assert said == Fraction(exactly, 10**8)
    else:
        # The program of a fair share reads no pool: what fees add is not in it.
        assert 1 <= Fraction(exactly, 10**8) / said < Fraction(101, 100)


def test_what_can_be_moved_of_a_price() -> None:
    deeper = Twap(replace(spot(), venue="0xdeep"), 1800, Fraction(10))
    program = Product((spot(), deeper, Conversion(SHARE, Fraction(1)), DOLLAR, spot()))
    found = movable((program, Twap(spot(), 60, None)))
    assert found.venues == (POOL, "0xdeep")
    assert found.vaults == (SHARE,)
    assert found.window_seconds == 1800
    assert movable((DOLLAR,)).window_seconds == 0
