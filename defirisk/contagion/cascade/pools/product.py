"""x * y = k with state: kernel functions. Exact twin: `swaps.constant_product`."""

from __future__ import annotations

import math

from numpy import floor

from defirisk.contagion.cascade.pools.columns import FEE, INTEGERS, LEAVES, WHOLE, Pools
from defirisk.core.book import Floats

MAX_RESERVE = float(2**112 - 1)
"""A pair reverts where a reserve would be larger."""


def sale_in_product(
    p: Pools, state: Floats, v: int, i: int, j: int, amount: float, moves: bool
) -> tuple[float, float]:
    """Sold and received; nothing where the pair reverts. Moves the state if told."""
    reserve_in, reserve_out = state[v, i], state[v, j]
    if reserve_in <= 0.0 or reserve_out <= 0.0:
        return 0.0, 0.0
    whole = p.numbers[v, WHOLE]
    if p.numbers[v, LEAVES] > 0.0:
        kept = amount - floor(amount * p.numbers[v, FEE] / whole)
        net, behind = kept, reserve_in
    else:
        kept = amount
        net, behind = amount * (whole - p.numbers[v, FEE]), reserve_in * whole
    received = floor(net * reserve_out / (behind + net))
    if received <= 0.0 or reserve_in + kept > MAX_RESERVE:
        return 0.0, 0.0
    if moves:
        left = reserve_out - received
        if reserve_out >= INTEGERS and left < received:
            left = behind * reserve_out / (behind + net)  # the difference would be too coarse
        state[v, i] = reserve_in + kept
        state[v, j] = left
    return amount, received


def amount_in_product(p: Pools, state: Floats, v: int, i: int, factor: float) -> float:
    """What has to be sold of token i until its price is `factor` < 1 times what it is: the root of
    (1 + priced u) (1 + stays u) = 1 / factor, times the reserve.
    """
    priced = 1.0 - p.numbers[v, FEE] / p.numbers[v, WHOLE]
    stays = priced if p.numbers[v, LEAVES] > 0.0 else 1.0
    room, both = (1.0 - factor) / factor, priced + stays
    root = both + math.sqrt(both * both + 4.0 * priced * stays * room)
    return float(floor(state[v, i] * (2.0 * room / root)))


KERNELS = (sale_in_product, amount_in_product)
