"""Interest: a reserve's indexes as time passes.

Source: `ReserveLogic` and `MathUtils` of @aave-dao/aave-v3-origin 3.6.0 (supply is linear between
updates, debt the third-order expansion of e^x; earlier versions differ).
"""

from __future__ import annotations

from dataclasses import replace

from defirisk.protocols.lending.aave_v3.rows import RAY, Reserve
from defirisk.protocols.lending.aave_v3.scaled_balance import ray_mul

SECONDS_PER_YEAR = 365 * 24 * 60 * 60


def normalized_income(reserve: Reserve, now_ts: int) -> int:
    """`getReserveNormalizedIncome`: the liquidity index at `now_ts`, in ray."""
    elapsed = now_ts - reserve.last_update_ts
    if elapsed == 0:
        return reserve.liquidity_index_ray
    linear = RAY + reserve.liquidity_rate_ray * elapsed // SECONDS_PER_YEAR
    return ray_mul(linear, reserve.liquidity_index_ray)


def normalized_variable_debt(reserve: Reserve, now_ts: int) -> int:
    """`getReserveNormalizedVariableDebt`: the borrow index at `now_ts`, in ray."""
    elapsed = now_ts - reserve.last_update_ts
    if elapsed == 0:
        return reserve.variable_borrow_index_ray
    x = reserve.variable_borrow_rate_ray * elapsed // SECONDS_PER_YEAR
    compounded = RAY + x + ray_mul(x, x // 2 + ray_mul(x, x // 6))
    return ray_mul(compounded, reserve.variable_borrow_index_ray)


def update_state(reserve: Reserve, now_ts: int) -> Reserve:
    """`ReserveLogic.updateState`: stores the indexes of `now_ts`, once per moment."""
    if reserve.last_update_ts == now_ts:
        return reserve
    income, debt = reserve.liquidity_index_ray, reserve.variable_borrow_index_ray
    if reserve.liquidity_rate_ray:
        income = normalized_income(reserve, now_ts)
    if reserve.scaled_variable_debt_raw:
        debt = normalized_variable_debt(reserve, now_ts)
    return replace(
        reserve,
        liquidity_index_ray=income,
        variable_borrow_index_ray=debt,
        last_update_ts=now_ts,
    )
