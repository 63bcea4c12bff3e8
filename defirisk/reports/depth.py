"""What can be sold at a pool before its price falls, from the pool's own integers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations

from defirisk.core.errors import CheckFailed
from defirisk.core.venue import Pool, Sale, Venue

MOVES = tuple(Fraction(m, 1000) for m in (1, 5, 10, 20, 50, 100, 200, 300, 500, 800))
TOLD = Fraction(20, 1000)
"""The fall that is told where only one is."""
CLOSE = Fraction(1001, 1000)
"""A price that integers cannot bring nearer to what was asked for is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What brings the price down by `move` (0.02 is 2 %): whole tokens sold and received.

    `reached` is false where the pool runs out before: nothing more can be sold then.
    """

    move: float
    sell: float
    receive: float
    reached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """One way through a pool, by places of tokens. `spot_price`: whole tokens bought per whole
    token of a small sale, its fee taken off.
    """

    sell: int
    buy: int
    spot_price: float
    steps: tuple[Step, ...]


def directions(venue: Venue, moves: Sequence[Fraction] = MOVES) -> Iterator[Direction]:
    """Every ordered pair of the pool's tokens that has a price, the first for the second first."""
    for i, j in permutations(range(len(venue.tokens)), 2):
        try:
            price = venue.pool.price(i, j)
        except CheckFailed:  # the pool is empty, or takes no such token
            continue
        scale = Fraction(10 ** venue.decimals[i], 10 ** venue.decimals[j])
        yield Direction(
            sell=i,
            buy=j,
            spot_price=float(price * (1 - venue.pool.fee) * scale),
            steps=tuple(_step(venue, i, j, price, move) for move in moves),
        )


def first_step(venue: Venue, move: Fraction = TOLD) -> tuple[Direction, Step] | None:
    """The first direction, and what brings its price down by `move`; None of an empty pool."""
    way = next(directions(venue, (move,)), None)
    return None if way is None else (way, way.steps[0])


def _step(venue: Venue, i: int, j: int, price: Fraction, move: Fraction) -> Step:
    target = price * (1 - move)
    sale = venue.pool.sell_until(i, j, target)
    return Step(
        move=float(move),
        sell=float(Fraction(sale.sold, 10 ** venue.decimals[i])),
        receive=float(Fraction(sale.received, 10 ** venue.decimals[j])),
        reached=_is_reached(venue.pool, i, j, sale, target),
    )


def _is_reached(pool: Pool, i: int, j: int, sale: Sale, target: Fraction) -> bool:
    """Whether the price came down to the target, and there are still buyers there.

    Behind the last of its ranges, a pool's price goes anywhere, and nothing is sold on the way.
    """
    try:
        if sale.pool.price(i, j) > target * CLOSE:
            return False
    except CheckFailed:
        return False
    return pool.sell(i, j, 2 * sale.sold + 1).sold != sale.sold
