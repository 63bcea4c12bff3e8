"""Ways to sell one asset for another: at most two pools in a row, and the one that pays most.

Kernels take `PoolTable.pools`, the table of routes and the pools' state, in this order.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import numpy as np
from numpy import floor

from defirisk.contagion.cascade.pools import KERNELS as POOL_KERNELS
from defirisk.contagion.cascade.pools import Pools, PoolTable, move_spot, received, sell, spot
from defirisk.contagion.cascade.pools.columns import KIND, LEVELS
from defirisk.contagion.cascade.pools.levels import bid_above
from defirisk.core.book import Floats, Ints
from defirisk.core.evm import Address

MOST = 64
"""Routes through a third token that are tried for a pair."""

FALL = 0.98
"""Of two pools in a row, that is the deeper which takes more until its price is this part of it."""

# `hops`: pool, place sold, place bought; and the same of the second pool, -1 where there is none.
POOL, SOLD, BOUGHT, NEXT_POOL, NEXT_SOLD, NEXT_BOUGHT = 0, 1, 2, 3, 4, 5
HOPS = 6


class RouteTable(NamedTuple):
    """R routes between A assets: those from a to b are rows `first[a, b]` to `behind[a, b]`, the
    latter excluded, of `hops`; direct ones first.
    """

    first: Ints  # (A, A)
    behind: Ints  # (A, A)
    hops: Ints  # (R, 6)


def routes(table: PoolTable, assets: int) -> RouteTable:
    """Every route between two of the first `assets` assets of the book.

    Direct ones stand in the order of their pools, then those through a third token, on the asset
    axis or not, in the order of the first pool, the second, and the places in them. Of more than 64
    of these the deepest stay, in the same order: those that take most of the first asset until one
    of their pools pays 2 % less than at the opening; of equally deep ones the first.
    """
    between, depths = _direct(table), _Depths(table)
    names = {asset: name for name, asset in _named(table).items() if asset < assets}
    first, behind = (np.zeros((assets, assets), dtype=np.int64) for _ in range(2))
    hops: list[Route] = []
    for a in range(assets):
        for b in range(assets):
            first[a, b] = len(hops)
            if a in names and b in names and a != b:
                one, other = names[a], names[b]
                hops += [(*hop, -1, -1, -1) for hop in between[one].get(other, [])]
                hops += depths.deepest(_through(between, one, other))
            behind[a, b] = len(hops)
    return RouteTable(first, behind, np.array(hops, dtype=np.int64).reshape(-1, HOPS))


Hop = tuple[int, int, int]
Route = tuple[int, int, int, int, int, int]
Between = defaultdict[Address, dict[Address, list[Hop]]]


def _named(table: PoolTable) -> dict[Address, int]:
    """The asset of every token of a pool that is one."""
    return {
        token: int(asset)
        for v, venue in enumerate(table.venues)
        for token, asset in zip(venue.tokens, table.tokens[v], strict=False)
        if asset >= 0
    }


def _direct(table: PoolTable) -> Between:
    """Pools and places by the token sold and the token bought."""
    between: Between = defaultdict(dict)
    for v, venue in enumerate(table.venues):
        for i, sold in enumerate(venue.tokens):
            for j, bought in enumerate(venue.tokens):
                if sold != bought:
                    between[sold].setdefault(bought, []).append((v, i, j))
    return between


def _through(between: Between, one: Address, other: Address) -> list[Route]:
    """Every two pools in a row, through any third token."""
    found: list[Route] = [
        (*first, *second)
        for third, firsts in between[one].items()
        if third != other
        for first in firsts
        for second in between[third].get(other, [])
        if first[0] != second[0]
    ]
    return sorted(found, key=lambda route: (route[POOL], route[NEXT_POOL], *route))


class _Depths:
    """How deep pools are, looked at once and only where it is asked for."""

    def __init__(self, table: PoolTable) -> None:
        self.table = table
        self.state = table.state.copy()
        self.seen: dict[Hop, tuple[float, float]] = {}

    def of(self, hop: Hop) -> tuple[float, float]:
        """What is sold until the price has fallen by 2 %, and the price."""
        if hop not in self.seen:
            pools, (v, i, j) = self.table.pools, hop
            price = spot(pools, self.state, v, i, j)
            if pools.facts[v, KIND] == LEVELS:
                taken = bid_above(pools, self.state, v, FALL * price) if i == 0 else 0.0
            else:
                _, taken = move_spot(pools, self.state, v, i, j, FALL)
                self.state[v] = self.table.state[v]
            self.seen[hop] = (taken, price)
        return self.seen[hop]

    def deepest(self, found: list[Route]) -> list[Route]:
        """The 64 deepest, in the order given."""
        if len(found) <= MOST:
            return found
        kept = set(sorted(found, key=self._shallow)[:MOST])
        return [route for route in found if route in kept]

    def _shallow(self, route: Route) -> float:
        (taken, price), (after, _) = self.of(route[:3]), self.of(route[3:])
        return -min(taken, after / price) if price > 0 else 0.0


def paid_by_route(p: Pools, routes: RouteTable, state: Floats, r: int, amount: float) -> float:
    """What a sale by route r brings at its end."""
    hop = routes.hops[r]
    paid = received(p, state, hop[POOL], hop[SOLD], hop[BOUGHT], amount)
    if hop[NEXT_POOL] >= 0:
        return received(p, state, hop[NEXT_POOL], hop[NEXT_SOLD], hop[NEXT_BOUGHT], paid)
    return paid


def best_route(
    p: Pools, routes: RouteTable, state: Floats, a: int, b: int, amount: float
) -> tuple[int, float]:
    """The route that pays most for `amount` base units of asset a, of equal ones the first, and
    what it pays; -1 and 0 where none pays anything.
    """
    best, most = -1, 0.0
    for r in range(routes.first[a, b], routes.behind[a, b]):
        paid = paid_by_route(p, routes, state, r, amount)
        if paid > most:
            best, most = r, paid
    return best, most


def sell_pair(
    p: Pools, routes: RouteTable, state: Floats, a: int, b: int, amount: float, slices: float
) -> tuple[float, float]:
    """Sells `amount` base units of asset a for asset b in `slices` (at least 1) parts, each by the
    route that then pays most, and moves the pools. Returns sold and received.

    What no pool takes is not sold. Of what a first pool gives, the second of a route may not take
    everything: the rest stays with the seller, in the third token, and is not counted.
    """
    sold, brought = 0.0, 0.0
    amount = floor(amount)
    part = floor(amount / slices)
    for number in range(int(slices)):
        offered = part if number < slices - 1 else amount - part * (slices - 1)
        r, _ = best_route(p, routes, state, a, b, offered)
        if r >= 0:
            hop = routes.hops[r]
            taken, paid = sell(p, state, hop[POOL], hop[SOLD], hop[BOUGHT], offered)
            if hop[NEXT_POOL] >= 0:
                _, paid = sell(p, state, hop[NEXT_POOL], hop[NEXT_SOLD], hop[NEXT_BOUGHT], paid)
            sold += taken
            brought += paid
    return sold, brought


KERNELS = (*POOL_KERNELS, paid_by_route, best_route, sell_pair)
