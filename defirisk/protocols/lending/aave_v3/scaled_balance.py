"""Scaled balances from the events of aTokens and variable debt tokens.

Source: `ScaledBalanceTokenBase`, `AToken` and `TokenMath` of @aave-dao/aave-v3-origin 3.6.0: aToken
balances round down, debt balances round up. An event states the change of the *rounded* balance
between the account's last index and the event's; as every index is at least one ray, rounded
balances belong to exactly one scaled balance, and the change can be turned back without loss.
"""

from __future__ import annotations

from defirisk.protocols.lending.aave_v3.rows import RAY


def ray_mul_floor(a: int, b: int) -> int:
    """`WadRayMath.rayMulFloor`."""
    return a * b // RAY


def ray_mul_ceil(a: int, b: int) -> int:
    """`WadRayMath.rayMulCeil`."""
    return -(-a * b // RAY)


def ray_mul(a: int, b: int) -> int:
    """`WadRayMath.rayMul`: rounds half up."""
    return (a * b + RAY // 2) // RAY


def a_token_balance(scaled: int, index_ray: int) -> int:
    """`TokenMath.getATokenBalance`."""
    return ray_mul_floor(scaled, index_ray)


def variable_debt_balance(scaled: int, index_ray: int) -> int:
    """`TokenMath.getVTokenBalance`."""
    return ray_mul_ceil(scaled, index_ray)


def a_token_scaled_after(scaled: int, last_index_ray: int, change: int, index_ray: int) -> int:
    """The scaled aToken balance after an event that moved the rounded balance by `change`."""
    balance = a_token_balance(scaled, last_index_ray) + change
    return -(-balance * RAY // index_ray)


def variable_debt_scaled_after(
    scaled: int, last_index_ray: int, change: int, index_ray: int
) -> int:
    """The scaled debt after an event that moved the rounded debt by `change`."""
    balance = variable_debt_balance(scaled, last_index_ray) + change
    return balance * RAY // index_ray
