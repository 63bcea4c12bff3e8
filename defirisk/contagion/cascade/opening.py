"""Where the oracles of a book stand at the start of a scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from defirisk.contagion.cascade.byte_code import evaluate
from defirisk.contagion.cascade.means import BASIS, opened
from defirisk.contagion.cascade.oracles import Told, move_claims, quotes
from defirisk.contagion.cascade.sources import Sources
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.evm import Address
from defirisk.core.quote import (
    Leaf,
)
from defirisk.core.scenario import Moves, Scenario, conversions, market_prices

APART = 1e-9
"""Factors that differ by more, relatively, are not of one move: prices are floats, and rounded."""


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
            own = [moves.feeds.get(name, 1) for name in names]
            factors[n] = [factor.numerator / factor.denominator for factor in own]
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
