"""Imported perpetuals: tiers, liquidation prices, and holdings that say the same as the check."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from defirisk.core.adapter import Snapshot
from defirisk.core.holdings import Holdings, Side
from defirisk.core.margin import Mode, Perps
from defirisk.core.quote import Feed, Leaf, exact
from defirisk.protocols.perps.imported_perps import ADAPTER
from defirisk.protocols.perps.imported_perps.accounts import accounts_now
from defirisk.protocols.perps.imported_perps.tiers import Schedule, Tier
from tests.unit.imports.perps_sample import PROTOCOL, snapshot, stated

# The first brackets that Binance published for BTCUSDT in 2021, with their `cum`.
BRACKETS = [
    (0, "0.008", "0.004", 0),
    (50_000, "0.01", "0.005", 50),
    (250_000, "0.02", "0.01", 1_300),
    (1_000_000, "0.05", "0.025", 16_300),
    (10_000_000, "0.1", "0.05", 266_300),
]
SCHEDULE = Schedule(tuple(Tier(Fraction(f), Fraction(i), Fraction(m)) for f, i, m, _ in BRACKETS))
TIERS = [("BTC", floor, initial, kept, "") for floor, initial, kept, _ in BRACKETS]


def test_maintenance_amounts_are_those_that_exchanges_publish() -> None:
    assert SCHEDULE.amounts() == tuple(cum for *_, cum in BRACKETS)


@given(st.fractions(0, 50_000_000))
@example(Fraction(50_000))
def test_a_requirement_is_the_tier_s_ratio_less_its_maintenance_amount(notional: Fraction) -> None:
    tier = bisect_right([floor for floor, *_ in BRACKETS], notional) - 1
    *_, kept, amount = BRACKETS[tier]
    assert SCHEDULE.maintenance(notional) == Fraction(kept) * notional - amount
    assert SCHEDULE.initial(notional) == Fraction(BRACKETS[tier][1]) * notional
    assert SCHEDULE.maintenance(notional) <= SCHEDULE.initial(notional)


def perps(of: Snapshot) -> Perps:
    return ADAPTER.perps(of)


def test_a_position_across_a_tier_by_hand() -> None:
    # A long of 2 at 60,000 with a margin of 5,000: notional 120,000 keeps 0.005 N - 50 = 550.
    held = [("BTC-PERP", "al", "BTC", 2, 60_000, 5_000, "", "isolated", 60_000)]
    (account,), (position,) = (
        perps(snapshot(held, TIERS)).accounts,
        perps(snapshot(held, TIERS)).positions,
    )
    assert (account.unit, account.owner, account.mode) == ("al:BTC-PERP", "al", Mode.ISOLATED)
    assert stated(account.maintenance, account.initial, account.equity) == (550, 1_200, 5_000)
    # 5,000 + 2 (p - 60,000) = 0.005 * 2 p - 50
    assert position.liquidation_price == Fraction(114_950) / Fraction("1.99")


def test_haircuts_count_for_liquidation_and_not_for_bad_debt() -> None:
    held = [("BTC-PERP", "al", "BTC", 1, 100, 0, "0.05", "cross", 60)]
    of = snapshot(held, (), [("al", "ETH", 1, "0.25", 40)])
    (account,) = perps(of).accounts
    assert stated(account.margin, account.equity, account.liquidatable) == (30, -10, True)
    assert perps(of).bad_debt == 0  # 40 of ETH, and 40 lost
    worse = snapshot(held, (), [("al", "ETH", 1, "0.25", 39)])
    assert perps(worse).bad_debt == 1


def test_collateral_of_the_asset_itself_hedges_a_short() -> None:
    held = [("BTC-PERP", "al", "BTC", -1, 100, 0, "0.01", "cross", 100)]
    coins = [("al", "BTC", "1.02", 0, 100)]
    (position,) = perps(snapshot(held, (), coins)).positions
    assert position.liquidation_price is None


def test_margins_of_cross_positions_add_up_and_isolated_ones_stand_alone() -> None:
    held = [
        ("BTC-PERP", "al", "BTC", 1, 100, 7, "0.05", "cross", 100),
        ("ETH-PERP", "al", "ETH", -2, 10, -2, "0.05", "cross", 11),
        ("SOL-PERP", "al", "SOL", 3, 1, 1, "0.05", "isolated", 1),
    ]
    accounts = {one.unit: one for one in perps(snapshot(held)).accounts}
    assert {name: stated(one.margin, one.equity) for name, one in accounts.items()} == {
        "al": (5, 3),
        "al:SOL-PERP": (1, 1),
    }
    assert accounts["al"].liquidatable is True  # 3 < 5 % of 122
    exact_holdings = ADAPTER.holdings(snapshot(held))
    assert dict(zip(exact_holdings.units, exact_holdings.unit_owners(), strict=True)) == {
        "al": "al",
        "al:SOL-PERP": "al",
    }


SIZES = st.decimals(-50, 50, places=3, allow_nan=False).filter(bool)
PRICES = st.decimals("0.5", 3_000, places=2, allow_nan=False)
ASSETS = ("BTC", "ETH", "SOL")
RATIOS = st.decimals(0, "0.2", places=3, allow_nan=False)


@st.composite
def venues(draw: st.DrawFn) -> Snapshot:
    """Some accounts in both modes; BTC may have tiers low enough to matter."""
    price = {asset: draw(PRICES) for asset in (*ASSETS, "USDC")}
    held = [
        (
            f"{asset}-PERP",
            account,
            asset,
            draw(SIZES),
            draw(PRICES),
            draw(st.integers(0, 20_000)),
            draw(RATIOS),
            draw(st.sampled_from(["cross", "isolated"])),
            price[asset],
        )
        for account in sorted(draw(st.sets(st.sampled_from(["al", "bo", "cy"]), min_size=1)))
        for asset in sorted(draw(st.sets(st.sampled_from(ASSETS), min_size=1)))
    ]
    floors = sorted(draw(st.sets(st.integers(1, 60_000), max_size=3)))
    ratios = sorted(draw(RATIOS) for _ in range(len(floors) + 1))
    tiers = [("BTC", f, r, r, "") for f, r in zip([0, *floors], ratios, strict=True)]
    coins = [
        (account, asset, draw(st.integers(0, 50)), draw(RATIOS), price[asset])
        for account in sorted(draw(st.sets(st.sampled_from(["al", "eve"]))))
        for asset in sorted(draw(st.sets(st.sampled_from(["BTC", "USDC"]))))
    ]
    return snapshot(held, tiers if draw(st.booleans()) else (), coins)


def margin(exact_holdings: Holdings, unit: int, factors: dict[str, Fraction]) -> Fraction:
    """The definition: backing less debts less requirements; below 0 the unit falls."""

    def price(quote: int) -> Fraction:
        def factor(leaf: Leaf) -> Fraction:
            return factors.get(leaf.address, Fraction(1)) if isinstance(leaf, Feed) else Fraction(1)

        value = exact(exact_holdings.quotes[quote].program, factor)
        assert value is not None
        return value / Fraction(10) ** exact_holdings.quotes[quote].decimals

    found = Fraction(0)
    for held in exact_holdings.holdings:
        if held.unit == unit:
            worth = (held.amount_raw + held.remainder) * price(held.quote)
            threshold = exact_holdings.parameters[held.parameters].liquidation_threshold
            found += -worth if held.side is Side.DEBT else worth * threshold
    for one in exact_holdings.requirements:
        if one.unit == unit:
            kept = one.ratio * one.amount_raw * price(one.quote) - one.offset
            found -= kept if one.low is None else max(kept, one.low)
    return found


@given(venues(), st.lists(st.fractions(Fraction(1, 10), 10), min_size=4, max_size=4))
def test_holdings_and_the_check_say_the_same_after_a_shock(
    of: Snapshot, moves: Sequence[Fraction]
) -> None:
    """To the last digit: what a unit has beyond its requirement, not only its sign."""
    factors = dict(zip((f"{PROTOCOL}/{a}" for a in (*ASSETS, "USDC")), moves, strict=True))
    exact_holdings, check, now = (
        ADAPTER.holdings(of),
        ADAPTER.liquidation_check(of),
        accounts_now(of),
    )
    plain = {
        place: factors[quote.program.address]
        for place, quote in enumerate(exact_holdings.quotes)
        if isinstance(quote.program, Feed)
    }
    shocked = {q: price * plain.get(q, Fraction(1)) for q, price in now.prices.items()}
    units = {one.name: one for one in now.units}
    stated_ = {one.unit: one for one in perps(of).accounts}
    for unit, name in enumerate(exact_holdings.units):
        left = margin(exact_holdings, unit, factors)
        assert units[name].equity(shocked) - units[name].maintenance(shocked) == left, name
        assert check(name, plain) is (left < 0)
        assert stated_[name].liquidatable is (margin(exact_holdings, unit, {}) < 0)


def test_of_two_liquidation_prices_the_nearer_one_is_said() -> None:
    """Coins hedge a short and what the first tier needs, but not what the next one needs."""
    tiers = [("BTC", 0, "0.01", "0.01", ""), ("BTC", 1_000, "0.1", "0.1", "")]
    coins = [("al", "BTC", "1.05", 0, 900)]
    held = [("BTC-PERP", "al", "BTC", -1, 900, -910, "", "cross", 900)]
    (position,) = perps(snapshot(held, tiers, coins)).positions
    # Below 1,000: -10 + 1.05 p - p - 0.01 p = 0.04 p - 10; above: 80 - 0.05 p.
    assert position.liquidation_price == 250
    near = [("BTC-PERP", "al", "BTC", -1, 900, -910, "", "cross", 1_590)]
    (position,) = perps(snapshot(near, tiers, [("al", "BTC", "1.05", 0, 1_590)])).positions
    assert position.liquidation_price == 1_600


@given(venues())
def test_a_liquidation_price_is_where_the_check_turns(of: Snapshot) -> None:
    """At the price itself a unit has just what it needs; on one side of it, it falls."""
    check, exact_holdings = ADAPTER.liquidation_check(of), ADAPTER.holdings(of)
    asset = {one.market: one.base_asset for one in perps(of).markets}
    for one in perps(of).positions:
        assert one.mark_price is not None
        moving = [
            place
            for place, quote in enumerate(exact_holdings.quotes)
            if quote.asset == asset[one.market]
        ]

        def due(price: Fraction, name: str = one.unit, now: Fraction = one.mark_price) -> bool:
            return check(name, dict.fromkeys(moving, price / now))  # noqa: B023

        at = one.liquidation_price
        grid = [one.mark_price * Fraction(k, 20) for k in range(1, 200)]
        between = (
            grid
            if at is None
            else [p for p in grid if abs(p - one.mark_price) < abs(at - one.mark_price)]
        )
        # Nothing turns nearer to the present price.
        assert len({due(p) for p in between} | {due(one.mark_price)}) == 1
        if at is not None:
            step = at / 10**9
            assert not due(at)
            assert due(at - step) or due(at + step) or _touches(of, one.unit)


def _touches(of: Snapshot, unit: str) -> bool:
    """Nothing must be kept and nothing is at stake: both lines are the same."""
    now = next(one for one in accounts_now(of).units if one.name == unit)
    prices = accounts_now(of).prices
    return now.equity(prices) == now.maintenance(prices)


def test_what_is_empty_is_no_unit() -> None:
    held = [("BTC-PERP", "al", "BTC", 0, 0, 0, "0.05", "isolated", 100)]
    assert ADAPTER.holdings(snapshot(held)).units == ()
    assert perps(snapshot(held)).positions == ()
    only_margin = [("BTC-PERP", "al", "BTC", 0, 0, 5, "0.05", "isolated", 100)]
    assert ADAPTER.holdings(snapshot(only_margin)).units == ("al:BTC-PERP",)


def test_an_unknown_unit_cannot_be_liquidated() -> None:
    held = [("BTC-PERP", "al", "BTC", 1, 100, 0, "0.05", "isolated", 90)]
    check = ADAPTER.liquidation_check(snapshot(held))
    assert (check("al:BTC-PERP", {}), check("al", {}), check("nobody", {})) == (True, False, False)


def test_a_market_s_interest_and_tiers_are_stated() -> None:
    held = [
        ("BTC-PERP", "al", "BTC", 3, 100, 50, "", "isolated", 100),
        ("BTC-PERP", "bo", "BTC", "-1.5", 100, 50, "", "isolated", 100),
    ]
    (market,) = perps(snapshot(held, TIERS)).markets
    assert stated(market.long_interest, market.short_interest) == (3, Fraction(3, 2))
    assert (market.initial_ratio, market.maintenance_ratio) == (
        Fraction("0.008"),
        Fraction("0.004"),
    )
    assert market.limits[1] == (
        "from a notional of 50,000",
        "initial 0.01, maintenance 0.005",
    )
    assert float(market.skew) == pytest.approx(1.5)
