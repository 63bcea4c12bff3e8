"""The route that pays most, against every path through exact pools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import permutations
from random import Random
from typing import Any

import numpy as np
import pytest

from defirisk.contagion.cascade import routes as kernels
from defirisk.contagion.cascade.machine import machine_code
from defirisk.contagion.cascade.pools import PoolTable
from defirisk.contagion.cascade.pools.table import table_of
from defirisk.contagion.cascade.routes import MOST, RouteTable, routes
from defirisk.core.venue import Pool, Venue
from defirisk.swaps.constant_product import ConstantProduct
from defirisk.swaps.order_book import OrderBook
from defirisk.swaps.stableswap import StableSwap
from tests.unit.contagion.cascade.played_pools import KINDS, count, drawn, room
from tests.unit.contagion.impact_cases import venue

UNIT = 10**18
ASSETS = ("0xa0", "0xa1", "0xa2", "0xa3")
TOKENS = (*ASSETS, "0xt0", "0xt1")
"""Tokens on the asset axis, and two that are not."""

Path = tuple[tuple[int, int, int], ...]


@cache
def compiled() -> dict[str, Callable[..., Any]]:
    """The kernels as machine code."""
    return machine_code(kernels.KERNELS)


class Exchange:
    """Pools over tokens: exact, in Python's floats and in the machine's."""

    def __init__(self, listed: Sequence[tuple[Pool, tuple[str, ...]]]) -> None:
        venues: dict[str, Venue] = {}
        for number, (pool, tokens) in enumerate(listed):
            address = f"0x{number:03}"
            made = venue(pool, (18,) * count(pool))
            venues[address] = replace(made, address=address, tokens=tokens)
        places = {address: place for place, address in enumerate(ASSETS)}
        self.table: PoolTable = table_of(venues, places)
        self.routes: RouteTable = routes(self.table, len(ASSETS))
        self.pools = [made.pool for made in self.table.venues]
        self.state, self.twin = self.table.state.copy(), self.table.state.copy()

    def do(self, kernel: str, *arguments: float) -> Any:
        """A kernel's answer, the same bit for bit, as the state is afterwards."""
        tables = self.table.pools, self.routes
        plain = getattr(kernels, kernel)(*tables, self.state, *arguments)
        quick = compiled()[kernel](*tables, self.twin, *arguments)
        assert plain == quick
        assert self.state.tobytes() == self.twin.tobytes()
        return plain

    def between(self, a: int, b: int) -> list[Path]:
        """The routes of the table as paths."""
        rows = self.routes.hops[self.routes.first[a, b] : self.routes.behind[a, b]]
        return [
            (tuple(row[:3]),) if row[3] < 0 else (tuple(row[:3]), tuple(row[3:]))
            for row in rows.tolist()
        ]

    def paths(self, a: int, b: int) -> list[Path]:
        """All paths, found by trying all, in the order of the table."""
        one, other = ASSETS[a], ASSETS[b]
        hops = [
            (v, i, j)
            for v, made in enumerate(self.table.venues)
            for i, j in permutations(range(len(made.tokens)), 2)
        ]
        direct = [(hop,) for hop in hops if self._ends(hop) == (one, other)]
        through = [
            (first, second)
            for first in hops
            for second in hops
            if first[0] != second[0]
            and self._ends(first)[0] == one
            and self._ends(first)[1] == self._ends(second)[0] not in (one, other)
            and self._ends(second)[1] == other
        ]
        through.sort(key=lambda path: (path[0][0], path[1][0], path))
        return [*direct, *through]

    def _ends(self, hop: tuple[int, int, int]) -> tuple[str, str]:
        v, i, j = hop
        tokens = self.table.venues[v].tokens
        return tokens[i], tokens[j]

    def paid(self, path: Path, amount: int) -> int:
        for v, i, j in path:
            amount = self.pools[v].sell(i, j, amount).received
        return amount

    def sell(self, a: int, b: int, amount: int, slices: int) -> tuple[int, int, bool]:
        """The exact twin of `sell_pair`, and whether a float cannot tell what happens: routes whose
        second pool is sold empty pay the same, whatever the first; and a StableSwap with next to
        nothing left of a coin reverts or not as its integers fall.
        """
        sold, received, close = 0, 0, False
        part = amount // slices
        for offered in [*[part] * (slices - 1), amount - part * (slices - 1)]:
            paths = self.paths(a, b)
            paying = [self.paid(path, offered) for path in paths]
            if not any(paying):
                continue
            *_, runner_up, most = sorted([0, *paying])
            close |= most - runner_up <= 1e-11 * most or any(map(drained, self.pools))
            carried = offered
            for number, (v, i, j) in enumerate(paths[paying.index(max(paying))]):
                sale = self.pools[v].sell(i, j, carried)
                self.pools[v], carried = sale.pool, sale.received
                sold += 0 if number else sale.sold
            received += carried
        return sold, received, close


def drained(pool: Pool) -> bool:
    return isinstance(pool, StableSwap) and max(pool.balances) > 10**5 * min(pool.balances)


def random_exchange(dice: Random) -> Exchange:
    """A dozen pools of every kind and of similar prices."""
    listed: list[tuple[Pool, tuple[str, ...]]] = []
    for _ in range(12):
        kind = dice.choice(KINDS)
        pool = drawn(kind, dice) if kind == "ranges" else even(kind, dice)
        listed.append((pool, tuple(dice.sample(TOKENS, count(pool)))))
    return Exchange(listed)


def even(kind: str, dice: Random) -> Pool:
    """All tokens of 18 decimals and worth about the same."""
    size = int(UNIT * 10 ** dice.uniform(3, 6))
    near = [int(size * dice.uniform(0.8, 1.2)) for _ in range(3)]
    if kind == "product":
        return ConstantProduct((near[0], near[1]))
    if kind == "stable":
        return StableSwap(
            balances=tuple(near), rates=(UNIT,) * 3, amplification=20_000, fee_e10=4_000_000
        )
    prices = [Fraction(dice.randint(80, 120), 100) for _ in range(3)]
    return OrderBook(
        prices=tuple(sorted(prices, reverse=True)),
        amounts=tuple(size // part for part in (8, 4, 2)),
    )


SEEDS = [1, 2, 3, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(4, 20))]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_path_is_a_route(seed: int) -> None:
    exchange = random_exchange(Random(f"paths {seed}"))
    found = 0
    for a in range(len(ASSETS)):
        assert exchange.between(a, a) == []
        for b in range(len(ASSETS)):
            if a != b:
                paths = exchange.paths(a, b)
                assert exchange.between(a, b) == paths
                found += len(paths)
    assert found == len(exchange.routes.hops) > 20


@pytest.mark.parametrize("seed", SEEDS)
def test_the_best_route_is_the_best_path(seed: int) -> None:
    dice = Random(f"best {seed}")
    exchange, compared = random_exchange(dice), 0
    for a, b in permutations(range(len(ASSETS)), 2):
        for _ in range(5):
            amount = int(UNIT * 10 ** dice.uniform(-6, 6))
            paths = exchange.paths(a, b)
            paying = [exchange.paid(path, amount) for path in paths]
            route, received = exchange.do("best_route", a, b, float(amount))
            if not any(paying):
                assert (route, received) == (-1, 0.0)
                continue
            assert abs(int(received) - max(paying)) <= max(2, 1e-11 * max(paying))
            chosen = paying[route - exchange.routes.first[a, b]]
            assert chosen >= max(paying) - max(2, 1e-11 * max(paying))
            compared += 1
    assert compared > 20


@pytest.mark.parametrize("seed", SEEDS)
def test_sales_in_slices(seed: int) -> None:
    """One pair after the other, from the pools that the ones before left."""
    dice, compared = Random(f"slices {seed}"), 0
    for _ in range(4):
        exchange = random_exchange(dice)
        for a, b in permutations(range(len(ASSETS)), 2):
            amount, slices = int(UNIT * 10 ** dice.uniform(-2, 4)), dice.randint(1, 9)
            sold, received = exchange.do("sell_pair", a, b, float(amount), slices)
            gave, got, close = exchange.sell(a, b, int(float(amount)), slices)
            if close:
                break
            # Ranges that were sold empty and filled again are as fine as all that they may hold.
            held = 1e-15 * max(room(pool, j) for pool in exchange.pools for j in (0, 1))
            assert abs(int(sold) - gave) <= max(2 * slices, 1e-11 * gave) + held
            assert abs(int(received) - got) <= max(2 * slices, 1e-11 * got) + held
            compared += 1
    assert compared >= 8


def test_of_equal_routes_the_first_is_taken_until_it_pays_less() -> None:
    pair = ConstantProduct((1000 * UNIT, 1000 * UNIT))
    exchange = Exchange([(pair, ASSETS[:2]), (pair, ASSETS[:2])])
    assert exchange.do("best_route", 0, 1, 1e18)[0] == 0
    exchange.do("sell_pair", 0, 1, 2e18, 2)
    assert exchange.state[0].tobytes() == exchange.state[1].tobytes()
    exchange.do("sell_pair", 0, 1, 1e18, 1)
    assert exchange.state[0, 0] > exchange.state[1, 0]


def test_the_last_slice_takes_the_rest_and_what_nobody_takes_is_not_sold() -> None:
    book = OrderBook(prices=(Fraction(7),), amounts=(25,))
    exchange = Exchange([(book, ASSETS[:2])])
    assert exchange.do("sell_pair", 0, 1, 11.0, 4) == (11.0, 77.0)
    assert exchange.state[0, 0] == 11.0
    assert exchange.do("sell_pair", 0, 1, 20.0, 3) == (14.0, 98.0)
    assert exchange.do("sell_pair", 0, 1, 20.0, 3) == (0.0, 0.0)
    assert exchange.do("sell_pair", 1, 0, 20.0, 3) == (0.0, 0.0)
    assert exchange.do("best_route", 2, 3, 20.0) == (-1, 0.0)


def test_of_many_paths_the_deepest_stay() -> None:
    """Nine pools to a third token and nine from it: 64 of 81, by the exact pools' own depth."""
    dice = Random("deepest")

    def pair() -> ConstantProduct:
        size = UNIT * 10 ** dice.uniform(1, 6)
        return ConstantProduct((int(size), int(size * dice.uniform(0.5, 2))))

    first: list[tuple[Pool, tuple[str, ...]]]
    first = [(pair(), (ASSETS[0], TOKENS[4])) for _ in range(8)]
    bids = OrderBook(
        prices=(Fraction(100, 101), Fraction(99, 101), Fraction(98, 101)),
        amounts=(UNIT, 100 * UNIT, 10**9 * UNIT),
    )
    first.append((bids, (ASSETS[0], TOKENS[4])))
    second = [(pair(), (TOKENS[4], ASSETS[1])) for _ in range(9)]
    exchange = Exchange([*first, *second, (pair(), ASSETS[:2])])

    def depth(path: Path) -> Fraction:
        one, other = (exchange.pools[hop[0]] for hop in path)
        taken, after = (
            pool.sell_until(0, 1, pool.price(0, 1) * Fraction(98, 100)).sold
            for pool in (one, other)
        )
        return min(Fraction(taken), after / one.price(0, 1))

    direct, *through = exchange.paths(0, 1)
    kept = sorted(through, key=depth, reverse=True)[:MOST]
    assert exchange.between(0, 1) == [direct, *(path for path in through if path in kept)]
    assert len(exchange.between(0, 1)) == MOST + 1
    assert any(path[0][0] == 8 for path in exchange.between(0, 1))
    assert not any(path[-1][0] == 8 for path in exchange.between(1, 0))  # nobody bids there


def test_without_pools_there_is_no_route() -> None:
    exchange = Exchange([])
    assert exchange.routes.hops.shape == (0, 6)
    assert exchange.do("sell_pair", 0, 1, 1e18, 5) == (0.0, 0.0)
    np.testing.assert_array_equal(exchange.routes.first, 0)
