"""Margin metrics: the worked example of the literature, and slow twins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.core.margin import Perps
from defirisk.metrics.margin import (
    bankruptcy_price,
    distribution,
    funding_received,
    linear_funding,
    margins,
    market_sensitivities,
    quantiles,
    required_ratios,
    sensitivities,
)
from defirisk.metrics.margin_mode import Modes, modes
from defirisk.protocols.perps.imported_perps import ADAPTER
from tests.unit.imports.perps_sample import snapshot, stated

# The running example of pluriholonomic/autodeleveraging-analysis: sizes, margins, entered at 1,
# maintenance of a tenth.
SIZES = {"A": 1, "B": 1, "C": -4, "D": 1, "E": -1}
MARGINS = {
    "A": Fraction(2),
    "B": Fraction(2, 3),
    "C": Fraction(8, 3),
    "D": Fraction(2, 19),
    "E": Fraction(10, 99),
}
# Oracle and mark when funding is paid.
FUNDED = ((Fraction("1.5"), Fraction("1.4")), (Fraction("1.25"), Fraction("1.3")))
DIGITS = 1e-4
"""The published numbers have four decimals, and some are made of rounded ones: E's liquidation
price is 109 / 108.9 = 1.00092, not 1.0010, and C's equity 5.62133, not 5.6214."""


def perps(held: Iterable[Sequence[object]]) -> Perps:
    return ADAPTER.perps(snapshot(held))


def text(value: Fraction) -> str:
    return f"{value.numerator / value.denominator:.17f}"


def imported(price: Fraction, margin: dict[str, Fraction]) -> Perps:
    """The example at a mark, after funding was added to the margins. They may fall below 0, which
    only a cross account may state: with one position each, both modes are the same.
    """
    return perps(
        ("P", who, "X", size, 1, text(margin[who]), "0.1", "cross", text(price))
        for who, size in SIZES.items()
    )


def after_funding(times: int) -> dict[str, Fraction]:
    longs, shorts = (
        Fraction(sum(abs(s) for s in SIZES.values() if (s > 0) is long)) for long in (True, False)
    )
    margin = dict(MARGINS)
    for oracle, mark in FUNDED[:times]:
        rate = linear_funding(Fraction(1), longs, shorts, mark, oracle)
        for who, size in SIZES.items():
            margin[who] += funding_received(Fraction(size), mark, rate)
    return margin


def near(values: Iterable[Fraction | float | None], expected: Sequence[float]) -> None:
    found = [0.0 if value is None else float(value) for value in values]
    assert found == pytest.approx(expected, abs=DIGITS)


def test_leverage_bankruptcy_and_liquidation_prices_of_the_example() -> None:
    found = imported(Fraction(1), MARGINS)
    near((one.leverage for one in margins(found)), [0.5, 1.5, 1.5, 9.5, 9.9])
    gone = [
        bankruptcy_price(one, account.equity or Fraction(0))
        for one, account in zip(found.positions, found.accounts, strict=True)
    ]
    assert gone[0] is None  # no fall takes what A has: the paper writes 0
    near(gone, [0, 0.3333, 1.6667, 0.8947, 1.1010])
    assert found.positions[0].liquidation_price is None
    near((one.liquidation_price for one in found.positions), [0, 0.3704, 1.5152, 0.9942, 1.0010])
    exact = [found.positions[k].liquidation_price or Fraction(0) for k in (1, 4)]
    assert [float(one) for one in exact] == pytest.approx([1 / 2.7, 109 / 108.9], rel=1e-15)


def test_funding_rates_of_the_example() -> None:
    rates = [
        linear_funding(Fraction(1), Fraction(3), Fraction(5), mark, oracle)
        for oracle, mark in FUNDED
    ]
    assert rates[0] == Fraction(-1, 3)
    near(rates, [-0.3333, -0.44])


def test_who_fails_maintenance_at_t1_of_the_example() -> None:
    found = imported(FUNDED[0][1], after_funding(1))
    near((one.maintenance for one in found.accounts), [0.14, 0.14, 0.56, 0.14, 0.14])
    assert [one.unit for one in found.accounts if one.liquidatable] == ["D"]


def test_profit_and_equity_at_t2_of_the_example() -> None:
    found = imported(FUNDED[1][1], after_funding(2))
    equity = {one.unit: one.equity or Fraction(0) for one in found.accounts}
    near((equity[who] - MARGINS[who] for who in SIZES), [-0.7387, -0.7387, 2.9547, -0.7387, 0.7387])
    near(equity.values(), [1.2613, -0.0720, 5.6214, -0.6334, 0.8397])
    assert found.bad_debt == -equity["B"] - equity["D"]
    near([found.bad_debt], [0.7054])
    assert float(equity["C"]) == pytest.approx(8 / 3 + 4 * (1.4 / 3 + 1.3 * 0.44 - 0.3), rel=1e-15)


@given(
    st.lists(st.tuples(st.floats(-5, 5) | st.just(np.inf), st.integers(0, 9)), max_size=12),
    st.floats(0.01, 1),
)
def test_quantiles_are_those_of_the_values_repeated(
    rows: list[tuple[float, int]], level: float
) -> None:
    values, weights = (np.array([row[k] for row in rows], dtype=np.float64) for k in (0, 1))
    repeated = sorted(value for value, weight in rows for _ in range(weight))
    (found,) = quantiles(values, weights, (level,))
    if not repeated:
        assert np.isnan(found)
        return
    place = level * len(repeated)
    if abs(place - round(place)) > 1e-9:  # just between two, rounding decides
        assert found == repeated[int(np.ceil(place)) - 1]


def test_distribution_weighs_notional_and_counts_what_it_does_not_know() -> None:
    held = [
        ("P", "big", "X", 90, 1, 9, "0.05", "isolated", 1),  # leverage 10, ratio 2
        ("P", "low", "X", 10, 1, 10, "0.05", "isolated", 1),  # leverage 1, ratio 20
        ("P", "out", "X", 1, 2, "0.5", "0.05", "isolated", 1),  # has lost more than it had
    ]
    known = perps(held)
    blind = replace(
        known,
        positions=(replace(known.positions[0], mark_price=None),),
        accounts=(replace(known.accounts[0], equity=None),),
    )
    found = distribution([known, blind], (0.05, 0.5, 1.0))
    assert found.leverage == (1.0, 10.0, np.inf)
    assert found.margin_ratio == (2.0, 2.0, 20.0)
    assert stated(found.notional, found.unknown) == (101, 1)
    assert found.at_risk == pytest.approx(1 / 101)
    (big, *_) = margins(known)
    assert stated(big.buffer, big.spare) == (0, Fraction(9, 2))
    assert np.isnan(distribution([]).at_risk)


def test_the_buffer_is_what_opening_demands_beyond_keeping() -> None:
    tiers = [("X", 0, "0.1", "0.05", 10), ("X", 100, "0.2", "0.1", 5)]
    held = [("P", "al", "X", 200, 1, 50, "", "isolated", 1)]
    (one,) = margins(ADAPTER.perps(snapshot(held, tiers)))
    assert stated(one.buffer, one.spare) == (40 - 15, 50 - 15)


NUMBER = st.integers(1, 500)


@st.composite
def cross_accounts(draw: st.DrawFn) -> list[tuple[object, ...]]:
    """Positions of two owners without tiers, one market for each asset."""
    price = {asset: draw(NUMBER) for asset in "XYZ"}
    return [
        (asset, who, asset, size, draw(NUMBER), draw(NUMBER), ratio, "cross", price[asset])
        for who in ("al", "bo")
        for asset in sorted(draw(st.sets(st.sampled_from("XYZ"), min_size=1)))
        for size in [draw(st.integers(-20, 20).filter(bool))]
        for ratio in [{"X": "0.05", "Y": "0.1", "Z": "0.02"}[asset]]
    ]


@given(cross_accounts())
def test_sensitivities_are_what_a_dollar_more_does(held: list[tuple[object, ...]]) -> None:
    def equity(of: Perps, owner: str) -> tuple[Fraction, Fraction]:
        own = [one for one in of.accounts if one.owner == owner]
        total = sum((one.equity or Fraction(0) for one in own), Fraction(0))
        return total, total - sum((one.maintenance or Fraction(0) for one in own), Fraction(0))

    now, doubled = perps(held), perps([(*row[:8], 2 * row[8]) for row in held])  # type: ignore[operator]
    for one in sensitivities(now):
        before, kept = equity(now, one.owner)
        if one.asset is None:
            assert equity(doubled, one.owner)[0] - before == one.usd
            continue
        dearer = [(*row[:8], row[8] + (row[2] == one.asset)) for row in held]  # type: ignore[operator]
        after, left = equity(perps(dearer), one.owner)
        assert (after - before, left - kept) == (one.equity_per_price, one.spare_per_price)
    assert {one.owner for one in sensitivities(now)} == {"al", "bo"}


@given(cross_accounts())
def test_both_modes_are_what_an_import_in_the_other_mode_says(
    held: list[tuple[object, ...]],
) -> None:
    """The referee is the adapter's own answer for the same positions stated in the other mode."""
    crossed = perps(held)
    sides = modes(crossed)
    shares = {(p.unit, p.market): p.margin for side in sides for p in side.positions}
    isolated = [
        (*row[:5], text(shares[str(row[1]), str(row[0])]), row[6], "isolated", row[8])
        for row in held
    ]
    alone = perps(isolated)
    equity = {one.unit: one for one in alone.accounts}
    fall = {(one.unit, one.market): one.liquidation_price for one in alone.positions}
    together = {(one.unit, one.market): one.liquidation_price for one in crossed.positions}
    for side in sides:
        for p in side.positions:
            name = f"{p.unit}:{p.market}"
            assert p.cross_price == together[p.unit, p.market]
            assert p.maintenance == equity[name].maintenance
            assert float(p.isolated_equity) == pytest.approx(
                float(equity[name].equity or 0), abs=1e-12
            )
            _same(p.isolated_price, fall[name, p.market])
        assert side.isolated_liquidatable == _notional(alone, side)


def _same(ours: Fraction | None, theirs: Fraction | None) -> None:
    if ours is None or theirs is None:
        assert float(ours or theirs or 0) == pytest.approx(0, abs=1e-12)
    else:
        assert float(ours) == pytest.approx(float(theirs), rel=1e-12, abs=1e-12)


def _notional(of: Perps, side: Modes) -> Fraction:
    due = {one.unit for one in of.accounts if one.owner == side.owner and one.liquidatable}
    return sum((p.notional or Fraction(0) for p in of.positions if p.unit in due), Fraction(0))


def test_cross_margin_nets_and_isolated_margin_protects() -> None:
    held = [
        ("X", "al", "X", 10, 100, 50, "0.05", "isolated", 90),  # lost 100 of 50
        ("Y", "al", "Y", -10, 100, 50, "0.05", "isolated", 80),  # won 200
    ]
    (side,) = modes(perps(held))
    assert stated(side.equity, side.maintenance, side.cross_liquidatable) == (200, 85, False)
    assert side.isolated_liquidatable == 900
    assert [p.isolated_liquidatable for p in side.positions] == [True, False]
    # 200 - 85 = 115 is spent at 9.5 a dollar of X, at 10.5 a dollar of Y.
    assert [p.cross_price for p in side.positions] == [
        90 - Fraction(115) / Fraction("9.5"),
        80 + Fraction(115) / Fraction("10.5"),
    ]


def test_all_markets_of_an_asset_move_together() -> None:
    held = [
        ("X-1", "al", "X", 10, 100, 40, "0.05", "isolated", 100),
        ("X-2", "al", "X", -4, 100, 40, "0.05", "isolated", 100),
    ]
    (side,) = modes(perps(held))
    # 80 less 70 that must be kept; 6 less 0.7 is lost for each dollar that X falls.
    assert {p.cross_price for p in side.positions} == {100 - 10 / Fraction("5.3")}
    crossed = perps([(*row[:7], "cross", row[8]) for row in held])
    assert {p.liquidation_price for p in crossed.positions} == {100 - 10 / Fraction("5.3")}
    (asset, total) = sensitivities(crossed)
    assert stated(asset.equity_per_price, asset.spare_per_price, total.usd) == (
        6,
        Fraction("5.3"),
        600,
    )


def test_what_is_not_known_is_left_out() -> None:
    known = perps([("P", "al", "X", 1, 1, 1, "0.05", "cross", 1)])
    blind = replace(known, accounts=(replace(known.accounts[0], maintenance=None),))
    assert (modes(blind), required_ratios(blind)) == ((), {})
    asset, total = sensitivities(blind)
    assert stated(asset.equity_per_price, asset.spare_per_price, total.usd) == (1, None, 1)


@given(cross_accounts())
def test_a_market_is_the_sum_of_its_owners(held: list[tuple[object, ...]]) -> None:
    found, none = perps(held), Fraction(0)
    for market in market_sensitivities(found):
        own = [one for one in sensitivities(found) if one.asset == market.asset]
        assert market.equity_per_price == sum((one.equity_per_price or none for one in own), none)
        assert market.longs_usd - market.shorts_usd == sum((one.usd for one in own), none)
    for side in modes(found):
        assert side.isolated_missing >= side.cross_missing == max(0, side.maintenance - side.equity)
