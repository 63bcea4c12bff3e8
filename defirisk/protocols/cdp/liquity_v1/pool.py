"""Deposits of the stability pool in the contract's integers.

Source: `StabilityPool._getCompoundedStakeFromSnapshots` and `_getETHGainFromSnapshots` of npm
@sovryn-zero/contracts 0.4.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from defirisk.protocols.cdp.liquity_v1.rows import WAD, Deposit, PoolSums, StabilityPool

SCALE_FACTOR = 10**9
DUST = 10**9
"""What is left of a deposit counts as nothing below one part in so many."""


def compounded_deposit(deposit: Deposit, pool: StabilityPool) -> int:
    """`getCompoundedZUSDDeposit`: what the debts it absorbed left of it."""
    rate = left_of_a_unit(deposit, pool)
    if rate is None:
        return 0
    left = deposit.initial_raw * pool.p_wad // deposit.p_wad
    left = left // SCALE_FACTOR if pool.scale > deposit.scale else left
    return left if left >= deposit.initial_raw // DUST else 0


def left_of_a_unit(deposit: Deposit, pool: StabilityPool) -> Fraction | None:
    """Of a deposit over its own P, in units of 1e-18; None where nothing can be left."""
    if deposit.initial_raw == 0 or deposit.epoch < pool.epoch:
        return None
    scales = pool.scale - deposit.scale
    return Fraction(pool.p_wad, WAD * SCALE_FACTOR**scales) if scales < 2 else None


def coll_gain(deposit: Deposit, sums: Mapping[tuple[int, int], PoolSums]) -> int:
    """`getDepositorETHGain`; `sums` by epoch and scale. It reaches over one scale, not further."""
    if deposit.initial_raw == 0:
        return 0
    here = sums.get((deposit.epoch, deposit.scale))
    beyond = sums.get((deposit.epoch, deposit.scale + 1))
    first = (here.s if here else 0) - deposit.s
    second = (beyond.s if beyond else 0) // SCALE_FACTOR
    return deposit.initial_raw * (first + second) // deposit.p_wad // WAD
