"""Step 5: how market prices hang on each other, and by how much they have moved.

The tree is Prim's: from the root outwards, of all pools that trade an asset outside for one inside,
the pool that pays most dollars for a fall of the outer one by 2 % is taken next; of equal ones the
first venue, then by the places of the tokens. The root is the dollar that pools trade most: of
the assets within 5 % of 1 USD that are no claims, the one for whose fall by 2 % all its pools
together pay most. Every other dollar is an asset like any other. Pools that no path connects with
the root hang on a root of their own, found likewise; where there is no dollar among them, on the
asset for which its pools pay most, claims last. Roots do not move, and neither does what no pool
trades.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from defirisk.core.book import Book, Floats, Ints
from defirisk.core.errors import CheckFailed
from defirisk.core.venue import Venue

FALL = Fraction(98, 100)
"""Pools are compared by what they pay until the price is this part of what it was."""

DOLLAR = Fraction(1, 20)
"""How far from 1 USD the market price of a dollar may be."""


class PriceTree(NamedTuple):
    """One row for every asset that hangs on another one, each after the one that it hangs on.

    `venue` is the pool's place among the venues given (those of `pools.pool_table`); `token` and
    `other` are the places of asset and parent among the pool's tokens.
    """

    asset: Ints  # (E,)
    parent: Ints  # (E,)
    venue: Ints  # (E,)
    token: Ints  # (E,)
    other: Ints  # (E,)
    root: Ints  # (R,), the dollar first


@dataclass(frozen=True, slots=True)
class _Offer:
    """What a pool pays in USD for the asset until its price has fallen."""

    paid: Fraction
    venue: int
    token: int
    other: int
    asset: int
    parent: int


def price_tree(book: Book, venues: Sequence[Venue]) -> PriceTree:
    """The widest tree of the specification, from the pools as they are at the book's block."""
    offers = list(_offers(book, venues))
    pools: dict[int, list[_Offer]] = {}  # by the asset inside
    total: dict[int, Fraction] = {}
    for offer in offers:
        pools.setdefault(offer.parent, []).append(offer)
        total.setdefault(offer.parent, Fraction(0))
        total[offer.asset] = total.get(offer.asset, Fraction(0)) + offer.paid
    roots: list[int] = []
    edges: list[_Offer] = []
    while total:
        root = _root(book, total)
        roots.append(root)
        grown = _grown(root, pools)
        edges += grown
        for reached in [root, *(edge.asset for edge in grown)]:
            del total[reached]
    return PriceTree(
        asset=_column(edge.asset for edge in edges),
        parent=_column(edge.parent for edge in edges),
        venue=_column(edge.venue for edge in edges),
        token=_column(edge.token for edge in edges),
        other=_column(edge.other for edge in edges),
        root=_column(roots),
    )


def _offers(book: Book, venues: Sequence[Venue]) -> Iterator[_Offer]:
    place = {asset.address: a for a, asset in enumerate(book.assets)}
    for v, venue in enumerate(venues):
        for i, token in enumerate(venue.tokens):
            for j, other in enumerate(venue.tokens):
                if i != j and token in place and other in place:
                    price = _positive(book.asset_price[place[other]])
                    paid = price and _paid(venue, i, j) * price
                    if paid:
                        yield _Offer(paid, v, i, j, place[token], place[other])


def _positive(price: float) -> Fraction | None:
    return Fraction(price) if np.isfinite(price) and price > 0 else None


def _paid(venue: Venue, i: int, j: int) -> Fraction:
    """Whole tokens j for token i until its price has fallen; 0 of an empty pool."""
    try:
        price = venue.pool.price(i, j)
    except CheckFailed:
        return Fraction(0)
    sale = venue.pool.sell_until(i, j, price * FALL)
    return Fraction(sale.received, 10 ** venue.decimals[j])


def _root(book: Book, total: dict[int, Fraction]) -> int:
    def rank(a: int) -> tuple[bool, bool, Fraction, int]:
        price = _positive(book.asset_price[a])
        own = book.assets[a].program is None
        dollar = own and price is not None and abs(price - 1) <= DOLLAR
        return dollar, own, total[a], -a

    return max(total, key=rank)


def _grown(root: int, pools: dict[int, list[_Offer]]) -> list[_Offer]:
    """The tree's edges in the order in which they are taken."""
    edges: list[_Offer] = []
    inside = {root}
    waiting: list[tuple[Fraction, int, int, int, _Offer]] = []

    def reach(asset: int) -> None:
        for one in pools.get(asset, ()):
            heapq.heappush(waiting, (-one.paid, one.venue, one.token, one.other, one))

    reach(root)
    while waiting:
        offer = heapq.heappop(waiting)[-1]
        if offer.asset not in inside:
            inside.add(offer.asset)
            edges.append(offer)
            reach(offer.asset)
    return edges


def _column(values: Iterable[int]) -> Ints:
    return np.array(list(values), dtype=np.int64)


def asset_factors(tree: PriceTree, moves: Floats, out: Floats) -> None:
    """Kernel. By how much the price of each asset has moved, into `out` (A,).

    `moves` (at least E, the tree's rows first): by how much each row's pool has moved its asset's
    price in the parent. 1 for what hangs on nothing; NaN goes on to all that hangs on it.
    """
    for a in range(len(out)):
        out[a] = 1.0
    for e in range(len(tree.asset)):
        out[tree.asset[e]] = out[tree.parent[e]] * moves[e]


KERNELS = (asset_factors,)
