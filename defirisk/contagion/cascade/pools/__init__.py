"""Pools that are sold into, with state: kernel functions over every kind.

They take `PoolTable.pools`, and the state (V, 4) of one scenario, which alone they change. Amounts
are base units; i and j are places in the pool's order, two different ones. What is sold is cut to
whole base units first. An amount that is not above 0 (NaN too) sells nothing.

Not mirrored: that a StableSwap may revert where 256 bits are too few, or where Newton's method on
integers does not settle. Both take a coin of which the pool has about a millionth of the others.
"""

from __future__ import annotations

from numpy import floor

from defirisk.contagion.cascade.pools import levels, product, stable
from defirisk.contagion.cascade.pools import ranges as concentrated
from defirisk.contagion.cascade.pools.columns import (
    DEPTH,
    KIND,
    LEVELS,
    PRODUCT,
    QUOTED,
    RANGES,
    ROOT,
    SCALE,
    STABLE,
    TAKEN,
    THICKNESS,
    TOKENS,
    Pools,
)
from defirisk.contagion.cascade.pools.levels import sale_in_levels, spot_in_levels
from defirisk.contagion.cascade.pools.product import amount_in_product, sale_in_product
from defirisk.contagion.cascade.pools.ranges import (
    amount_in_ranges,
    root_of_ranges,
    sale_down,
    sale_up,
)
from defirisk.contagion.cascade.pools.stable import (
    amount_in_stable,
    sale_in_stable,
    slope_in_stable,
)
from defirisk.contagion.cascade.pools.table import PoolTable, pool_table
from defirisk.core.book import Floats

__all__ = [
    "KERNELS",
    "PoolTable",
    "Pools",
    "move_spot",
    "pool_table",
    "received",
    "recover",
    "sell",
    "shrink",
    "spot",
]


def trade(
    p: Pools, state: Floats, v: int, i: int, j: int, amount: float, moves: bool
) -> tuple[float, float]:
    """Sold and received; moves the state if told."""
    amount = floor(amount)
    if not amount > 0.0:
        return 0.0, 0.0
    kind = p.facts[v, KIND]
    if kind == PRODUCT:
        return sale_in_product(p, state, v, i, j, amount, moves)
    if kind == STABLE:
        return sale_in_stable(p, state, v, i, j, amount, moves)
    if kind == RANGES:
        if i == 0:
            return sale_down(p, state, v, amount, moves)
        return sale_up(p, state, v, amount, moves)
    if i == 0:
        return sale_in_levels(p, state, v, amount, moves)
    return 0.0, 0.0


def received(p: Pools, state: Floats, v: int, i: int, j: int, amount: float) -> float:
    """Base units of token j for a sale of `amount` of token i, cut where the contract cuts; 0 where
    it would revert or has no liquidity. What a pool cannot take brings nothing.
    """
    return trade(p, state, v, i, j, amount, False)[1]


def sell(p: Pools, state: Floats, v: int, i: int, j: int, amount: float) -> tuple[float, float]:
    """The same, and moves the state: sold (less than `amount` where liquidity ends), received."""
    return trade(p, state, v, i, j, amount, True)


def spot(p: Pools, state: Floats, v: int, i: int, j: int) -> float:
    """Base units of j per base unit of i at the margin, the fee left out; 0 where there is none."""
    kind = p.facts[v, KIND]
    if kind == PRODUCT:
        if state[v, i] <= 0.0:
            return 0.0
        return float(state[v, j] / state[v, i])
    if kind == STABLE:
        for place in range(p.facts[v, TOKENS]):
            if state[v, place] <= 0.0:
                return 0.0
        scale_in, scale_out = p.numbers[v, SCALE + i], p.numbers[v, SCALE + j]
        x, y = state[v, i] * scale_in, state[v, j] * scale_out
        slope = slope_in_stable(p, state, v, i, x, j, y)
        return float(slope * (scale_in / scale_out))
    if kind == RANGES:
        square = float(state[v, ROOT] * state[v, ROOT])
        return square if i == 0 else 1.0 / square
    if i == 0:
        return spot_in_levels(p, state, v)
    return 0.0


def move_spot(p: Pools, state: Floats, v: int, i: int, j: int, factor: float) -> tuple[int, float]:
    """Arbitrageurs trade until `spot` of i in j is `factor` times what it is, or liquidity ends.

    Returns the place of the token they sell and the amount, fee included. Ranges: a swap with that
    price limit, which also runs through what has no liquidity. A table of bids is a quote and moves
    as a whole, without a trade. Nothing happens where there is no price or `factor` is not above 0
    and finite.
    """
    if not 0.0 < factor < 1e300 or factor == 1.0:
        return i, 0.0
    kind = p.facts[v, KIND]
    if kind == LEVELS:
        state[v, QUOTED] *= factor if i == 0 else 1.0 / factor
        return i, 0.0
    if spot(p, state, v, i, j) <= 0.0:
        return i, 0.0
    one, other, less = i, j, factor
    if factor > 1.0:
        one, other, less = j, i, 1.0 / factor
    if kind == RANGES:
        return one, amount_in_ranges(p, state, v, one, less)
    if kind == PRODUCT:
        amount = amount_in_product(p, state, v, one, less)
    else:
        amount = amount_in_stable(p, state, v, one, other, less)
    sold, _ = sell(p, state, v, one, other, amount)
    return one, sold


def shrink(p: Pools, state: Floats, v: int, factor: float) -> None:
    """Depth times `factor` (not negative) at the same price. Reserves are not cut."""
    kind = p.facts[v, KIND]
    if kind == RANGES:
        state[v, DEPTH] *= factor
    elif kind == LEVELS:
        state[v, TAKEN] *= factor
        state[v, THICKNESS] *= factor
    else:
        for place in range(p.facts[v, TOKENS]):
            state[v, place] *= factor


def recover(p: Pools, state: Floats, opening: Floats, v: int, share: float) -> None:
    """The state goes `share` (0 to 1) of the way back to `opening`: reserves, balances, what is
    taken of bids, square root of the price.
    """
    if share >= 1.0:
        for column in range(state.shape[1]):
            state[v, column] = opening[v, column]
    elif share > 0.0 and p.facts[v, KIND] == RANGES:
        root = state[v, ROOT] + share * (opening[v, ROOT] - state[v, ROOT])
        root_of_ranges(p, state, v, root)
    elif share > 0.0:
        for column in range(state.shape[1]):
            state[v, column] += share * (opening[v, column] - state[v, column])


KERNELS = (
    *product.KERNELS,
    *concentrated.KERNELS,
    *stable.KERNELS,
    *levels.KERNELS,
    trade,
    received,
    sell,
    spot,
    move_spot,
    shrink,
    recover,
)
