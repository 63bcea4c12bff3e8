"""Many cascades in one go, in machine code: openings laid side by side, one state used again.

The result is that of `play.Cascade` in Python, bit for bit: only what can be done once for all
scenarios is done once, and units that cannot have become liquidatable are not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from defirisk.contagion.cascade import rounds
from defirisk.contagion.cascade.means import BASIS
from defirisk.contagion.cascade.opening import APART, feed_factors, many_leaves, open_means
from defirisk.contagion.cascade.oracles import move_claims, quotes
from defirisk.contagion.cascade.pools import PoolTable, move_spot, shrink
from defirisk.contagion.cascade.rounds import clock, grow_shares, passing, play, spot_of
from defirisk.contagion.cascade.sources import Sources
from defirisk.contagion.cascade.state import LANES, Facts, State
from defirisk.contagion.cascade.watching import forget_watch, weigh_lanes
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.scenario import Scenario, market_factors, market_prices

NAN = float("nan")

CHUNK = 64
"""Scenarios at once: the price paths of so many are kept in memory."""


class Openings(NamedTuple):
    """Where the scenarios of a chunk begin; S of them, and what all of them share.

    `turn` (S, V): by how much arbitrageurs move a pool's price of its first token, 1 where they do
    not. `depth` (S, V) likewise of its depth.
    """

    amount: Floats  # (H,)
    pockets: Floats  # (K, W)
    pools: Floats  # (V, 4 or more)
    quote_price: Floats  # (Q,), today
    asset_price: Floats  # (A,), today
    market: Floats  # (S, A)
    leaves: Floats  # (S, L)
    feed: Floats  # (S, F), the scenario's own factor
    own_market: Floats  # (S, A)
    own_quote: Floats  # (S, Q)
    basis: Floats  # (S, T, BASIS)
    turn: Floats  # (S, V)
    depth: Floats  # (S, V)


class Ends(NamedTuple):
    """Where they end, as in `state.State`."""

    rounds: Ints  # (S,)
    by_deployment: Floats  # (S, D, LOSSES)
    by_asset: Floats  # (S, A, LOSSES)
    totals: Floats  # (S, TOTALS)
    conversion: Floats  # (S, C)
    path: Floats  # (S, max_rounds + 1, A)


def openings(
    book: Book,
    scenarios: Sequence[Scenario],
    found: Sources,
    table: PoolTable,
    amount: Floats,
    pockets: Floats,
) -> Openings:
    """The openings of some scenarios. `found`, `table`, `amount`, `pockets` are the book's own."""
    own = market_factors(book, scenarios)
    market = np.ascontiguousarray(market_prices(book, scenarios, own=own).T)
    size, means = len(scenarios), len(found.compiled.means)
    every = [scenario.moves for scenario in scenarios]
    feed = feed_factors(every, found)
    leaves = many_leaves(book, every, market, feed, found)
    own_quote = np.ones((size, len(book.quote_program)))
    basis = np.zeros((size, means, BASIS))
    depth = np.ones((size, len(table.venues)))
    for n, moves in enumerate(every):
        for quote, factor in moves.quotes.items():
            own_quote[n, quote] = float(factor)
        open_means(found, leaves[n], basis[n])
        if moves.depth:
            depth[n] = depths(table, scenarios[n])
    return Openings(
        amount=amount,
        pockets=pockets,
        pools=table.state,
        quote_price=book.quote_price,
        asset_price=book.asset_price,
        market=market,
        leaves=leaves,
        feed=feed,
        own_market=np.ascontiguousarray(own.T),
        own_quote=own_quote,
        basis=basis,
        turn=turns(book, market, table),
        depth=depth,
    )


def empty_ends(state: State, size: int) -> Ends:
    """Room for the ends of so many scenarios."""
    return Ends(
        rounds=np.zeros(size, dtype=np.int64),
        by_deployment=np.zeros((size, *state.by_deployment.shape)),
        by_asset=np.zeros((size, *state.by_asset.shape)),
        totals=np.zeros((size, *state.totals.shape)),
        conversion=np.zeros((size, *state.conversion.shape)),
        path=np.zeros((size, *state.path.shape)),
    )


def turns(book: Book, market: Floats, table: PoolTable) -> Floats:
    """`Openings.turn` at these market prices (S, A)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.where(book.asset_price > 0, market / book.asset_price, np.nan)
    turn = np.ones((len(market), len(table.venues)))
    for v, venue in enumerate(table.venues):
        first, second = (int(place) for place in table.tokens[v, :2])
        if len(venue.tokens) == 2 and first >= 0 and second >= 0:
            top, bottom = moved[:, first], moved[:, second]
            known = (top > 0) & (bottom > 0)
            turn[known, v] = top[known] / bottom[known]
    return turn


def depths(table: PoolTable, scenario: Scenario) -> Floats:
    """The factors on the depth of each pool, shape (V,): of all its tokens together."""
    found = np.ones(len(table.venues))
    for v, venue in enumerate(table.venues):
        factor = Fraction(1)
        for asset in table.tokens[v, : len(venue.tokens)]:
            factor *= scenario.moves.depth.get(int(asset), Fraction(1))
        found[v] = float(factor)
    return found


def begin(f: Facts, s: State, o: Openings, n: int) -> None:
    """Kernel. Puts the state at the opening of scenario n, whatever was played on it before."""
    units = f.units
    forget_watch(f, s, o.amount)
    copy(o.pockets, s.pockets)
    copy(o.pools, s.pools)
    open_pools(f, s, o, n)
    for c in range(len(s.conversion)):
        s.conversion[c] = 1.0
    for q in range(len(s.rate)):
        s.growth[q] = 1.0
        s.rate[q] = units.rate[q]
    for d in range(s.by_deployment.shape[0]):
        for column in range(s.by_deployment.shape[1]):
            s.by_deployment[d, column] = 0.0
    for a in range(s.by_asset.shape[0]):
        for column in range(s.by_asset.shape[1]):
            s.by_asset[a, column] = 0.0
    for column in range(len(s.totals)):
        s.totals[column] = 0.0
    open_oracles(f, s, o, n)
    for a in range(len(s.market)):
        s.market[a] = o.market[n, a]


def copy(source: Floats, target: Floats) -> None:
    """Kernel. One table into another."""
    for i in range(source.shape[0]):
        for j in range(source.shape[1]):
            target[i, j] = source[i, j]


def open_pools(f: Facts, s: State, o: Openings, n: int) -> None:
    """Kernel. Arbitrage and depth shocks, and what pools say then."""
    for v in range(s.pools.shape[0]):
        s.share_root[v] = f.share_root[v] * o.depth[n, v]
        if o.turn[n, v] != 1.0:
            move_spot(f.pools, s.pools, v, 0, 1, o.turn[n, v])
        if o.depth[n, v] != 1.0:
            shrink(f.pools, s.pools, v, o.depth[n, v])
    copy(s.pools, s.opening_pools)
    for p in range(len(s.opening_spot)):
        s.opening_spot[p] = 0.0
        if f.oracles.pair_venue[p] >= 0:
            s.opening_spot[p] = spot_of(f, s, p)


def open_oracles(f: Facts, s: State, o: Openings, n: int) -> None:
    """Kernel. As `opening.opening`."""
    told, oracles = s.told, f.oracles
    for k in range(len(told.leaves)):
        told.opening[k] = o.leaves[n, k]
        told.leaves[k] = o.leaves[n, k]
    for a in range(len(s.market)):
        told.own_market[a] = o.own_market[n, a]
    for k in range(told.history.shape[0]):
        told.history[k, 0] = 0.0
        if k < told.basis.shape[0]:
            for column in range(told.basis.shape[1]):
                told.basis[k, column] = o.basis[n, k, column]
    for q in range(len(told.said)):
        told.own_quote[q] = o.own_quote[n, q]
        told.held_quote[q] = 0
        told.said[q] = NAN
    hold_feeds(f, s, o, n)
    grow_shares(s)
    move_claims(oracles, told, s.market)
    for k in range(len(told.leaves)):
        told.opening[k] = told.leaves[k]
    quotes(oracles, told, s.growth, s.quote)
    for q in range(len(told.said)):
        if o.own_quote[n, q] != 1.0:
            before = o.quote_price[q]
            now = told.said[q] * o.own_quote[n, q]
            asset = f.units.asset[q]
            if before == 0.0 or before != before or apart(now / before, moved(o, n, asset)):
                told.held_quote[q] = 1


def hold_feeds(f: Facts, s: State, o: Openings, n: int) -> None:
    """Kernel. Feeds that moved otherwise than their asset's market price stay where they are."""
    for k in range(len(s.told.held_feed)):
        asset = f.oracles.feed_asset[k]
        s.told.held_feed[k] = 0
        if asset >= 0 and apart(o.feed[n, k], moved(o, n, asset)):
            s.told.held_feed[k] = 1


def moved(o: Openings, n: int, asset: int) -> float:
    """Kernel. By how much the scenario moves a market price; 1 where it is unknown, or 0 today."""
    now = o.asset_price[asset]
    if now != now or now == 0.0:
        return 1.0
    return float(o.market[n, asset] / now)


def apart(one: float, other: float) -> bool:
    """Kernel. Whether two factors are not of one move."""
    return not abs(one - other) <= APART * max(abs(one), abs(other))


def survey(f: Facts, s: State, o: Openings, assumed: Floats, first: int) -> None:
    """Kernel. What is known beforehand of LANES scenarios; the last one stands for those beyond."""
    last = assumed.shape[0] - 1
    for k in range(LANES):
        if first + k <= last:
            begin(f, s, o, first + k)
            seconds, blocks = passing(assumed[first + k], 0)
            clock(f, s, seconds, blocks)
        for q in range(len(s.worth)):
            s.watch.first_worth[q, k] = s.worth[q]
    weigh_lanes(f.units, o.amount, s.watch)


def play_many(f: Facts, s: State, o: Openings, assumed: Floats, e: Ends) -> None:
    """Kernel. Every scenario's rounds, with `assumed` (S, ASSUMED)."""
    for n in range(len(e.rounds)):
        if n % LANES == 0:
            survey(f, s, o, assumed, n)
        begin(f, s, o, n)
        s.watch.lane[0] = n % LANES
        count = play(f, s, assumed[n], True)
        e.rounds[n] = count
        for d in range(s.by_deployment.shape[0]):
            for column in range(s.by_deployment.shape[1]):
                e.by_deployment[n, d, column] = s.by_deployment[d, column]
        for a in range(s.by_asset.shape[0]):
            for column in range(s.by_asset.shape[1]):
                e.by_asset[n, a, column] = s.by_asset[a, column]
        for column in range(len(s.totals)):
            e.totals[n, column] = s.totals[column]
        for c in range(len(s.conversion)):
            e.conversion[n, c] = s.conversion[c]
        for r in range(count + 1):
            for a in range(len(s.market)):
                e.path[n, r, a] = s.path[r, a]


KERNELS = (
    *rounds.KERNELS,
    copy,
    open_pools,
    moved,
    apart,
    hold_feeds,
    open_oracles,
    begin,
    survey,
    play_many,
)
