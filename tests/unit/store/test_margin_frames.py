"""Requirements and recovery modes of several deployments on common axes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from defirisk.core.holdings import Holding, Holdings, Parameters, Quote, Side
from defirisk.core.quote import Constant
from defirisk.core.requirement import RecoveryMode, Requirement
from defirisk.store.frames import holdings_of
from defirisk.store.margin_frames import recovery, requirements

FULL = Parameters(
    label="", ltv=Fraction(1), liquidation_threshold=Fraction(1), liquidation_bonus=Fraction(0)
)


def quote(decimals: int) -> Quote:
    return Quote(market="", asset="0x01", decimals=decimals, program=Constant(Fraction(1)))


def needed(unit: int, amount_raw: int, low: int | None, high: int | None) -> Requirement:
    return Requirement(
        unit=unit,
        quote=1,
        amount_raw=amount_raw,
        ratio=Fraction(1, 16),
        initial_ratio=Fraction(1, 8),
        low=None if low is None else Fraction(low),
        high=None if high is None else Fraction(high),
    )


def part(absorbed_raw: int | None = None) -> Holdings:
    """Two units, whose rows come in no order; quotes with 18 and 6 decimals."""
    return Holdings(
        units=("a", "b"),
        quotes=(quote(18), quote(6)),
        parameters=(FULL,),
        holdings=(
            Holding(1, 0, Side.COLLATERAL, 5, 5, 0),
            Holding(0, 1, Side.DEBT, 7, 7, 0),
            Holding(1, 1, Side.DEBT, 3, 3, 0),
            Holding(0, 0, Side.COLLATERAL, 9, 9, 0),
        ),
        markets=(),
        requirements=(needed(1, 2_500_000, 3, None), needed(0, 500_000, None, 4)),
        recovery=(
            RecoveryMode(
                units=(1, 0),
                collateral=0,
                debt=1,
                collateral_raw=2 * 10**18,
                debt_raw=3 * 10**6,
                minimum_ratio=Fraction(11, 10),
                critical_ratio=Fraction(3, 2),
                absorbed_raw=absorbed_raw,
            ),
        ),
    )


def test_rows_are_sorted_by_unit_and_keep_their_order_within_one() -> None:
    found = holdings_of([part(), part()])

    assert [row.unit for row in found] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert [row.amount_raw for row in found] == [7, 9, 5, 3] * 2
    assert [row.quote for row in found] == [1, 0, 0, 1, 3, 2, 2, 3]
    assert [row.parameters for row in found] == [0] * 4 + [1] * 4


def test_requirements_are_on_the_axes_of_the_book_in_whole_units() -> None:
    found = requirements([part(), part()])

    assert found.unit.tolist() == [0, 1, 2, 3]
    assert found.quote.tolist() == [1, 1, 3, 3]
    assert found.amount.tolist() == [0.5, 2.5, 0.5, 2.5]
    assert found.ratio.tolist() == [1 / 16] * 4
    assert found.initial_ratio.tolist() == [1 / 8] * 4
    assert found.low.tolist() == [-np.inf, 3, -np.inf, 3]
    assert found.high.tolist() == [4, np.inf, 4, np.inf]


def test_systems_are_on_the_axes_of_the_book_in_whole_units() -> None:
    first, second = recovery([part(absorbed_raw=0), part()])

    assert (first.units.tolist(), second.units.tolist()) == ([0, 1], [2, 3])
    assert (second.collateral, second.debt) == (2, 3)
    assert (first.collateral_amount, first.debt_amount, first.critical_ratio) == (2.0, 3.0, 1.5)
    assert (first.absorbed, second.absorbed) == (0.0, np.inf)


def test_nobody_requires_anything() -> None:
    assert len(requirements([]).unit) == 0
    assert recovery([]) == ()
