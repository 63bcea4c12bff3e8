"""What the oracles of a book are made of, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from defirisk.contagion.cascade.means import mean_table
from defirisk.contagion.cascade.oracles import Oracles
from defirisk.contagion.cascade.prices import price_tree
from defirisk.contagion.cascade.programs import Compiled, compiled
from defirisk.contagion.cascade.ticks import tick_powers
from defirisk.core.book import Book
from defirisk.core.evm import Address
from defirisk.core.quote import (
    Conversion,
    Feed,
    Program,
    Spot,
)
from defirisk.core.scenario import claims_in_order
from defirisk.core.venue import Venue
from defirisk.shocks.target import price_moves


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The tables of the kernels, and which leaf each of their rows is.

    `feeds` has the rows of `Oracles.feed_asset`, `conversions` those of the kernels' argument of
    that name, `spots` the pairs behind the tree's.
    """

    tables: Oracles
    compiled: Compiled
    venues: int

    @property
    def feeds(self) -> tuple[Feed, ...]:
        return self.compiled.feeds

    @property
    def spots(self) -> tuple[Spot, ...]:
        return self.compiled.spots

    @property
    def conversions(self) -> tuple[Conversion, ...]:
        return self.compiled.conversions


def sources(book: Book, venues: Sequence[Venue]) -> Sources:
    """The oracles of a book. `venues` are the pools that are computed with, in their order."""
    claims = claims_in_order(book)
    programs = [*book.quote_program, *(_program(book, claim) for claim in claims)]
    assets = [asset.address for asset in book.assets]
    priced = [assets[a] for a in [*book.quote_asset.tolist(), *claims]]
    code = compiled(programs, assets, _pools_of_shares(venues, priced))
    tree = price_tree(book, venues)
    pairs = [*zip(tree.venue, tree.token, tree.other, strict=True), *_pairs(code.spots, venues)]
    columns = np.array(pairs, dtype=np.int64).reshape(-1, 3)
    followed = _priced_assets(book)
    tables = Oracles(
        tree=tree,
        pair_venue=columns[:, 0].copy(),
        pair_token=columns[:, 1].copy(),
        pair_other=columns[:, 2].copy(),
        feed_asset=np.array([followed.get(one.address, -1) for one in code.feeds], dtype=np.int64),
        feed_scale=np.array([_scale(book, one.address) for one in code.feeds], dtype=np.float64),
        claim=np.array(claims, dtype=np.int64),
        share=np.array(code.shares, dtype=np.int64),
        means=mean_table(book, code.means, len(programs)),
        code=code.code,
        blocks=code.blocks,
        powers=tick_powers(),
        rising=code.blocks.constants + np.array(list(code.rising), dtype=np.int64),
        rise=np.array(list(code.rising.values()), dtype=np.float64),
    )
    return Sources(tables=tables, compiled=code, venues=len(venues))


def _pools_of_shares(venues: Sequence[Venue], tokens: Sequence[Address]) -> list[int]:
    """The pool of which each token is a share, -1 of none. A program that prices one by the pool's
    reserves does so by the root of their product: all of them do.
    """
    place = {venue.address: v for v, venue in enumerate(venues) if len(venue.tokens) == 2}
    return [place.get(token, -1) for token in tokens]


def _program(book: Book, claim: int) -> Program:
    program = book.assets[claim].program
    assert program is not None
    return program


def _pairs(spots: Sequence[Spot], venues: Sequence[Venue]) -> list[tuple[int, int, int]]:
    place = {venue.address: v for v, venue in enumerate(venues)}
    found = []
    for spot in spots:
        v = place.get(spot.venue, -1)
        traded = v >= 0 and {spot.base, spot.quote} <= set(venues[v].tokens)
        if traded:
            found.append((v, venues[v].place(spot.base), venues[v].place(spot.quote)))
        else:
            found.append((-1, 0, 1))
    return found


def _scale(book: Book, feed: Address) -> float:
    answer = book.sources.answers.get(feed)
    return float(10**answer.decimals) if answer is not None else 0.0


def _priced_assets(book: Book) -> dict[Address, int]:
    """The asset whose market each feed follows: one whose price shock moves the feed; of several,
    the first that follows no other, else the first.
    """
    found: dict[Address, int] = {}
    own = [a for a, asset in enumerate(book.assets) if asset.follows is None]
    others = [a for a, asset in enumerate(book.assets) if asset.follows is not None]
    for asset in own + others:
        for feed in price_moves(book, asset, Fraction(1, 2)).feeds:
            found.setdefault(feed, asset)
    return found
