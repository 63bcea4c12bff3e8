"""Interest: a reserve's indexes as time passes.

Source: `ReserveLogic` and `MathUtils` of @aave/core-v3 1.19.3 and @aave-dao/aave-v3-origin 3.6.0.
Supply is linear between updates in both; debt was a binomial expansion until v3.3, and is the
third-order expansion of e^x since v3.4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from defirisk.protocols.lending.aave_v3.rows import RAY, Reserve
from defirisk.protocols.lending.aave_v3.scaled_balance import ray_mul

SECONDS_PER_YEAR = 365 * 24 * 60 * 60

Compounding = Callable[[int, int], int]
"""Growth in ray of a debt at (yearly rate in ray, seconds)."""


def binomial(rate_ray: int, seconds: int) -> int:
    """`calculateCompoundedInterest` until v3.3: three terms of (1 + rate per second)^seconds."""
    if seconds == 0:
        return RAY
    square = ray_mul(rate_ray, rate_ray) // SECONDS_PER_YEAR**2
    cube = ray_mul(square, rate_ray) // SECONDS_PER_YEAR
    second = seconds * (seconds - 1) * square // 2
    third = seconds * (seconds - 1) * max(seconds - 2, 0) * cube // 6
    return RAY + rate_ray * seconds // SECONDS_PER_YEAR + second + third


def exponential(rate_ray: int, seconds: int) -> int:
    """`calculateCompoundedInterest` since v3.4: three terms of e^(rate times years)."""
    x = rate_ray * seconds // SECONDS_PER_YEAR
    return RAY + x + ray_mul(x, x // 2 + ray_mul(x, x // 6))


def normalized_income(reserve: Reserve, now_ts: int) -> int:
    """`getReserveNormalizedIncome`: the liquidity index at `now_ts`, in ray."""
    elapsed = now_ts - reserve.last_update_ts
    if elapsed == 0:
        return reserve.liquidity_index_ray
    linear = RAY + reserve.liquidity_rate_ray * elapsed // SECONDS_PER_YEAR
    return ray_mul(linear, reserve.liquidity_index_ray)


def normalized_variable_debt(reserve: Reserve, now_ts: int, compounding: Compounding) -> int:
    """`getReserveNormalizedVariableDebt`: the borrow index at `now_ts`, in ray."""
    elapsed = now_ts - reserve.last_update_ts
    if elapsed == 0:
        return reserve.variable_borrow_index_ray
    growth = compounding(reserve.variable_borrow_rate_ray, elapsed)
    return ray_mul(growth, reserve.variable_borrow_index_ray)


def update_state(reserve: Reserve, now_ts: int, compounding: Compounding) -> Reserve:
    """`ReserveLogic.updateState`: stores the indexes of `now_ts`, once per moment."""
    if reserve.last_update_ts == now_ts:
        return reserve
    income, debt = reserve.liquidity_index_ray, reserve.variable_borrow_index_ray
    if reserve.liquidity_rate_ray:
        income = normalized_income(reserve, now_ts)
    if reserve.scaled_variable_debt_raw:
        debt = normalized_variable_debt(reserve, now_ts, compounding)
    return replace(
        reserve,
        liquidity_index_ray=income,
        variable_borrow_index_ray=debt,
        last_update_ts=now_ts,
    )
