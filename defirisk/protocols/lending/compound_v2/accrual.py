"""Interest: the rate of a block, and what a market accrues until a block.

Nothing of this decides on a liquidation: the Comptroller takes a market as it was at its last
accrual (`exchangeRateStored`, `borrowBalanceStored`).

Source: `CToken.accrueInterest`, `JumpRateModel` (V2 computes the same from the parameters that it
states per block) and `WhitePaperInterestRateModel` of npm @thenextblock/hardhat-compound 0.0.14.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from defirisk.protocols.lending.compound_v2.rows import MANTISSA, CToken, InterestRateModel


class Rates(NamedTuple):
    """Interest per block, 1e18: what borrowers pay, and what of it suppliers get."""

    borrow_mantissa: int
    supply_mantissa: int


def rates(token: CToken, model: InterestRateModel) -> Rates | None:
    """`borrowRatePerBlock` and `supplyRatePerBlock`; None where the model would revert."""
    utilization = _utilization(token)
    if utilization is None:
        return None
    borrow = _borrow_rate(utilization, model)
    to_pool = borrow * (MANTISSA - token.reserve_factor_mantissa) // MANTISSA
    return Rates(borrow, utilization * to_pool // MANTISSA)


def _utilization(token: CToken) -> int | None:
    if token.total_borrows_raw == 0:
        return 0
    lent_and_held = token.cash_raw + token.total_borrows_raw - token.total_reserves_raw
    return token.total_borrows_raw * MANTISSA // lent_and_held if lent_and_held > 0 else None


def _borrow_rate(utilization: int, model: InterestRateModel) -> int:
    base, slope = model.base_rate_per_block_mantissa, model.multiplier_per_block_mantissa
    if model.kind == "white paper" or utilization <= model.kink_mantissa:
        return utilization * slope // MANTISSA + base
    normal = model.kink_mantissa * slope // MANTISSA + base
    excess = utilization - model.kink_mantissa
    return excess * model.jump_multiplier_per_block_mantissa // MANTISSA + normal


def accrued(token: CToken, borrow_rate_mantissa: int, block_number: int) -> CToken:
    """The market as `accrueInterest` leaves it in this block: simple interest since the last."""
    factor = borrow_rate_mantissa * (block_number - token.accrual_block_number)
    interest = factor * token.total_borrows_raw // MANTISSA
    to_reserves = token.reserve_factor_mantissa * interest // MANTISSA
    index = token.borrow_index_mantissa
    return replace(
        token,
        accrual_block_number=block_number,
        borrow_index_mantissa=factor * index // MANTISSA + index,
        total_borrows_raw=token.total_borrows_raw + interest,
        total_reserves_raw=token.total_reserves_raw + to_reserves,
    )
