"""The six numbers of an account from the sums over its reserves.

Source: the last lines of `GenericLogic.calculateUserAccountData` with `PercentageMath`, in
@aave/core-v3 1.19.3 and in @aave-dao/aave-v3-origin 3.6.0.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

WAD = 10**18
PERCENTAGE_FACTOR = 10_000
MAX_UINT256 = 2**256 - 1


class AccountData(NamedTuple):
    """The six outputs of `getUserAccountData`, in its order and units."""

    total_collateral_base: int
    total_debt_base: int
    available_borrows_base: int
    current_liquidation_threshold: int
    ltv: int
    health_factor: int


class Sums(NamedTuple):
    """Values in the base currency; the last two are collateral weighted with its basis points."""

    collateral: int
    debt: int
    weighted_ltv: int
    weighted_threshold: int


class Ratios(NamedTuple):
    """How a generation rounds values.

    `debt_value` makes one of (balance times price, whole token); `six_numbers` is None where a
    product of the contract's checked arithmetic has more than 256 bits. `threshold_step` is what an
    average liquidation threshold may lose by rounding before it meets the debt.
    """

    debt_value: Callable[[int, int], int]
    six_numbers: Callable[[Sums], AccountData | None]
    threshold_step: Fraction


def _averages(sums: Sums) -> tuple[int, int]:
    if not sums.collateral:
        return 0, 0
    return sums.weighted_ltv // sums.collateral, sums.weighted_threshold // sums.collateral


def _six_numbers_half_up(sums: Sums) -> AccountData | None:
    ltv, threshold = _averages(sums)
    half = PERCENTAGE_FACTOR // 2
    powers = [sums.collateral * percent + half for percent in (ltv, threshold)]
    borrowable, covered = (power // PERCENTAGE_FACTOR for power in powers)
    # Of the average threshold, which was rounded down before.
    ratio = covered * WAD + sums.debt // 2 if sums.debt else 0
    if max(*sums, *powers, ratio) > MAX_UINT256:
        return None
    health_factor = ratio // sums.debt if sums.debt else MAX_UINT256
    available = max(0, borrowable - sums.debt)
    return AccountData(sums.collateral, sums.debt, available, threshold, ltv, health_factor)


def _six_numbers_directed(sums: Sums) -> AccountData | None:
    ltv, threshold = _averages(sums)
    ratio = sums.weighted_threshold * WAD + sums.debt // 2 if sums.debt else 0
    if max(*sums, ratio, sums.collateral * ltv) > MAX_UINT256:
        return None
    health_factor = ratio // sums.debt // PERCENTAGE_FACTOR if sums.debt else MAX_UINT256
    available = max(0, sums.collateral * ltv // PERCENTAGE_FACTOR - sums.debt)
    return AccountData(sums.collateral, sums.debt, available, threshold, ltv, health_factor)


HALF_UP = Ratios(
    lambda product, unit: product // unit, _six_numbers_half_up, Fraction(1, PERCENTAGE_FACTOR)
)
"""Percentages round half up and values down, before v3.5."""

DIRECTED = Ratios(lambda product, unit: -(-product // unit), _six_numbers_directed, Fraction(0))
"""Debts round up, and the health factor is of the exact weighted sum, since v3.5."""
