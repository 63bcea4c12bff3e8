"""Liquity v1 in integers: what is pending, who is due, what is left in the pool, how fees decay."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import pytest

from defirisk.protocols.cdp.liquity_v1.fees import (
    MINUTE_DECAY_FACTOR,
    borrowing_rate,
    decayed_base_rate,
    power,
    redemption_rate,
)
from defirisk.protocols.cdp.liquity_v1.rows import (
    ACTIVE,
    CLOSED_BY_LIQUIDATION,
    WAD,
    System,
    Trove,
)
from defirisk.protocols.cdp.liquity_v1.troves import (
    NO_DEBT,
    Rules,
    TroveNow,
    collateral_ratio,
    trove_now,
)
from tests.unit.protocols.liquity_v1_sample import PARAMETERS, SYSTEM


def test_what_is_pending_is_the_stake_times_the_growth_cut_off() -> None:
    system = System(trove_manager="", l_coll_wad=WAD + WAD // 3, l_debt_wad=7 * WAD + 1)
    trove = Trove(
        borrower="",
        debt_raw=100,
        coll_raw=50,
        stake_raw=10,
        status=ACTIVE,
        l_coll_snapshot_wad=WAD,
        l_debt_snapshot_wad=2 * WAD,
    )

    now = trove_now(trove, system)

    assert (now.pending_coll_raw, now.coll_raw) == (3, 53)
    assert (now.pending_debt_raw, now.debt_raw) == (50, 150)


def test_nothing_is_pending_for_a_closed_trove() -> None:
    trove = Trove(borrower="", stake_raw=10, status=CLOSED_BY_LIQUIDATION)

    now = trove_now(trove, SYSTEM)

    assert (now.pending_coll_raw, now.pending_debt_raw) == (0, 0)


def test_a_collateral_ratio_is_cut_off_and_endless_without_debt() -> None:
    assert collateral_ratio(2, 3, WAD) == 666_666_666_666_666_666
    assert collateral_ratio(1, 0, WAD) == NO_DEBT


@dataclass
class Case:
    """One trove of a hundred of debt, its ratio in per cent, and all that decides on it."""

    ratio: int
    total: int = 200
    pool: int = 1_000
    minimum: int = 110
    troves: int = 2

    def rules(self) -> Rules:
        return Rules(
            mcr_wad=self.minimum * WAD // 100,
            ccr_wad=150 * WAD // 100,
            deposits_raw=self.pool,
            tcr_wad=self.total * WAD // 100,
            troves=self.troves,
            price_wad=WAD,
        )

    def trove(self) -> TroveNow:
        stored = Trove(borrower="", debt_raw=100, coll_raw=self.ratio, status=ACTIVE)
        return TroveNow(stored=stored, pending_coll_raw=0, pending_debt_raw=0)


@pytest.mark.parametrize(
    ("case", "liquidatable", "refused"),
    [
        (Case(109), True, False),
        (Case(110), False, True),
        (Case(109, pool=0), True, False),
        (Case(120, total=149), True, False),
        (Case(120, total=150), False, True),
        (Case(149, total=149), False, True),
        (Case(148, total=149), True, False),
        (Case(120, total=149, pool=100), True, False),
        (Case(120, total=149, pool=99), False, True),
        (Case(120, total=149, pool=0), False, True),
        (Case(109, total=149, pool=0), True, False),
        (Case(99, total=149, pool=0), True, False),
        (Case(100, total=95, minimum=90), True, False),
        (Case(100, total=95, minimum=90, pool=0), False, True),
        (Case(109, troves=1), False, False),
        (Case(110, troves=1), False, True),
        (Case(109, total=109, troves=1), False, True),
    ],
    ids=str,
)
def test_who_is_due_for_liquidation(case: Case, liquidatable: bool, refused: bool) -> None:
    """In normal mode the last trove is refused in other words than a healthy one."""
    assert case.rules().can_be_liquidated(case.trove()) == liquidatable
    assert case.rules().refuses(case.trove()) == refused


def test_a_closed_trove_cannot_be_liquidated() -> None:
    stored = Trove(borrower="", status=CLOSED_BY_LIQUIDATION)
    closed = TroveNow(stored=stored, pending_coll_raw=0, pending_debt_raw=0)

    assert not Case(109).rules().can_be_liquidated(closed)


def test_a_power_is_rounded_at_every_product() -> None:
    x = 999_999_999_999_999_999
    square = (x * x + WAD // 2) // WAD

    assert power(x, 0) == WAD
    assert power(x, 1) == x
    assert power(x, 3) == (square * x + WAD // 2) // WAD


@pytest.mark.parametrize("minutes", [1, 2, 59, 720, 1_441, 10_000])
def test_a_power_is_near_the_exact_one(minutes: int) -> None:
    exact = Fraction(MINUTE_DECAY_FACTOR, WAD) ** minutes

    assert abs(Fraction(power(MINUTE_DECAY_FACTOR, minutes), WAD) - exact) < Fraction(1, 10**14)


def test_the_base_rate_halves_in_half_a_day_and_ends_after_a_thousand_years() -> None:
    half_a_day = SYSTEM.last_fee_operation_ts + 12 * 3_600

    assert decayed_base_rate(SYSTEM, half_a_day) / SYSTEM.base_rate_wad == pytest.approx(0.5)
    assert decayed_base_rate(SYSTEM, SYSTEM.last_fee_operation_ts + 59) == SYSTEM.base_rate_wad
    assert decayed_base_rate(SYSTEM, SYSTEM.last_fee_operation_ts + 10**12) == 0


def test_fees_have_floors_and_ceilings() -> None:
    assert borrowing_rate(0, PARAMETERS) == 5 * WAD // 1_000
    assert borrowing_rate(WAD, PARAMETERS) == 5 * WAD // 100
    assert redemption_rate(WAD // 100, PARAMETERS) == 15 * WAD // 1_000
    assert redemption_rate(WAD, PARAMETERS) == WAD
