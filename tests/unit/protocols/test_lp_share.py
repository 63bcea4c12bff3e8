"""Shares of a pair, priced by its reserves or their product: which is which, what moves them."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.core.adapter import Contract
from defirisk.core.claim import Claim
from defirisk.core.quote import Constant, Leaf, Spot, exact
from defirisk.core.venue import Venue
from defirisk.protocols.oracles.lp_share import (
    ADAPTER,
    FAIR,
    NAIVE,
    PAIR,
    SIDE,
    LpFeed,
    share_price,
)
from defirisk.swaps.constant_product import ConstantProduct
from tests.unit.protocols.feeds_in_memory import (
    OTHER_FEED,
    THE_FEED,
    THIRD_FEED,
    USDC,
    WETH,
    address,
    answers,
    dollars,
    observe,
)
from tests.unit.protocols.rows_in_memory import RowsInMemory

POOL = address(0x91)
E18, E6 = 10**18, 10**6
RESERVES, SUPPLY = (4_100_000 * E6, 2_000 * E18), 80 * E18
PRICES = (99_990_000, 2_000 * 10**8)
FEEDS = {OTHER_FEED: dollars(PRICES[0]), THIRD_FEED: dollars(PRICES[1])}
ROW = {
    way: LpFeed(feed=THE_FEED, decimals_0=6, decimals_1=18, decimals=8, way=way)
    for way in (NAIVE, FAIR)
}


def price(way: str) -> int:
    found = share_price(ROW[way], RESERVES, PRICES, SUPPLY)
    assert found is not None
    return found


def asked(answer: int | None, state: RowsInMemory | None = None) -> RowsInMemory:
    """A feed over the pair, after all of it was read at one block."""
    state = state or RowsInMemory()
    made_of = {"PAIR": POOL, "FEED_0": OTHER_FEED, "FEED_1": THIRD_FEED}
    observe(ADAPTER, state, {**made_of, "DECIMALS_0": 6, "DECIMALS_1": 18, "decimals": 8})
    pair = Contract(address=POOL, role=PAIR, first_block=0)
    observe(ADAPTER, state, {"getReserves": (*RESERVES, 0), "totalSupply": SUPPLY}, pair)
    for feed, said in zip((OTHER_FEED, THIRD_FEED), PRICES, strict=True):
        side = Contract(address=feed, role=SIDE, first_block=0)
        observe(ADAPTER, state, {"latestAnswer": said}, side)
    observe(ADAPTER, state, {"latestAnswer": answer})
    return state


VENUE = Venue(
    address=POOL,
    deployment="pools",
    label="USDC/WETH",
    kind="constant-product",
    tokens=(USDC, WETH),
    decimals=(6, 18),
    pool=ConstantProduct(RESERVES),
)
CLAIM = Claim(token=POOL, kind="lp", program=Constant(Fraction(1)), supply_raw=SUPPLY)


def test_both_ways_in_dollars() -> None:
    """(4.1m * 0.9999 + 2000 * 2000) / 80, and twice the root of the product of the same."""
    assert price(NAIVE) / 10**8 == pytest.approx((4_100_000 * 0.9999 + 4_000_000) / 80, rel=1e-9)
    root = 2 * math.sqrt(4_100_000 * 0.9999 * 4_000_000)
    assert price(FAIR) / 10**8 == pytest.approx(root / 80, rel=1e-9)


@given(
    st.tuples(st.integers(1, 10**30), st.integers(1, 10**30)),
    st.tuples(st.integers(0, 10**14), st.integers(0, 10**14)),
    st.integers(10**12, 10**30),
)
def test_both_ways_are_the_fractions_cut_to_integers(
    reserves: tuple[int, int], prices: tuple[int, int], supply: int
) -> None:
    """The slow twin has no roundings but of a square root to 60 places."""
    sides = [
        Fraction(reserve * said, 10**decimals)
        for reserve, said, decimals in zip(reserves, prices, (6, 18), strict=True)
    ]
    naive = sum(sides) * E18 / supply
    product = sides[0] * sides[1]
    root = Fraction(math.isqrt(math.floor(product * 10**120)), 10**60) * 2 * E18 / supply

    cut = [share_price(ROW[way], reserves, prices, supply) for way in (NAIVE, FAIR)]

    for exactly, ours in zip((naive, root), cut, strict=True):
        assert ours is not None
        assert -Fraction(1, 10**9) <= exactly - ours < 2 + Fraction(2, supply)


@pytest.mark.parametrize("way", [NAIVE, FAIR])
def test_which_way_a_feed_goes_is_seen_by_its_answer(way: str) -> None:
    state = asked(price(way))

    assert state.get(LpFeed, THE_FEED).way == way
    answer = answers(ADAPTER, state, feeds=FEEDS, venue=VENUE, claim=CLAIM)[THE_FEED]
    assert (answer.price, answer.grade) == (price(way), "logs")
    assert answer.made_of == (POOL, OTHER_FEED, THIRD_FEED)
    assert exact(answer.of(THE_FEED)) == answer.value


def test_a_third_way_is_not_known() -> None:
    for answer in (price(NAIVE) + 1, None):
        assert answers(ADAPTER, asked(answer), feeds=FEEDS, venue=VENUE, claim=CLAIM) == {}
    changed = asked(price(NAIVE) + 1, asked(price(NAIVE)))
    assert changed.get(LpFeed, THE_FEED).way == ""


@pytest.mark.parametrize("factor", [Fraction(4), Fraction(1, 9), Fraction(10_001, 10_000)])
def test_a_pool_that_is_traded_elsewhere_moves_only_the_naive_share(factor: Fraction) -> None:
    """Against the pool itself, traded without a fee to where the price is."""
    answer = {
        way: answers(ADAPTER, asked(price(way)), feeds=FEEDS, venue=VENUE, claim=CLAIM)[THE_FEED]
        for way in (NAIVE, FAIR)
    }

    def spot(leaf: Leaf) -> Fraction:
        return factor if isinstance(leaf, Spot) else Fraction(1)

    pool, at = ConstantProduct(RESERVES, Fraction(0)), Fraction(RESERVES[1], RESERVES[0])
    sold = (
        pool.sell_until(0, 1, at * factor) if factor < 1 else pool.sell_until(1, 0, 1 / at / factor)
    )
    assert isinstance(sold.pool, ConstantProduct)
    after = share_price(ROW[NAIVE], sold.pool.reserves, PRICES, SUPPLY)
    naive, fair = (exact(answer[way].of(THE_FEED), spot) for way in (NAIVE, FAIR))
    assert naive is not None
    assert after is not None
    assert abs(naive * 10**8 / after - 1) < Fraction(1, 10**9)
    assert fair == answer[FAIR].value


@pytest.mark.parametrize("prices", [(-1, 5), (5, -1)])
def test_a_negative_price_or_no_shares_revert(prices: tuple[int, int]) -> None:
    assert share_price(ROW[NAIVE], RESERVES, prices, SUPPLY) is None
    assert share_price(ROW[FAIR], RESERVES, PRICES, 0) is None
