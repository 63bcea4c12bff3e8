"""Perp Curie: the arithmetic that the on-chain tests meet too rarely, against slow twins."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.protocols.perps.perp_curie.account_value import Position, Worth, in_pool
from defirisk.protocols.perps.perp_curie.arithmetic import (
    median_of_three,
    of_ratio,
    price_of,
    root_of_mean,
    to_settlement,
    toward_zero,
    value_at,
)
from defirisk.protocols.perps.perp_curie.funding import growth, payment, premium_x96, window
from defirisk.protocols.perps.perp_curie.index_price import IndexFeed
from defirisk.protocols.perps.perp_curie.perps import liquidation_price
from defirisk.protocols.perps.perp_curie.rows import (
    WAD,
    Config,
    Market,
    Order,
    PriceObservation,
)
from defirisk.swaps.tick_math import Q96, sqrt_ratio_at_tick

wads = st.integers(-(10**27), 10**27)


@given(st.integers(-200_000, 200_000))
def test_a_tick_is_had_back_from_its_price(tick: int) -> None:
    """Between 2e-9 and 5e8 dollars, where 1e18 tells ticks apart."""
    root = sqrt_ratio_at_tick(tick)

    assert root_of_mean(price_of(root)) == root


def test_a_price_between_ticks_belongs_to_none() -> None:
    below, above = (price_of(sqrt_ratio_at_tick(tick)) for tick in (77_000, 77_001))

    assert root_of_mean((below + above) // 2) is None
    assert root_of_mean(below + 1) is None
    assert root_of_mean(0) is None


@given(wads, st.integers(1, 10**20))
def test_solidity_cuts_toward_zero(top: int, bottom: int) -> None:
    assert toward_zero(top, bottom) == int(Fraction(top, bottom))


@pytest.mark.parametrize(
    ("value", "raw"),
    [(0, 0), (10**12 - 1, 0), (10**12, 1), (-1, -1), (-(10**12), -1), (-(10**12) - 1, -2)],
)
def test_settlement_amounts_are_rounded_down(value: int, raw: int) -> None:
    assert to_settlement(value) == raw


@given(wads, wads, wads)
def test_the_median_is_what_is_neither_above_nor_below_both_others(a: int, b: int, c: int) -> None:
    median = median_of_three(a, b, c)

    assert max(min(a, b), min(max(a, b), c)) == median


PRICES = st.lists(st.tuples(st.integers(1, 500), st.integers(1, 10**12)), min_size=1, max_size=6)


@given(PRICES, st.integers(0, 400), st.integers(0, 3_000), st.integers(1, 10**12))
def test_an_index_is_the_mean_over_every_second(
    changes: list[tuple[int, int]], ago: int, interval: int, latest: int
) -> None:
    """A twin that asks every second for its price; one cut at each end of the window."""
    entries: list[PriceObservation] = []
    timestamp, total = 10_000, 0
    for index, (seconds, price) in enumerate(changes):
        if entries:
            total += entries[-1].price * seconds
            timestamp += seconds
        entries.append(
            PriceObservation(
                price_feed="", index=index, price=price, price_cumulative=total, timestamp=timestamp
            )
        )
    updated = timestamp + 37
    now = updated + ago
    feed = IndexFeed(now=now, decimals=8, latest=latest, updated_at=updated, entries=entries)

    def at(second: int) -> int:
        if second >= updated:
            return latest
        return next(entry.price for entry in reversed(entries) if entry.timestamp <= second)

    # The sum that a target after the last entry has, takes that entry's price until the target.
    start = now - interval
    if interval == 0 or start < entries[0].timestamp:
        assert feed.price(interval) == latest
    else:
        until = sum(at(second) for second in range(entries[0].timestamp, now))
        newest = entries[-1]
        before = sum(
            newest.price if second >= newest.timestamp else at(second)
            for second in range(entries[0].timestamp, start)
        )
        assert abs(feed.price(interval) - (until - before) / interval) <= 1 + latest * 1e-12


def test_a_premium_ends_at_the_largest_rate() -> None:
    root = sqrt_ratio_at_tick(76_012)  # about 2,000
    price = price_of(root)

    assert premium_x96(root, price, 100_000) == pytest.approx(0, abs=2 * Q96 / WAD)
    assert premium_x96(root, price * 2, 100_000) == -of_ratio(price * 2 * Q96 // WAD, 100_000)
    assert premium_x96(root, price // 2, 50_000) == of_ratio(price // 2 * Q96 // WAD, 50_000)
    assert growth(root, price // 2, 50_000, 60) == 60 * premium_x96(root, price // 2, 50_000)


@given(wads, st.integers(-(10**6), 10**6))
def test_who_is_long_pays_what_who_is_short_gets(size: int, dollars: int) -> None:
    grown = dollars * 86_400 * Q96

    assert payment(size, grown) == size * dollars
    assert payment(-size, grown) == -payment(size, grown)


def test_funding_compares_no_more_seconds_than_were_traded() -> None:
    config, market = Config(scope="all"), Market(base_token="", first_traded_timestamp=1_000)

    assert window(replace(market, first_traded_timestamp=0), config, 5_000) == 0
    assert window(market, config, 1_004) == 4
    assert window(market, config, 9_000) == 900


def test_an_order_is_all_base_below_its_range_and_all_quote_above_it() -> None:
    order = Order(account="", base_token="", lower_tick=-600, upper_tick=600, liquidity=10**21)
    below, inside, above = (in_pool(order, sqrt_ratio_at_tick(t)) for t in (-900, 0, 900))

    assert below == in_pool(order, sqrt_ratio_at_tick(-600))
    assert above == in_pool(order, sqrt_ratio_at_tick(600))
    assert below[1] == above[0] == 0
    assert 0 < inside[0] < below[0]
    assert 0 < inside[1] < above[1]


def position(size: int, mark: int, notional: int) -> Position:
    """A taker's."""
    return Position(
        size=size,
        value=value_at(size, mark),
        open_notional=notional,
        base_balance=size,
        quote_balance=notional,
        quote_in_pool=0,
        pending_fee=0,
        pending_funding=0,
    )


def account(settlement: int, *positions: Position) -> Worth:
    """An account with these positions, in markets "0", "1" and so on."""
    return Worth(
        positions={str(number): one for number, one in enumerate(positions)},
        settlement=settlement,
        other_collateral=0,
        owed_realized_pnl=0,
        unrealized_pnl=sum(one.value + one.open_notional for one in positions),
        pending_fee=0,
        debt_value=0,
        mm_ratio=62_500,
    )


def test_how_much_may_be_liquidated() -> None:
    """10 ETH at 2,000 need 1,250 dollars; below 625 everything goes, above half of it."""
    mark = 2_000 * WAD
    one = position(10 * WAD, mark, -20_000 * WAD)
    small = position(WAD // 50, mark, -40 * WAD)

    assert account(1_250 * WAD, one).liquidatable_size("0", 1_250 * WAD) == 0
    assert account(1_249 * WAD, one).liquidatable_size("0", 1_249 * WAD) == 5 * WAD
    assert account(625 * WAD, one).liquidatable_size("0", 625 * WAD) == 5 * WAD
    assert account(624 * WAD, one).liquidatable_size("0", 624 * WAD) == 10 * WAD
    assert account(0, one, small).liquidatable_size("1", 700 * WAD) == WAD // 50
    assert account(0, one).liquidatable_size("2", 0) == 0


def test_a_position_that_is_tiny_beside_others_cannot_be_liquidated_alone() -> None:
    """The ratio does not fit into 24 bits, so that the contract reverts; two seeds have such."""
    mark = 2_000 * WAD
    large, tiny = position(100 * WAD, mark, 0), position(WAD // 10, mark, 0)

    assert account(0, large, tiny).liquidatable_size("1", 10_000 * WAD) is None
    assert account(0, large, tiny).liquidatable_size("1", 0) == WAD // 10


@given(
    st.integers(10**15, 10**21) | st.integers(-(10**21), -(10**15)),
    st.integers(-(10**21), 10**21),
    st.integers(-(10**24), 10**24),
)
def test_at_the_liquidation_price_value_is_requirement(size: int, other: int, margin: int) -> None:
    mark, second = 2_000 * WAD, 40_000 * WAD
    whole = account(margin, position(size, mark, 0), position(other, second, 0))
    price = liquidation_price(whole.positions["0"], whole)
    if price is None:
        return

    rest = whole.account_value - whole.positions["0"].value
    value = rest + size * price
    needed = (abs(size) * price + abs(whole.positions["1"].value)) * Fraction(62_500, 10**6)

    assert price > 0
    assert value == needed
