"""Mean prices: as the contracts compute them, and what it costs to move them."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.core.adapter import VenueWanted, View
from defirisk.core.quote import Spot, exact, leaves
from defirisk.core.venue import Venue
from defirisk.protocols.feed_getters import whole
from defirisk.protocols.oracles import uniswap_twap_v2, uniswap_twap_v3
from defirisk.protocols.oracles.uniswap_twap_v2 import worth_of
from defirisk.protocols.oracles.uniswap_twap_v3 import mean_tick, quote_at_tick
from defirisk.swaps.constant_product import ConstantProduct
from defirisk.swaps.tick_math import MAX_TICK, sqrt_ratio_at_tick
from defirisk.swaps.twap import CumulativePrices, Observation, Observations
from tests.unit.protocols.feeds_in_memory import (
    CONTRACT,
    NOW,
    OTHER_FEED,
    THE_FEED,
    USDC,
    WETH,
    address,
    answers,
    dollars,
    observe,
    snapshot,
)
from tests.unit.protocols.rows_in_memory import RowsInMemory

POOL = address(0x90)
E18, E6 = 10**18, 10**6
RESERVES = (4_000_000 * E6, 2_000 * E18)  # of USDC and of WETH
BLOCKS, SECONDS = 150, 12
V2_SAID = {
    "PAIR": POOL,
    "BASE": WETH,
    "QUOTE": USDC,
    "QUOTE_FEED": OTHER_FEED,
    "PERIOD": 3600,
    "decimals": 8,
}
V3_SAID = {"POOL": POOL, **{k: V2_SAID[k] for k in ("BASE", "QUOTE", "QUOTE_FEED", "decimals")}}


def pair(history: CumulativePrices | Observations | None = None) -> Venue:
    """USDC is token 0, WETH token 1, at 2000."""
    return Venue(
        address=POOL,
        deployment="pools",
        label="USDC/WETH",
        kind="constant-product",
        tokens=(USDC, WETH),
        decimals=(6, 18),
        pool=ConstantProduct(RESERVES),
        history=history,
    )


def v2_row(average: int) -> RowsInMemory:
    state = RowsInMemory()
    moving = {"average": average, "priceCumulativeLast": 5, "timestampLast": NOW - 900}
    observe(uniswap_twap_v2.ADAPTER, state, V2_SAID | moving)
    return state


def test_the_mean_of_a_pair_is_cut_where_the_contract_cuts_it() -> None:
    """1999.99… dollars to whole millionths of a USDC, then to the answer's eight decimals."""
    average = (1_999 * E6 << 112) // E18 + 12_345_678_901
    state, feeds = v2_row(average), {OTHER_FEED: dollars(99_990_000)}

    answer = answers(uniswap_twap_v2.ADAPTER, state, feeds=feeds, venue=pair())[THE_FEED]

    worth = average * E18 // 2**112
    assert answer.price == worth * 99_990_000 // E6
    assert (answer.grade, answer.updated_at) == ("read", NOW - 900)
    assert answer.made_of == (POOL, OTHER_FEED)
    assert exact(answer.of(THE_FEED)) == answer.value


def test_a_mean_follows_its_pool_once_that_has_moved() -> None:
    answer = answers(
        uniswap_twap_v2.ADAPTER,
        v2_row((1_500 * E6 << 112) // E18),
        feeds={OTHER_FEED: dollars(10**8)},
        venue=pair(),
    )[THE_FEED]
    (spot, *_) = [leaf for leaf in leaves(answer.of(THE_FEED)) if isinstance(leaf, Spot)]

    half = exact(answer.of(THE_FEED), lambda leaf: Fraction(1, 2 if leaf == spot else 1))

    assert (spot.base, spot.quote, spot.value) == (WETH, USDC, Fraction(2_000))
    assert float(answer.value) == pytest.approx(1_500, rel=1e-8)
    assert half is not None
    assert float(half) == pytest.approx(1_000, rel=1e-8)


def test_a_window_that_nobody_closed_is_no_price() -> None:
    feeds = {OTHER_FEED: dollars(10**8)}
    assert answers(uniswap_twap_v2.ADAPTER, v2_row(0), feeds=feeds, venue=pair()) == {}
    assert answers(uniswap_twap_v2.ADAPTER, v2_row(1), venue=pair()) == {}
    assert answers(uniswap_twap_v2.ADAPTER, v2_row(1), feeds=feeds) == {}
    findings = uniswap_twap_v2.ADAPTER.findings(snapshot(v2_row(0)))
    assert [finding.code for finding in findings] == ["no-answer"]


def test_the_pool_behind_a_mean_is_wanted() -> None:
    found = list(uniswap_twap_v2.ADAPTER.discover_view(View(CONTRACT, "PAIR"), (POOL,)))
    assert found == [VenueWanted(address=POOL, first_block=0)]


@given(st.lists(st.tuples(st.integers(1, 900), st.integers(-3000, 3000)), min_size=1, max_size=6))
def test_a_mean_tick_is_that_of_every_second(past: list[tuple[int, int]]) -> None:
    """Against the slow twin, which looks at each second; rounded to minus infinity."""
    start = NOW - sum(seconds for seconds, _ in past)
    entries, time = [Observation(start, 0, 0)], start
    for seconds, tick in past[:-1]:
        time += seconds
        entries.append(entries[-1].later(time, tick, 1))
    history = Observations(now=NOW, tick=past[-1][1], liquidity=1, entries=tuple(entries))
    each = [tick for seconds, tick in past for _ in range(seconds)]

    for window in {1, len(each), max(1, len(each) // 3)}:
        assert mean_tick(pair(history), NOW, window) == sum(each[-window:]) // window
    assert mean_tick(pair(history), NOW, len(each) + 1) is None


@given(st.integers(-MAX_TICK, MAX_TICK), st.integers(1, 10**24))
def test_a_quote_at_a_tick_is_the_square_of_the_root_cut_down(tick: int, amount: int) -> None:
    """Above 128 bits the contract drops 64 of the square before it multiplies."""
    root = Fraction(sqrt_ratio_at_tick(tick), 2**96)

    first, second = (quote_at_tick(tick, amount, side) for side in (True, False))

    assert first == math.floor(amount * root**2) or sqrt_ratio_at_tick(tick) >= 2**128
    assert 0 <= amount * root**2 - first <= 1 + amount * root**2 / 2**128
    assert -1 <= second - amount / root**2 <= 1 + amount / root**2 / 2**60


def test_the_mean_of_a_pool_is_made_of_its_own_memory() -> None:
    """Half the window at 2000 dollars, half at a tenth less: the geometric mean of the two."""
    tick = round(math.log(E18 / (2_000 * E6), 1.0001))
    before = Observation(NOW - 3600, 0, 0)
    history = Observations(
        now=NOW, tick=tick + 1054, liquidity=1, entries=(before, before.later(NOW - 900, tick, 1))
    )
    state = RowsInMemory()
    observe(uniswap_twap_v3.ADAPTER, state, V3_SAID | {"WINDOW": 1800})
    feeds = {OTHER_FEED: dollars(10**8)}

    answer = answers(uniswap_twap_v3.ADAPTER, state, feeds=feeds, venue=pair(history))[THE_FEED]

    assert answer.price == quote_at_tick(tick + 527, E18, False) * 10**8 // E6
    assert float(answer.value) == pytest.approx(2_000 * math.sqrt(0.9), rel=2e-4)
    assert (answer.grade, exact(answer.of(THE_FEED))) == ("logs", answer.value)
    for part in (None, replace(history, entries=(Observation(NOW - 60, 0, 0),))):
        assert answers(uniswap_twap_v3.ADAPTER, state, feeds=feeds, venue=pair(part)) == {}


@pytest.mark.parametrize(
    ("multiple", "capital", "loss"),
    [
        (2, 0.414214, 0.121320),
        (4, 1.0, 0.5),
        (10, 2.162278, 1.478505),
        (100, 9.0, 8.1),
        (31, 4.5678, 3.7474),
        (Fraction(6, 5), 0.0954, 0.0083160),
    ],
)
def test_what_it_takes_to_move_a_pool(
    multiple: int | Fraction, capital: float, loss: float
) -> None:
    """G11 of the risk models, per reserve of the quote token, without a fee."""
    pool = ConstantProduct((10**24, 10**24), Fraction(0))

    bought = pool.sell_until(0, 1, 1 / Fraction(multiple))

    spent = Fraction(bought.sold, 10**24)
    assert float(spent) == pytest.approx(capital, abs=5e-5)
    assert float(spent - Fraction(bought.received, 10**24)) == pytest.approx(loss, abs=5e-5)


def test_a_mean_of_150_blocks_moves_by_a_fifth_at_31_times_the_price_in_one_of_them() -> None:
    """G11: arithmetic, 1 + (m - 1) / N. All blocks at 1.2 times do the same, for 1.2474 of loss."""
    start = CumulativePrices(0, 0, 0, (10**24, 10**24))
    quiet = (BLOCKS - 1) * SECONDS
    first, second = start.accumulated(quiet)
    held = CumulativePrices(first, second, quiet, (10**24, 31 * 10**24))

    mean = held.accumulated(BLOCKS * SECONDS)[0] // (BLOCKS * SECONDS)

    assert worth_of(mean, 18) == 12 * E18 // 10 - 1  # 31 / 150 is no binary fraction
    each = ConstantProduct((10**24, 10**24), Fraction(0)).sell_until(0, 1, Fraction(5, 6))
    assert BLOCKS * (each.sold - each.received) / 10**24 == pytest.approx(1.2474, abs=1e-4)


@pytest.mark.parametrize(("blocks", "multiple"), [(1, 7.5e11), (3, 9100)])
def test_a_geometric_mean_needs_a_power_of_it(blocks: int, multiple: float) -> None:
    """G11: (1 + eps) ** (N / k), in ticks of a pool's own observations."""
    tick = round(math.log(multiple, 1.0001))
    quiet = Observation(NOW - BLOCKS * SECONDS, 0, 0)
    turn = NOW - blocks * SECONDS
    history = Observations(
        now=NOW, tick=tick, liquidity=1, entries=(quiet, quiet.later(turn, 0, 1))
    )

    mean = mean_tick(pair(history), NOW, BLOCKS * SECONDS)

    assert mean is not None
    assert quote_at_tick(mean, E18, True) / E18 == pytest.approx(1.2, rel=2e-4)


def test_prices_of_base_units_become_those_of_whole_tokens() -> None:
    assert whole(Fraction(2_000 * E6, E18), 18, 6) == 2_000
