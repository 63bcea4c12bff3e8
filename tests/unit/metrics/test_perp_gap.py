"""Jumps of prices: slow twins, and the adapter's own answer at the prices after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.core.margin import Perps
from defirisk.metrics.perp_gap import gaps, owed_at, reached, tails, unknown
from defirisk.protocols.perps.imported_perps import ADAPTER
from tests.unit.imports.perps_sample import snapshot, stated
from tests.unit.metrics.test_margin import cross_accounts

Row = tuple[object, ...]
NUMBERS = st.integers(-50, 50)
MOVES = st.integers(-99, 200).map(lambda percent: Fraction(percent, 100))


def perps(held: Sequence[Row]) -> Perps:
    return ADAPTER.perps(snapshot(held))


def moved(held: list[Row], percent: int, asset: str | None) -> Perps:
    """The same positions, stated by a file at the prices after a move."""
    return perps(
        [
            (*row[:8], Decimal(str(row[8])) * (100 + percent) / 100)
            if asset in (None, row[2])
            else row
            for row in held
        ]
    )


@given(cross_accounts(), st.sampled_from(["X", None]), st.sampled_from([-90, -50, -20, 25, 150]))
def test_what_a_jump_does_is_what_a_file_says_at_the_prices_after_it(
    held: list[Row], asset: str | None, percent: int
) -> None:
    move = Fraction(percent, 100)
    (found,) = reached(perps(held), [move], asset)
    after = moved(held, percent, asset)
    due = [one for one in after.accounts if one.liquidatable]
    assert found.units == len(due)
    assert found.owed == after.bad_debt
    now = perps(held)
    expected = sum(
        (p.notional or Fraction(0) for p in now.positions if p.unit in {one.unit for one in due}),
        Fraction(0),
    )
    assert found.notional == expected


def test_between_liquidation_and_bankruptcy_the_margin_still_pays() -> None:
    # 10 tokens long at 100 with 200: liquidated where 200 + 10 (p - 100) = p / 2, at 84.21.
    (long, short) = gaps(
        perps(
            [
                ("P", "al", "X", 10, 100, 200, "0.05", "cross", 100),
                ("P", "bo", "X", -10, 100, 200, "0.05", "cross", 100),
            ]
        )
    )
    assert stated(long.bankruptcy_price, short.bankruptcy_price) == (80, 120)
    assert long.liquidation_price == Fraction(800) / Fraction("9.5")
    assert long.room == pytest.approx(0.05)
    assert short.liquidation_price == Fraction(1200) / Fraction("10.5")
    assert short.room == pytest.approx(0.05)
    assert stated(long.jump, short.jump) == (Fraction(-1, 5), Fraction(1, 5))
    assert (long.passed, short.passed) == (False, False)
    assert stated(long.left_beyond(Fraction(1, 20))) == (0,)
    # A tenth past 84.21 is 75.79: 4.21 a token below what the margin can bear.
    assert float(long.left_beyond(Fraction(1, 10))) == pytest.approx(10 * (80 - 84.2105263 * 0.9))
    assert float(short.left_beyond(Fraction(1, 10))) == pytest.approx(
        10 * (114.2857143 * 1.1 - 120)
    )


def test_what_is_passed_or_gone_has_no_jump_ahead() -> None:
    (due, gone, safe) = gaps(
        perps(
            [
                ("P", "due", "X", 10, 100, 20, "0.05", "cross", 100),
                ("P", "gone", "X", 10, 100, -20, "0.05", "cross", 100),
                ("P", "safe", "X", 10, 100, 2000, "0.05", "cross", 100),
            ]
        )
    )
    assert (due.passed, gone.passed, safe.passed) == (True, True, False)
    assert stated(due.jump, gone.jump, safe.jump) == (Fraction(-1, 50), None, None)
    assert (safe.liquidation_price, safe.bankruptcy_price, safe.room) == (None, None, None)
    assert stated(safe.left_beyond(Fraction(1, 2))) == (0,)


def test_markets_of_one_asset_are_one_gap() -> None:
    (only,) = gaps(
        perps(
            [
                ("X-1", "al", "X", 10, 100, 40, "0.05", "cross", 100),
                ("X-2", "al", "X", -4, 100, 40, "0.05", "cross", 100),
            ]
        )
    )
    assert stated(only.market, only.tokens) == ("X", 6)
    assert only.bankruptcy_price == 100 - Fraction(80, 6)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=8), st.lists(MOVES, max_size=6))
def test_sums_of_lines_are_those_of_each(
    lines: list[tuple[int, int]], moves: list[Fraction]
) -> None:
    equity, gain = (np.array([one[k] for one in lines], dtype=np.float64) for k in (0, 1))
    found = owed_at(equity, gain, np.array([float(move) for move in moves]))
    expected = [sum(max(0.0, -(e + g * float(m))) for e, g in lines) for m in moves]
    assert list(found) == pytest.approx(expected, abs=1e-9)


def test_the_expected_shortfall_is_the_mean_of_the_worst_days() -> None:
    """One long that has nothing: what is owed is what the price lost, at most all of it."""
    held = [("P", "al", "X", 100, 1, 0, "0.05", "cross", 1)]
    (small,) = tails(perps(held), [0.05])
    # Of a normal return: mean of max(0, -r), its quantile, and the mean beyond it.
    assert small.mean == pytest.approx(100 * 0.05 * 0.3989423, rel=1e-3)
    assert small.at_level == pytest.approx(100 * 0.05 * 2.3263479, rel=1e-3)
    assert small.shortfall == pytest.approx(100 * 0.05 * 2.6652142, rel=2e-3)
    (wild,) = tails(perps(held), [10.0])
    assert wild.shortfall == 100  # no price falls below 0


@given(cross_accounts(), st.sampled_from([0.02, 0.5]))
def test_tails_agree_with_a_draw_of_returns(held: list[Row], volatility: float) -> None:
    found = perps(held)
    (one,) = tails(found, [volatility], 0.9)
    draw = np.maximum(np.random.default_rng(1).normal(0, volatility, 4000), -1)
    owed = np.zeros(len(draw))
    for account in found.accounts:
        size = sum(
            float(p.size * (p.mark_price or 0)) for p in found.positions if p.unit == account.unit
        )
        owed += np.maximum(0, -(float(account.equity or 0) + size * draw))
    scale = sum(float(p.notional or 0) for p in found.positions) * volatility
    assert one.mean == pytest.approx(owed.mean(), abs=0.06 * scale + 1e-9)
    worst = np.sort(owed)[-400:]
    assert one.shortfall == pytest.approx(worst.mean(), abs=0.15 * scale + 1e-9)


def test_units_without_a_price_are_left_out_and_counted() -> None:
    known = perps(
        [
            ("P", "al", "X", 1, 1, 1, "0.05", "cross", 1),
            ("Q", "bo", "Y", 1, 1, "0.5", "0.05", "cross", 1),
        ]
    )
    blind = replace(
        known,
        accounts=(replace(known.accounts[0], equity=None), known.accounts[1]),
    )
    assert (unknown(known), unknown(blind)) == (0, 1)
    assert [one.unit for one in gaps(blind)] == ["bo"]
    (all_gone,) = reached(blind, [Fraction(-99, 100)])
    assert all_gone.units == 1
