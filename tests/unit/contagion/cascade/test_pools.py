"""Pools with state against the exact pools: sale by sale, both ways."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from defirisk.contagion.cascade import pools
from defirisk.contagion.cascade.pools.columns import LOWER, OFFSET, RANGE, ROOT
from defirisk.contagion.cascade.pools.table import table_of
from defirisk.core.book import Floats
from defirisk.core.errors import CheckFailed
from defirisk.core.venue import Pool
from defirisk.swaps.concentrated import Concentrated
from defirisk.swaps.constant_product import MAX_RESERVE, ConstantProduct
from defirisk.swaps.order_book import OrderBook
from defirisk.swaps.stableswap import StableSwap
from defirisk.swaps.tick_math import Q96
from tests.unit.contagion.cascade.played_pools import (
    KINDS,
    Played,
    compiled,
    count,
    drawn,
    grain,
    offered,
    room,
    slack,
    table,
)
from tests.unit.contagion.impact_cases import TOKENS, venue
from tests.unit.swaps.pools import pairs, ranged, stable

TRADES = 50
POOLS = 40
SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(2, 12))]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", KINDS)
def test_fifty_sales_in_a_row(kind: str, seed: int) -> None:
    """Every one within 2 base units or 1e-12, the fiftieth too."""
    dice, close = Random(f"{kind} {seed}"), 0
    for _ in range(POOLS):
        played = Played(drawn(kind, dice))
        for _ in range(TRADES):
            i, j = dice.sample(range(count(played.pool)), 2)
            before = played.pool
            sold, received, sale = played.both(i, j, offered(before, i, dice))
            if sale.sold == 0 and sold > 0:
                assert isinstance(before, StableSwap)  # Newton's method did not settle
                break
            got, gave = sale.received, sale.sold
            assert abs(int(received) - got) <= slack(before, j, got, gave)
            assert abs(int(sold) - gave) <= slack(before, i, gave, got)
            close += 1
    assert close >= 0.8 * POOLS * TRADES


@pytest.mark.parametrize("leaves", [False, True])
def test_small_sales_are_cut_where_the_contract_cuts(leaves: bool) -> None:
    """A few base units, of which each counts; a float may round up to a whole one what is just
    below.
    """
    dice, equal = Random(f"small {leaves}"), 0
    even = StableSwap(
        balances=(10**21, 10**21), rates=(10**18,) * 2, amplification=20_000, fee_e10=4_000_000
    )
    pair = ConstantProduct((10**12, 10**12), Fraction(3, 1000), fee_leaves=leaves)
    for pool in (even, pair):
        for _ in range(200):
            played, amount = Played(pool), int(10 ** dice.uniform(1, 6))
            sold, received, sale = played.both(0, 1, amount)
            assert int(sold) == sale.sold
            assert abs(int(received) - sale.received) <= 1
            equal += int(received) == sale.received
            if isinstance(sale.pool, ConstantProduct):
                assert played.state[0, 0] == sale.pool.reserves[0]
                assert played.state[0, 1] + received == pair.reserves[1]
    assert equal >= 380


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_price_between_sales(kind: str, seed: int) -> None:
    dice = Random(f"price {kind} {seed}")
    for _ in range(4 * POOLS):
        played = Played(drawn(kind, dice))
        i, j = (0, 1) if kind == "levels" else dice.sample(range(count(played.pool)), 2)
        assert played.spot(i, j) == pytest.approx(float(played.pool.price(i, j)), rel=1e-13)
        for _ in range(3):
            played.both(i, j, offered(played.pool, i, dice))
        try:
            price = float(played.pool.price(i, j))
        except CheckFailed:  # all bids are used up
            assert played.spot(i, j) == 0.0
            continue
        rel = 1e-12 + grain(played.pool)
        assert played.spot(i, j) == pytest.approx(price, rel=rel)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["product", "ranges", "stable"])
def test_arbitrageurs_take_the_price_where_it_is_sent(kind: str, seed: int) -> None:
    """The same trade at the exact pool takes it there, as far as whole base units can."""
    dice = Random(f"move {kind} {seed}")
    for _ in range(4 * POOLS):
        played = Played(drawn(kind, dice))
        i, j = dice.sample(range(count(played.pool)), 2)
        factor = dice.choice(
            [dice.uniform(0.4, 1), 1 / dice.uniform(0.4, 1), 1 - dice.random() / 99]
        )
        target = played.pool.price(i, j) * Fraction(factor)
        place, amount = played.do("move_spot", i, j, factor)
        assert place == (i if factor < 1 else j)
        if kind == "ranges":
            wanted = target if place == i else 1 / target
            sale = played.pool.sell_until(place, i + j - place, wanted)
            assert abs(sale.sold - int(amount)) <= max(
                2, 1e-12 * sale.sold + 1e-15 * room(played.pool, place)
            )
        else:
            sale = played.pool.sell(place, i + j - place, int(amount))
        rel = 1e-12 + 2 * grain(sale.pool)
        assert float(sale.pool.price(i, j) / target) == pytest.approx(1, rel=rel)
        assert played.spot(i, j) == pytest.approx(float(target), rel=rel)


def test_the_price_of_ranges_ends_where_they_end() -> None:
    pool = drawn("ranges", Random("end"))
    assert isinstance(pool, Concentrated)
    known = (pool.ticks[0] - 600, pool.ticks[-1] + 600)
    for i in (0, 1):
        played = Played(replace(pool, known=known))
        _, amount = played.do("move_spot", i, 1 - i, 1e-30)
        sale = played.pool.sell(i, 1 - i, 2**200)
        assert abs(sale.sold - int(amount)) <= max(2, 1e-12 * amount)
        assert played.spot(i, 1 - i) == pytest.approx(float(sale.pool.price(i, 1 - i)), rel=1e-13)
        assert played.do("sell", i, 1 - i, 1e20) == (0.0, 0.0)


def test_a_table_of_bids_moves_as_a_whole() -> None:
    book = OrderBook(prices=(Fraction(3), Fraction(2)), amounts=(100, 300), taken=50)
    played = Played(book)
    assert played.do("move_spot", 0, 1, 0.5) == (0, 0.0)
    assert played.spot(0, 1) == 1.5
    assert played.do("sell", 0, 1, 400.0) == (250.0, 50 * 1.5 + 200 * 1.0)
    assert played.do("sell", 1, 0, 10.0) == (0.0, 0.0)
    assert played.spot(0, 1) == 0.0 == played.spot(1, 0)


@given(st.one_of(pairs(), ranged(), stable()), st.sampled_from([0.0, -1.0, np.nan, np.inf, 1.0]))
def test_what_is_no_factor_moves_nothing(pool: Pool, factor: float) -> None:
    assume(len(table(pool).venues) == 1)
    played = Played(pool)
    assert played.do("move_spot", 0, 1, factor) == (0, 0.0)
    np.testing.assert_array_equal(played.state, played.table.state)


@given(st.one_of(pairs(), ranged(), stable()), st.sampled_from([0.0, -1.0, np.nan, 0.9]))
def test_what_is_no_amount_sells_nothing(pool: Pool, amount: float) -> None:
    assume(len(table(pool).venues) == 1)
    played = Played(pool)
    assert played.do("sell", 1, 0, amount) == (0.0, 0.0)
    np.testing.assert_array_equal(played.state, played.table.state)


def test_a_pair_refuses_what_it_would_revert() -> None:
    tiny = Played(ConstantProduct((10**18, 10**6)))
    assert tiny.do("sell", 0, 1, 1e12) == (0.0, 0.0)
    full = Played(ConstantProduct((MAX_RESERVE - 10**20, 10**30)))
    assert full.do("sell", 0, 1, 1e21) == (0.0, 0.0)
    sold, received = full.do("sell", 0, 1, 1e19)
    assert sold == 1e19
    assert received > 0


def halved(pool: Pool) -> Pool:
    """The same price with half as much behind it."""
    if isinstance(pool, ConstantProduct):
        return replace(pool, reserves=(pool.reserves[0] // 2, pool.reserves[1] // 2))
    if isinstance(pool, StableSwap):
        return replace(pool, balances=tuple(balance // 2 for balance in pool.balances))
    if isinstance(pool, Concentrated):
        nets = tuple(net // 2 for net in pool.liquidity_net)
        return replace(pool, liquidity=pool.liquidity // 2, liquidity_net=nets)
    assert isinstance(pool, OrderBook)
    return replace(
        pool, amounts=tuple(amount // 2 for amount in pool.amounts), taken=pool.taken // 2
    )


@pytest.mark.parametrize("kind", KINDS)
def test_shrunk_pools_are_pools_with_less_in_them(kind: str) -> None:
    dice = Random(f"shrink {kind}")
    for _ in range(POOLS):
        played = Played(drawn(kind, dice))
        price = played.spot(0, 1)
        played.do("shrink", 0.5)
        assert played.spot(0, 1) == pytest.approx(price, rel=1e-13)
        played.pool = halved(played.pool)
        before = played.pool
        sold, received, sale = played.both(0, 1, offered(before, 0, dice))
        # Halves of odd numbers: a unit of every balance or level may be missing.
        got, gave = sale.received, sale.sold
        assert abs(int(received) - got) <= 10 + 4 * slack(before, 1, got, gave)
        assert abs(int(sold) - gave) <= 10 + slack(before, 0, gave, got)


@pytest.mark.parametrize("kind", KINDS)
def test_pools_recover(kind: str) -> None:
    """By parts of what is missing; of ranges the root of the price does, and the next sale is that
    of a pool which has that price.
    """
    dice = Random(f"recover {kind}")
    for _ in range(POOLS):
        played = Played(drawn(kind, dice))
        opening, first = played.table.state, played.pool
        played.both(0, 1, offered(first, 0, dice))
        sold = played.state.copy()
        back(played, opening, 0.0)
        np.testing.assert_array_equal(played.state, sold)
        back(played, opening, 0.25)
        columns = [ROOT] if kind == "ranges" else range(4)
        for column in columns:
            wanted = sold[0, column] + (opening[0, column] - sold[0, column]) / 4
            assert played.state[0, column] == pytest.approx(wanted, rel=1e-14)
        if isinstance(first, Concentrated):
            root = played.state[0, ROOT]
            assert root == pytest.approx(row_price(played), rel=1e-15)
            played.pool = first.sell_until(0, 1, Fraction(root) ** 2).pool
            _, received, sale = played.both(1, 0, offered(played.pool, 1, dice))
            assert received == pytest.approx(
                sale.received, rel=1e-12, abs=max(2, 1e-14 * room(first, 0))
            )
        back(played, opening, 1.0)
        np.testing.assert_array_equal(played.state, opening)


def back(played: Played, opening: Floats, share: float) -> None:
    for recover, state in (
        (pools.recover, played.state),
        (compiled()["recover"], played.twin),
    ):
        recover(played.table.pools, state, opening, 0, share)
    assert played.state.tobytes() == played.twin.tobytes()


def row_price(played: Played) -> float:
    """The root of the price that a row and an offset say."""
    row = int(played.state[0, RANGE])
    return float(played.table.pools.ranges[row, LOWER] + played.state[0, OFFSET])


def test_the_table_of_a_book_s_pools() -> None:
    """In the order of addresses, with the assets' places; what cannot be sold into is named."""
    made: dict[str, Pool] = {
        "0x03": ConstantProduct((10**18, 10**18)),
        "0x01": StableSwap(
            balances=(10**24, 10**12, 10**12),
            rates=(10**18, 10**30, 10**30),
            amplification=100_00,
            fee_e10=4_000_000,
        ),
        "0x02": ConstantProduct((0, 0)),
        "0x05": Concentrated.of(
            sqrt_price_x96=Q96,
            tick=0,
            liquidity=0,
            fee_pips=500,
            tick_spacing=10,
            liquidity_net={},
        ),
        "0x04": OrderBook(prices=(Fraction(1),), amounts=(5,), taken=5),
    }
    venues = {
        address: replace(venue(pool, (18,) * count(pool)), address=address)
        for address, pool in made.items()
    }
    found = table_of(venues, {TOKENS[0]: 4, TOKENS[2]: 0})
    assert [one.address for one in found.venues] == ["0x01", "0x03"]
    assert [(one.address, why) for one, why in found.left_out] == [
        ("0x02", "is empty"),
        ("0x04", "is empty"),
        ("0x05", "is empty"),
    ]
    assert found.tokens.tolist() == [[4, -1, 0], [4, -1, -1]]
    assert found.state.tolist() == [[1e24, 1e12, 1e12, 0.0], [1e18, 1e18, 0.0, 0.0]]
    none = table_of({}, {})
    assert (none.state.shape, none.pools.ranges.shape) == ((0, 4), (0, 8))
