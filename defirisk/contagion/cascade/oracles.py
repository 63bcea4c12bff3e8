"""Step 6: what oracles say, by their own rules, after the pools have moved. Kernels.

Feeds: a network of reporters posts once the market price of its feed's asset is off by the
deviation or more, relative to what the feed says: the value at the start times what the asset has
moved by since, rounded down to the feed's own decimals (not cut where these are unknown). A feed of
no asset, and one that the scenario holds apart from its asset's market, stays. Means over time:
`means`. What reads a pool or a share reads it. Rates of quotes grow as the caller says.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from numpy import floor

from defirisk.contagion.cascade import byte_code, ticks
from defirisk.contagion.cascade import means as means_over_time
from defirisk.contagion.cascade.byte_code import Code, evaluate
from defirisk.contagion.cascade.means import Means, moved_mean
from defirisk.contagion.cascade.prices import KERNELS as PRICES
from defirisk.contagion.cascade.prices import PriceTree, asset_factors
from defirisk.contagion.cascade.programs import Blocks
from defirisk.core.book import Floats, Ints
from defirisk.core.evaluation import SAME


class Oracles(NamedTuple):
    """What no scenario changes. Programs: those of the Q quotes, of the B claims, of the T means.

    Pairs are what has to be known of pools: (pool, token, other token), -1 for a pool that is not
    computed with. The E rows of the tree come first, then the spots of the leaves. `powers` are
    those of ticks.
    """

    tree: PriceTree
    pair_venue: Ints  # (E + spots,)
    pair_token: Ints  # (E + spots,)
    pair_other: Ints  # (E + spots,)
    feed_asset: Ints  # (F,), -1: of none
    feed_scale: Floats  # (F,), 10 to the feed's decimals; 0: unknown
    claim: Ints  # (B,), assets, each after the claims that it is made of
    share: Ints  # the pool of each leaf that is a share's growth
    means: Means
    code: Code
    blocks: Blocks
    powers: Floats  # (20,)
    rising: Ints  # (L,), leaves that rise with time
    rise: Floats  # (L,), by how much a second


class Told(NamedTuple):
    """What one scenario changes: to be copied for every run of its rounds.

    Leaves are in whole tokens, units of account and USD. `said` is what the quotes' programs
    say, before factors and growth. `basis`, `history`: see `means`; the history has a column for
    the start and one for every round, and the clock as its last row.
    """

    opening: Floats  # (L,), leaves at the start
    leaves: Floats  # (L,), now
    held_feed: Ints  # (F,), 1: stays where the scenario put it
    held_quote: Ints  # (Q,), likewise
    own_market: Floats  # (A,), the scenario's own factor on a market price
    own_quote: Floats  # (Q,), and on a quote
    said: Floats  # (Q,)
    basis: Floats  # (T, BASIS)
    history: Floats  # (T + 1, rounds + 1)
    stack: Floats  # room for evaluation
    share: Floats  # (V,), by how much fees have raised what a share of a pool stands for


def differs(one: float, other: float) -> bool:
    """Kernel. Whether two values are not the same but for rounding; two unknown ones are."""
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) != math.isnan(other)
    return abs(one - other) > SAME * max(abs(one), abs(other))


def post_feeds(oracles: Oracles, told: Told, factors: Floats, deviation: float) -> None:
    """Kernel. Reporters post what is off. `factors` (A,): what market prices have moved by."""
    first = oracles.blocks.feeds
    for f in range(len(oracles.feed_asset)):
        asset = oracles.feed_asset[f]
        if asset < 0 or told.held_feed[f] == 1:
            continue
        price = told.opening[first + f] * factors[asset]
        now = told.leaves[first + f]
        if price != now and abs(price - now) >= deviation * now:
            scale = oracles.feed_scale[f]
            told.leaves[first + f] = floor(price * scale) / scale if scale > 0.0 else price


def move_claims(oracles: Oracles, told: Told, factors: Floats) -> None:
    """Kernel. Market prices of what is a claim on other assets, and what they have moved by; before
    that, what fees have raised shares by.
    """
    for k in range(len(oracles.share)):
        told.leaves[oracles.blocks.shares + k] = told.share[oracles.share[k]]
    quotes, first = len(told.said), oracles.blocks.markets
    for b in range(len(oracles.claim)):
        asset = oracles.claim[b]
        worth = evaluate(oracles.code, quotes + b, told.leaves, told.stack)
        worth *= told.own_market[asset]
        told.leaves[first + asset] = worth
        before = told.opening[first + asset]
        factors[asset] = 1.0
        if before != 0.0:
            factors[asset] = worth / before


def move_means(oracles: Oracles, told: Told, r: int, seconds: float) -> None:
    """Kernel. What is said now counts for the seconds that end with round r."""
    means, first = oracles.means, oracles.blocks.means
    clock = len(told.history) - 1
    told.history[clock, r + 1] = told.history[clock, r] + seconds
    for t in range(len(means.rule)):
        part = evaluate(oracles.code, means.program[t], told.leaves, told.stack)
        told.leaves[first + t] = moved_mean(
            means,
            t,
            oracles.powers,
            told.basis,
            told.history,
            r + 1,
            part,
            told.leaves[first + t],
        )


def follow(
    oracles: Oracles,
    told: Told,
    r: int,
    spot_factors: Floats,
    seconds: float,
    deviation: float,
    conversions: Floats,
    out_market: Floats,
) -> None:
    """Kernel. Leaves and market prices (`out_market`, (A,)) after the pools have moved.

    `spot_factors`, one for each pair: by how much its price has moved since the start.
    `conversions` likewise, of each conversion. r counts from 0. `seconds`: for how long the spots
    have been (or will have been) so, up to the moment that the prices are for.
    """
    blocks, edges = oracles.blocks, len(oracles.tree.asset)
    leaves, opening = told.leaves, told.opening
    asset_factors(oracles.tree, spot_factors, out_market)
    for k in range(blocks.conversions - blocks.spots):
        if oracles.pair_venue[edges + k] >= 0:
            place = blocks.spots + k
            leaves[place] = opening[place] * spot_factors[edges + k]
    for k in range(blocks.markets - blocks.conversions):
        place = blocks.conversions + k
        leaves[place] = opening[place] * conversions[k]
    for a in range(len(out_market)):
        place = blocks.markets + a
        leaves[place] = opening[place] * out_market[a]
    move_claims(oracles, told, out_market)
    post_feeds(oracles, told, out_market, deviation)
    move_means(oracles, told, r, seconds)
    for a in range(len(out_market)):
        out_market[a] = leaves[blocks.markets + a]


def quotes(oracles: Oracles, told: Told, growth: Floats, out_quotes: Floats) -> int:
    """Kernel. What every quote is worth, into `out_quotes` (Q,), as `Book.quote_price`; NaN where
    unknown. `growth` (Q,): by how much its own rate has grown since the start.

    Returns 1 where any price moved since this was last asked, besides its rate's growth, else 0.
    """
    moved = 0
    for q in range(len(told.said)):
        if told.held_quote[q] == 0:
            value = evaluate(oracles.code, q, told.leaves, told.stack)
            if differs(value, told.said[q]):
                moved = 1
            told.said[q] = value
        out_quotes[q] = told.said[q] * told.own_quote[q] * growth[q]
    return moved


def grown(told: Told, growth: Floats, out_quotes: Floats) -> None:
    """Kernel. `quotes` where no leaf has moved since: only the growth may be another one."""
    for q in range(len(told.said)):
        out_quotes[q] = told.said[q] * told.own_quote[q] * growth[q]


def step(
    oracles: Oracles,
    told: Told,
    r: int,
    spot_factors: Floats,
    seconds: float,
    deviation: float,
    conversions: Floats,
    growth: Floats,
    out_market: Floats,
    out_quotes: Floats,
) -> int:
    """Kernel. Steps 5 and 6 of round r: `follow`, then `quotes`; 1 where an oracle moved."""
    follow(oracles, told, r, spot_factors, seconds, deviation, conversions, out_market)
    return quotes(oracles, told, growth, out_quotes)


KERNELS = (
    *PRICES,
    *byte_code.KERNELS,
    *ticks.KERNELS,
    *means_over_time.KERNELS,
    differs,
    post_feeds,
    move_claims,
    move_means,
    follow,
    quotes,
    grown,
    step,
)
