"""Perps V2 by hand: how funding and fees are counted, where a position falls."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.core.holdings import Side
from defirisk.protocols.perps.synthetix_perps_v2 import ADAPTER
from defirisk.protocols.perps.synthetix_perps_v2.arithmetic import (
    DAY,
    Funding,
    Settings,
    can_liquidate,
    divide,
    equity,
    funding,
    liquidation_fee,
    liquidation_margin,
    liquidation_premium,
    multiply,
)
from defirisk.protocols.perps.synthetix_perps_v2.liquidation_price import liquidation_price
from defirisk.protocols.perps.synthetix_perps_v2.market_now import rate_of, system_now
from defirisk.protocols.perps.synthetix_perps_v2.rows import (
    UNIT,
    Market,
    MarketCode,
    Position,
    RateRead,
)
from tests.unit.protocols.synthetix_sample import (
    ACCOUNT,
    FEED,
    HELD,
    MARKET,
    NOW,
    SETTINGS,
    snapshot,
)


@pytest.mark.parametrize(
    ("left", "right", "product"),
    [(3, UNIT // 2, 1), (-3, UNIT // 2, -1), (-3, -UNIT // 2, 1), (0, -5, 0)],
)
def test_products_are_cut_towards_0(left: int, right: int, product: int) -> None:
    assert multiply(left, right) == product


@pytest.mark.parametrize(
    ("top", "bottom", "quotient"),
    [(1, 3, UNIT // 3), (-1, 3, -(UNIT // 3)), (1, -3, -(UNIT // 3)), (-2, -2, UNIT)],
)
def test_quotients_are_cut_towards_0(top: int, bottom: int, quotient: int) -> None:
    assert divide(top, bottom) == quotient


def test_a_quotient_by_0_has_no_value() -> None:
    with pytest.raises(ZeroDivisionError):
        divide(1, 0)


@pytest.mark.parametrize(
    ("size", "fee"),
    [
        (UNIT // 10, UNIT),
        (10 * UNIT, 70 * UNIT),
        (-10 * UNIT, 70 * UNIT),
        (500 * UNIT, 1_000 * UNIT),
    ],
)
def test_the_fee_lies_between_the_keeper_fees(size: int, fee: int) -> None:
    assert liquidation_fee(size, 2_000 * UNIT, SETTINGS) == fee


def test_the_margin_of_the_sources_own_example() -> None:
    """100 units at 1,200 of a scale of 1,000,000: the premium is 12 times its multiplier."""
    premium = liquidation_premium(-100 * UNIT, 1_200 * UNIT, SETTINGS)
    assert premium == 12 * 15_625 * 10**14
    buffer, fee, keeper = 900 * UNIT, 420 * UNIT, 2 * UNIT
    assert liquidation_margin(100 * UNIT, 1_200 * UNIT, SETTINGS) == buffer + fee + keeper


def test_funding_accelerates_with_the_skew() -> None:
    market = Market(
        market=MARKET,
        market_skew_wad=300_000 * UNIT,
        funding_rate_wad=UNIT // 10,
        funding_wad=-7,
        funding_last_recomputed_ts=NOW - DAY // 2,
    )
    now = funding(market, SETTINGS, NOW)

    assert now is not None
    assert now.velocity == 27 * UNIT // 10
    assert now.rate == UNIT // 10 + 135 * UNIT // 100
    # The mean of both rates over half a day, against the longs.
    assert now.per_price == -(UNIT // 10 + now.rate) // 4
    assert now.next_entry(2_000 * UNIT) == -7 + 2_000 * now.per_price


def test_the_skew_counts_up_to_its_scale_and_not_without_one() -> None:
    market = Market(market=MARKET, market_skew_wad=-5_000_000 * UNIT)
    most = funding(market, SETTINGS, NOW)
    without = Settings(**dict.fromkeys(SETTINGS.__slots__, 0))

    assert most is not None
    assert most.velocity == -9 * UNIT
    assert funding(market, without, NOW) is None


@pytest.mark.parametrize(
    ("answer", "decimals", "rate"),
    [(5, 8, 5 * 10**10), (5, 18, 5), (5, 0, 5), (5 * 10**9 + 1, 27, 5)],
)
def test_a_rate_has_18_decimals_unless_its_feed_states_none(
    answer: int, decimals: int, rate: int
) -> None:
    assert rate_of(answer, decimals) == rate


@pytest.mark.parametrize(
    ("last", "broken", "updated", "usable"),
    [
        (0, False, NOW, True),
        (2_000 * UNIT, False, NOW - DAY, True),
        (2_000 * UNIT, False, NOW - DAY - 1, False),
        (2_000 * UNIT, True, NOW, False),
        (5_999 * UNIT, False, NOW, True),
        (6_000 * UNIT, False, NOW, False),
        (UNIT, False, NOW, False),
    ],
)
def test_a_rate_is_refused_when_old_or_far_from_the_last(
    last: int, broken: bool, updated: int, usable: bool
) -> None:
    read = RateRead(feed=FEED, last_value_wad=last, circuit_broken=broken)
    found = snapshot(HELD, read, updated=updated)
    market = system_now(found).markets[MARKET]

    assert market.rate.invalid is not usable
    assert (ADAPTER.perps(found).positions[0].mark_price is not None) is usable
    check = ADAPTER.liquidation_check(found)
    assert check(f"{ACCOUNT}:{MARKET}", {1: Fraction(1, 2)}) is usable
    said = {finding.code for finding in ADAPTER.findings(found)}
    assert ("no-price" in said) is not usable


def test_what_is_in_a_market_of_another_generation_is_left_out_and_said() -> None:
    found = snapshot(HELD, MarketCode(market=MARKET, routed=False))

    assert ADAPTER.holdings(found).units == ()
    assert "other-generation" in {finding.code for finding in ADAPTER.findings(found)}


positions = st.builds(
    lambda size, side, entry, leverage, paid: Position(
        market=MARKET,
        account=ACCOUNT,
        last_funding_index=1,
        size_wad=side * size,
        last_price_wad=entry,
        margin_wad=multiply(size, entry) * 10 // leverage,
        funding_wad=paid,
    ),
    st.integers(10**15, 2_000 * UNIT),
    st.sampled_from((1, -1)),
    st.integers(1_000 * UNIT, 3_000 * UNIT),
    st.integers(12, 400),
    st.integers(-50 * UNIT, 50 * UNIT),
)
moments = st.builds(
    lambda per_price, recorded: Funding(velocity=0, rate=0, per_price=per_price, recorded=recorded),
    st.integers(-UNIT // 20, UNIT // 20),
    st.integers(-50 * UNIT, 50 * UNIT),
)


@given(position=positions, now=moments)
def test_at_its_liquidation_price_a_position_falls(position: Position, now: Funding) -> None:
    price = liquidation_price(position, now, Fraction(2_000), SETTINGS)
    if price is None:
        ends = {can_liquidate(position, now, wad, SETTINGS) for wad in (1, 10**9 * UNIT)}
        assert len(ends) == 1  # no price makes a difference
        return
    # The contract's cuts are of some wei per unit of the position.
    apart = 10**6 + int(price * UNIT) // 10**12
    exactly, side = int(price * UNIT), 1 if position.size_wad > 0 else -1

    assert can_liquidate(position, now, max(0, exactly - side * apart), SETTINGS)
    assert not can_liquidate(position, now, exactly + side * apart, SETTINGS)


@given(position=positions, skewed=st.integers(0, 3 * DAY), price=st.integers(10**10, 6_000 * 10**8))
def test_rows_say_what_the_integers_say(position: Position, skewed: int, price: int) -> None:
    """Collateral less debts is the equity; less requirements too, it decides."""
    market = Market(
        market=MARKET,
        market_key="sETHPERP",
        base_asset="sETH",
        listed=True,
        market_skew_wad=100 * UNIT,
        funding_wad=3 * UNIT,
        funding_rate_wad=-UNIT // 50,
        funding_last_recomputed_ts=NOW - skewed,
    )
    found = snapshot(position, market, price=price)
    now, wad = funding(market, SETTINGS, NOW), price * 10**10
    assert now is not None
    book = ADAPTER.holdings(found)
    prices = {0: Fraction(1), 1: Fraction(wad, UNIT)}
    prices[2] = prices[1] * abs(Fraction(now.per_price, UNIT))

    worth = Fraction(0)
    for held in book.holdings:
        value = (held.amount_raw + held.remainder) / UNIT * prices[held.quote]
        worth += value if held.side is Side.COLLATERAL else -value
    (grain,) = book.resolutions()
    assert abs(worth - Fraction(equity(position, now, wad), UNIT)) <= grain
    for needed in book.requirements:
        value = needed.ratio * Fraction(needed.amount_raw, UNIT) * prices[needed.quote]
        value = value if needed.high is None else min(value, needed.high)
        worth -= value if needed.low is None else max(value, needed.low)
    size = position.size_wad
    left = equity(position, now, wad) - liquidation_premium(size, wad, SETTINGS)
    left -= liquidation_margin(size, wad, SETTINGS)
    assert abs(worth - Fraction(left, UNIT)) <= grain
    check = ADAPTER.liquidation_check(found)
    if abs(worth) > grain:
        assert check(book.units[0], {}) is (worth < 0)
