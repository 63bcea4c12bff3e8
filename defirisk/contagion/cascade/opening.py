"""What oracles are made of, as arrays, and where they stand at the start of a scenario."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from defirisk.contagion.cascade.means import BASIS, mean_table, opened
from defirisk.contagion.cascade.oracles import Oracles, Told, move_claims, quotes
from defirisk.contagion.cascade.prices import price_tree
from defirisk.contagion.cascade.programs import Compiled, compiled, evaluate
from defirisk.contagion.cascade.ticks import tick_powers
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.evm import Address
from defirisk.core.quote import (
    Conversion,
    Feed,
    Leaf,
    Market,
    Program,
    Root,
    Spot,
    leaves,
    parts,
)
from defirisk.core.scenario import Moves, Scenario, conversions, market_prices
from defirisk.core.venue import Venue
from defirisk.shocks.target import price_moves

APART = 1e-9
"""Factors that differ by more, relatively, are not of one move: prices are floats, and rounded."""


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
    quoted, claimed = book.quote_program, [_program(book, claim) for claim in claims]
    programs = [*quoted, *claimed]
    code = compiled(programs, [asset.address for asset in book.assets])
    tree = price_tree(book, venues)
    pairs = [*zip(tree.venue, tree.token, tree.other, strict=True), *_pairs(code.spots, venues)]
    columns = np.array(pairs, dtype=np.int64).reshape(-1, 3)
    priced = _priced_assets(book)
    tables = Oracles(
        tree=tree,
        pair_venue=columns[:, 0].copy(),
        pair_token=columns[:, 1].copy(),
        pair_other=columns[:, 2].copy(),
        feed_asset=np.array([priced.get(one.address, -1) for one in code.feeds], dtype=np.int64),
        feed_scale=np.array([_scale(book, one.address) for one in code.feeds], dtype=np.float64),
        claim=np.array(claims, dtype=np.int64),
        share_of_quote=_shares(venues, [_asset(book, int(a)) for a in book.quote_asset], quoted),
        share_of_claim=_shares(venues, [_asset(book, claim) for claim in claims], claimed),
        means=mean_table(book, code.means, len(programs)),
        code=code.code,
        blocks=code.blocks,
        powers=tick_powers(),
        rising=code.blocks.constants + np.array(list(code.rising), dtype=np.int64),
        rise=np.array(list(code.rising.values()), dtype=np.float64),
    )
    return Sources(tables=tables, compiled=code, venues=len(venues))


def claims_in_order(book: Book) -> list[int]:
    """Assets that are claims, each after the claims that it is made of; in a circle, the first one
    comes last.
    """
    place = {asset.address: a for a, asset in enumerate(book.assets)}
    order: list[int] = []
    begun: set[int] = set()

    def visit(asset: int) -> None:
        program = book.assets[asset].program
        if program is None or asset in begun:
            return
        begun.add(asset)
        for leaf in leaves(program):
            if isinstance(leaf, Market) and leaf.asset in place:
                visit(place[leaf.asset])
        order.append(asset)

    for asset in range(len(book.assets)):
        visit(asset)
    return order


def _asset(book: Book, asset: int) -> Address:
    return book.assets[asset].address


def _shares(
    venues: Sequence[Venue], tokens: Sequence[Address], programs: Sequence[Program]
) -> Ints:
    """The pool of which each token is a share, where its program prices it by the root of the
    product of the reserves, as all of them do; -1 elsewhere.
    """
    place = {venue.address: v for v, venue in enumerate(venues) if len(venue.tokens) == 2}
    found = [
        place.get(token, -1) if any(isinstance(part, Root) for part in _all_parts(program)) else -1
        for token, program in zip(tokens, programs, strict=True)
    ]
    return np.array(found, dtype=np.int64)


def _all_parts(program: Program) -> Iterator[Program]:
    yield program
    for part in parts(program):
        yield from _all_parts(part)


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


def opening(
    book: Book, scenario: Scenario, found: Sources, rounds: int, share: Floats | None = None
) -> Told:
    """Where everything stands once the scenario's moves are applied, for as many rounds.

    As `core.scenario.quote_prices`, but that a mean which moved is rounded as its contract does,
    and that a pool's share is worth what arbitrageurs paid in fees more: `share` (V,), else 1.
    """
    tables = found.tables
    market = market_prices(book, [scenario])[:, 0]
    moves = scenario.moves
    start = leaf_values(book, moves, market, found)
    told = Told(
        opening=start,
        leaves=start.copy(),
        held_feed=_held_feeds(book, scenario, found, market),
        held_quote=np.zeros(len(book.quote_program), dtype=np.int64),
        own_market=_factors(moves.market, len(book.assets)),
        own_quote=_factors(moves.quotes, len(book.quote_program)),
        said=np.full(len(book.quote_program), np.nan),
        basis=np.zeros((len(found.compiled.means), BASIS)),
        history=np.zeros((len(found.compiled.means) + 1, rounds + 1)),
        stack=np.zeros(found.compiled.depth + 1),
        share=np.ones(found.venues) if share is None else share,
    )
    open_means(found, told.leaves, told.basis)
    move_claims(tables, told, np.ones(len(book.assets)))
    told.opening[:] = told.leaves
    quotes(tables, told, np.ones(len(book.quote_program)), np.empty(len(book.quote_program)))
    _hold_quotes(book, scenario, told, market)
    return told


def _value(leaf: Leaf) -> float:
    return float("nan") if leaf.value is None else float(leaf.value)


def _moved(book: Book, market: Floats, asset: int) -> float:
    """By how much a market price moved; 1 where it is not known, or 0 today."""
    if asset < 0:
        return 1.0
    now = float(book.asset_price[asset])
    return 1.0 if np.isnan(now) or now == 0 else float(market[asset]) / now


def _factors(moves: Mapping[int, Fraction], size: int) -> Floats:
    factors = np.ones(size)
    for place, factor in moves.items():
        factors[place] = float(factor)
    return factors


def leaf_values(book: Book, moves: Moves, market: Floats, found: Sources) -> Floats:
    """The leaves of a scenario, shape (L,), at its market prices (A,); the means are still NaN."""
    leaves = many_leaves(book, [moves], market[None, :], feed_factors([moves], found), found)
    start: Floats = leaves[0]
    return start


def feed_factors(every: Sequence[Moves], found: Sources) -> Floats:
    """By how much each scenario itself moves each feed, shape (S, F)."""
    names = [one.address for one in found.feeds]
    factors = np.ones((len(every), len(names)))
    for n, moves in enumerate(every):
        if moves.feeds:
            factors[n] = [float(moves.feeds.get(name, 1)) for name in names]
    return factors


def many_leaves(
    book: Book, every: Sequence[Moves], market: Floats, feeds: Floats, found: Sources
) -> Floats:
    """The leaves of S scenarios, shape (S, L), at their market prices (S, A) and `feed_factors`."""
    blocks = found.tables.blocks
    start = np.full((len(every), blocks.behind), np.nan)
    place = {asset.address: a for a, asset in enumerate(book.assets)}
    known = np.nan_to_num(book.asset_price) != 0
    with np.errstate(divide="ignore", invalid="ignore"):
        turns = np.where(known, market / book.asset_price, 1.0)

    def moved(address: Address) -> Floats:
        a = place.get(address, -1)
        return turns[:, a] if a >= 0 else np.ones(len(every))

    values = np.array([_value(feed) for feed in found.feeds], dtype=np.float64)
    start[:, blocks.feeds : blocks.spots] = values * feeds
    for k, spot in enumerate(found.spots):
        top, bottom = moved(spot.base), moved(spot.quote)
        ratio = np.divide(top, bottom, out=np.zeros_like(top), where=bottom != 0)
        start[:, blocks.spots + k] = _value(spot) * ratio
    for k, one in enumerate(found.conversions):
        start[:, blocks.conversions + k] = _value(one)
    for n, moves in enumerate(every if found.conversions else ()):
        rates = conversions(book, moves)
        for k, one in enumerate(found.conversions):
            start[n, blocks.conversions + k] *= float(rates.get(one.token, 1))
    start[:, blocks.markets : blocks.means] = market
    start[:, blocks.constants :] = found.compiled.constants
    return start


def open_means(found: Sources, values: Floats, basis: Floats) -> None:
    """Fills the means among the leaves (L,) and their `basis` (T, BASIS): every mean after those
    that its part is made of.
    """
    tables, stack = found.tables, np.zeros(found.compiled.depth + 1)
    for t, mean in enumerate(found.compiled.means):
        program = int(tables.means.program[t])
        part = evaluate(tables.code, program, values, stack)
        value = opened(tables.means, t, mean, tables.powers, part, basis[t])
        values[tables.blocks.means + t] = value


def _held_feeds(book: Book, scenario: Scenario, found: Sources, market: Floats) -> Ints:
    """Feeds that moved otherwise than their asset's market price, shape (F,)."""
    held = np.zeros(len(found.feeds), dtype=np.int64)
    for f, feed in enumerate(found.feeds):
        asset = int(found.tables.feed_asset[f])
        own = float(scenario.moves.feeds.get(feed.address, 1))
        held[f] = asset >= 0 and _apart(own, _moved(book, market, asset))
    return held


def _hold_quotes(book: Book, scenario: Scenario, told: Told, market: Floats) -> None:
    """Quotes that were moved by themselves, and now otherwise than their asset's market price."""
    for q, factor in scenario.moves.quotes.items():
        before, asset = float(book.quote_price[q]), int(book.quote_asset[q])
        if not before or _apart(told.said[q] * float(factor) / before, _moved(book, market, asset)):
            told.held_quote[q] = 1


def _apart(one: float, other: float) -> bool:
    return not abs(one - other) <= APART * max(abs(one), abs(other))
