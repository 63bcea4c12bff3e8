"""Scaled balances from the events of aTokens and variable debt tokens.

Source: `ScaledBalanceTokenBase` and `WadRayMath` of @aave/core-v3 1.19.3, which round half up (as
all versions before 3.5 do); and those and `TokenMath` of @aave-dao/aave-v3-origin 3.6.0, where
aToken balances round down and debt balances round up (since 3.5).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from defirisk.protocols.lending.aave_v3.rows import RAY


class BalanceChange(NamedTuple):
    """What Mint says, or with the other sign Burn: how the rounded balance moved.

    `increase` of it is interest since the account's last index, stated as a positive number.
    """

    value: int
    increase: int
    index_ray: int


class Balances(NamedTuple):
    """How a generation's tokens round.

    `a_token` and `variable_debt` make balances of (scaled, index); the other two the scaled balance
    of (scaled, last index, change) after an event.
    """

    a_token: Callable[[int, int], int]
    variable_debt: Callable[[int, int], int]
    a_token_after: Callable[[int, int, BalanceChange], int]
    variable_debt_after: Callable[[int, int, BalanceChange], int]


def ray_mul_floor(a: int, b: int) -> int:
    """`WadRayMath.rayMulFloor`."""
    return a * b // RAY


def ray_mul_ceil(a: int, b: int) -> int:
    """`WadRayMath.rayMulCeil`."""
    return -(-a * b // RAY)


def ray_mul(a: int, b: int) -> int:
    """`WadRayMath.rayMul`: rounds half up."""
    return (a * b + RAY // 2) // RAY


def ray_div(a: int, b: int) -> int:
    """`WadRayMath.rayDiv`: rounds half up."""
    return (a * RAY + b // 2) // b


def _half_up_after(scaled: int, _last_index_ray: int, change: BalanceChange) -> int:
    # Without the interest the change is the amount that the Pool named, and only that is divided.
    amount = change.value - change.increase
    if amount < 0:
        return scaled - ray_div(-amount, change.index_ray)
    return scaled + ray_div(amount, change.index_ray)


def _a_token_after(scaled: int, last_index_ray: int, change: BalanceChange) -> int:
    # An index is at least one ray: a rounded balance belongs to exactly one scaled balance.
    balance = ray_mul_floor(scaled, last_index_ray) + change.value
    return -(-balance * RAY // change.index_ray)


def _variable_debt_after(scaled: int, last_index_ray: int, change: BalanceChange) -> int:
    balance = ray_mul_ceil(scaled, last_index_ray) + change.value
    return balance * RAY // change.index_ray


HALF_UP = Balances(ray_mul, ray_mul, _half_up_after, _half_up_after)
"""Both kinds of token alike, before v3.5."""

DIRECTED = Balances(ray_mul_floor, ray_mul_ceil, _a_token_after, _variable_debt_after)
"""In the protocol's favour, since v3.5."""
