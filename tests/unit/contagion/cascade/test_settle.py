"""One unit's liquidation: golden numbers, and the corners of each rule by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from defirisk.contagion.cascade.outcome import CascadeOutcome
from defirisk.contagion.cascade.play import Cascade
from defirisk.contagion.cascade.settings import BASE
from defirisk.contagion.cascade.settle import left_over, plan, weighed
from defirisk.contagion.valuation import UNMOVED
from defirisk.core.book import Book
from defirisk.core.liquidation import Rounding, Rule
from tests.books import Token
from tests.books import book as plain

from .liquidated import AAVE, AAVE_OLD, HALF, UNIT, WHOLE, liquidated

ALONE = replace(BASE, round_seconds=0, gas_usd=0.0)
"""Nothing accrues, nothing costs; what no pool trades is sold at the market price."""

C, D = Token("C", 1.0, 0.8), Token("D", 1.0, 0.5)


def one(collateral: float, debt: float, rule: Rule, *, health: float = 0.8) -> Book:
    """One unit that pledges C and owes D, each worth a dollar; bonus 5 %."""
    tokens = [replace(C, threshold=health), D]
    return liquidated(
        plain(tokens, [[("collateral", "C", collateral), ("debt", "D", debt)]]), [rule]
    )


def left(outcome: CascadeOutcome) -> tuple[float, float]:
    """Collateral and debt at the end, in whole tokens."""
    collateral, debt = outcome.states[0].amount / UNIT
    return float(collateral), float(debt)


def played(book: Book) -> CascadeOutcome:
    return Cascade(book).play([UNMOVED], ALONE, compiled=False, trace=50)


@pytest.mark.parametrize(
    ("debt", "steps"),
    [(85.0, 1), (94.0, 4)],
)
def test_g13_half_at_a_time_until_healthy(debt: float, steps: int) -> None:
    """Notes 2.4, G13: LT 0.8, bonus 5 %, close factor 1/2, collateral 100."""
    outcome = played(one(100.0, debt, HALF))
    assert outcome.liquidations[0] == steps
    collateral, owed = 100.0, debt
    for _ in range(steps):
        collateral, owed = collateral - 1.05 * owed / 2, owed / 2
    assert left(outcome) == pytest.approx((collateral, owed), rel=1e-14)
    assert owed < 0.8 * collateral
    assert outcome.bad_debt_usd.sum() == 0


def test_g13_one_step_by_hand() -> None:
    assert left(played(one(100.0, 85.0, HALF))) == pytest.approx((55.375, 42.5), rel=1e-14)


def test_g13_beyond_the_frontier_the_collateral_runs_out() -> None:
    """LTV above 1 / 1.05: bad debt of 96 - 100 / 1.05."""
    outcome = played(one(100.0, 96.0, HALF))
    assert outcome.bad_debt_usd.sum() == pytest.approx(96 - 100 / 1.05, rel=1e-9)
    assert outcome.uncovered_usd.sum() == outcome.bad_debt_usd.sum()
    assert outcome.written_off_usd.sum() == 0
    assert outcome.liquidated_debt_usd.sum() == pytest.approx(100 / 1.05, rel=1e-9)


@pytest.mark.parametrize("rule", [AAVE, WHOLE])
def test_what_protocols_write_off(rule: Rule) -> None:
    outcome = played(one(100.0, 96.0, rule))
    assert outcome.written_off_usd.sum() == pytest.approx(96 - 100 / 1.05, rel=1e-9)
    assert outcome.uncovered_usd.sum() == 0
    assert left(outcome) == (0.0, 0.0)


def test_a_small_position_is_closed_whole() -> None:
    """Below 2,000 of either, half of the debt is not the limit."""
    outcome = played(one(1900.0, 1600.0, AAVE))
    assert outcome.liquidated_debt_usd.sum() == pytest.approx(1600.0)
    outcome = played(one(4000.0, 3300.0, AAVE))
    first = outcome.states[0].trace[0]
    assert first[5] / UNIT == pytest.approx(1650.0)


def test_below_95_percent_of_health_everything_may_be_repaid() -> None:
    for rule in (AAVE, AAVE_OLD):
        first = played(one(10_000.0, 8_500.0, rule)).states[0].trace[0]
        assert first[5] / UNIT == pytest.approx(8_500.0), rule  # health 0.941
        first = played(one(10_000.0, 8_300.0, rule)).states[0].trace[0]
        assert first[5] / UNIT == pytest.approx(4_150.0), rule  # health 0.964


def test_no_dust_is_left() -> None:
    """Half of all debts would leave 500 of this one: 1,000 have to stay."""
    tokens = [replace(C, threshold=0.8), D, Token("E", 1.0, 0.5)]
    entries = [("collateral", "C", 6500.0), ("debt", "D", 3000.0), ("debt", "E", 2300.0)]
    book = liquidated(plain(tokens, [entries]), [AAVE])
    first = played(book).states[0].trace[0]
    assert first[5] / UNIT == pytest.approx(2_000.0)
    assert first[6] / UNIT == pytest.approx(2_100.0)


def test_no_dust_of_the_collateral_is_left_either() -> None:
    """Half of the debt takes 2,598.75 of 3,000: 1,000 have to stay."""
    tokens = [Token("C", 1.0, 0.8), D, Token("B", 1.0, 0.8)]
    entries = [("collateral", "C", 3000.0), ("collateral", "B", 3000.0), ("debt", "D", 4950.0)]
    first = played(liquidated(plain(tokens, [entries]), [AAVE])).states[0].trace[0]
    assert first[6] / UNIT == pytest.approx(2000.0)
    assert first[5] / UNIT == pytest.approx(2000.0 / 1.05)


def test_the_largest_debt_and_collateral_are_chosen_the_first_of_equal_ones() -> None:
    tokens = [Token(name, 1.0, 0.7) for name in "ABCD"]
    entries = [
        *(("collateral", "A", 50.0), ("collateral", "B", 60.0)),
        *(("debt", "C", 40.0), ("debt", "D", 40.0)),
    ]
    cascade = Cascade(liquidated(plain(tokens, [entries]), [HALF]))
    state = cascade.opening(UNMOVED, ALONE)
    state.tariff[:, 0] = 1 / UNIT
    found = weighed(cascade.facts.units, state.amount, state.tariff, 0)
    _, _, debt, collateral, due, pledged = found
    assert (debt, collateral) == (2, 1)
    assert (due, pledged) == pytest.approx((40.0, 60.0))


def test_the_protocols_fee_is_of_the_bonus() -> None:
    """Aave: 10 % of 5 % of what is seized stays with the protocol."""
    cascade = Cascade(one(10_000.0, 8_500.0, AAVE))
    state = cascade.opening(UNMOVED, ALONE)
    worth = np.full(4, 1 / UNIT)
    fee = np.full(4, 0.1)
    units, amount = cascade.facts.units, state.amount
    state.tariff[:, 0] = worth[0]
    backing, owed, debt, collateral, _, _ = weighed(units, amount, state.tariff, 0)
    paid, seized, taken = plan(
        units, amount, worth, np.ones(4), fee, 0, debt, collateral, backing, owed
    )
    assert seized / paid == pytest.approx(1.05, rel=1e-12)
    assert taken == pytest.approx((seized - seized / 1.05) * 0.1, rel=1e-12)


@pytest.mark.parametrize("rule", [HALF, AAVE, AAVE_OLD, WHOLE])
def test_nobody_is_touched_who_is_healthy(rule: Rule) -> None:
    outcome = played(one(100.0, 79.9, rule))
    assert outcome.liquidatable_accounts.sum() == 0
    assert outcome.liquidations[0] == 0
    assert left(outcome) == (100.0, 79.9)


def test_whole_positions_cost_lenders_what_is_missing() -> None:
    """All of the collateral pays for 100 / 1.05 of the debt."""
    row = played(one(100.0, 120.0, WHOLE)).states[0].trace[:2]
    assert row[0][5] / UNIT == pytest.approx(100 / 1.05, rel=1e-15)
    assert row[1][5] / UNIT == pytest.approx(120 - 100 / 1.05, rel=1e-12)


def test_close_factors_are_exact_fractions_of_base_units() -> None:
    odd = replace(HALF, close_factor=Fraction(1, 3))
    first = played(one(100.0, 90.0, odd)).states[0].trace[0]
    assert first[5] == np.floor(90 * UNIT * (1 / 3))


@pytest.mark.parametrize(
    ("rounding", "repaid"), [(Rounding.NEAREST, 95), (Rounding.UP, 96), (Rounding.DOWN, 96)]
)
def test_what_all_of_the_collateral_pays_for_is_rounded_as_debts_are(
    rounding: Rounding, repaid: int
) -> None:
    """100 at a bonus of 5 % are 95.24: `percentDiv` of Aave v3.0, `percentDivCeil` of v3.6."""
    rule = replace(AAVE_OLD, debt_rounding=rounding)
    outcome = played(one(100 / UNIT, 99 / UNIT, rule))
    assert outcome.states[0].amount.tolist() == [0, 99 - repaid]


@given(
    st.integers(10**6, 10**12),
    st.integers(10**9, 10**13),
    st.fractions(Fraction(1), Fraction(3, 2), max_denominator=10**6),
)
def test_shares_of_a_debt_are_rounded_up_twice(amount: int, issued: int, worth: Fraction) -> None:
    """`toSharesUp`, then `toAssetsUp` of what is burned, with Morpho's virtual shares and asset."""
    shares = issued * 10**6
    assets = int(issued * worth)
    top, bottom = assets + 1, shares + 10**6
    burned = -(-amount * bottom // top)
    assume(amount * bottom % top or bottom % top == 0)
    assert amount + left_over(top / bottom) == -(-burned * top // bottom)
