"""A table of bids with state: kernel functions. Exact twin: `swaps.order_book`."""

from __future__ import annotations

from numpy import floor

from defirisk.contagion.cascade.pools.columns import (
    BEHIND,
    FIRST,
    PRICE,
    QUOTED,
    TAKEN,
    THICKNESS,
    UNTIL,
    Pools,
)
from defirisk.core.book import Floats


def sale_in_levels(
    p: Pools, state: Floats, v: int, amount: float, moves: bool
) -> tuple[float, float]:
    """Sold and received for token 0, at the best prices that are left. Moves the state if told."""
    taken, left, paid = state[v, TAKEN], amount, 0.0
    for row in range(p.facts[v, FIRST], p.facts[v, BEHIND]):
        room = p.ranges[row, UNTIL] * state[v, THICKNESS] - taken
        if room > 0.0 and left > 0.0:
            part = min(left, room)
            paid += part * (p.ranges[row, PRICE] * state[v, QUOTED])
            taken, left = taken + part, left - part
    if moves:
        state[v, TAKEN] = taken
    return amount - left, floor(paid)


def spot_in_levels(p: Pools, state: Floats, v: int) -> float:
    """The best price that is left; 0 where none is."""
    for row in range(p.facts[v, FIRST], p.facts[v, BEHIND]):
        if p.ranges[row, UNTIL] * state[v, THICKNESS] > state[v, TAKEN]:
            return float(p.ranges[row, PRICE] * state[v, QUOTED])
    return 0.0


def bid_above(p: Pools, state: Floats, v: int, price: float) -> float:
    """What is left of the bids at `price` or a better one."""
    until = 0.0
    for row in range(p.facts[v, FIRST], p.facts[v, BEHIND]):
        if p.ranges[row, PRICE] * state[v, QUOTED] >= price:
            until = p.ranges[row, UNTIL] * state[v, THICKNESS]
    return float(max(until - state[v, TAKEN], 0.0))


KERNELS = (sale_in_levels, spot_in_levels, bid_above)
