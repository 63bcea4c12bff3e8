"""Compiled passes around the sweep: prices into lanes, and what was added up into USD."""

from __future__ import annotations

import numpy as np

from defirisk.contagion.jit import compiled
from defirisk.contagion.kernel import BLOCKS, LANES, Prices
from defirisk.contagion.signed import Columns, Words
from defirisk.contagion.valuation import Bools
from defirisk.core.book import Floats


@compiled
def survey(columns: Columns, oracle: Floats, market: Floats, usable: Bools, factor: Floats) -> None:
    """Which scenarios have only finite and positive prices, and what all collateral is worth.

    Prices are of quotes, (Q, S); both results (S,).
    """
    quotes, backing = columns.quote, columns.backing
    usable[:] = True
    factor[:] = 0
    for c in range(len(quotes)):
        quote, weight = quotes[c], backing[c]
        for s in range(oracle.shape[1]):
            price, worth = oracle[quote, s], market[quote, s]
            # False for NaN too; a market may be worth nothing.
            usable[s] &= (price > 0) & (price < np.inf) & (worth >= 0) & (worth < np.inf)
            factor[s] += weight * price


@compiled
def packed(columns: Columns, oracle: Floats, market: Floats, order: Words, prices: Prices) -> None:
    """Fills `prices` from prices of quotes (Q, S); `order` names the scenario of every lane."""
    quotes, oracles, markets = columns.quote, prices.oracle, prices.market
    for c in range(len(quotes)):
        quote = quotes[c]
        for b in range(BLOCKS):
            for i in range(LANES):
                s = np.int64(order[b * LANES + i])
                oracles[b, c, i] = oracle[quote, s]
                markets[b, c, i] = market[quote, s]


@compiled
def valued(
    columns: Columns, amount: Floats, market: Floats, deployment: Floats, asset: Floats
) -> None:
    """Adds amounts times market prices (BLOCKS, C, LANES) by deployment and by asset.

    Results are (2, BLOCKS, D or A, LANES): what is pledged, then what is owed.
    """
    kinds, deployments, assets = columns.kind, columns.deployment, columns.asset
    for b in range(BLOCKS):
        for c in range(len(kinds)):
            kind, d, a = np.int64(kinds[c]), deployments[c], assets[c]
            for i in range(LANES):
                worth = amount[b, c, i] * market[b, c, i]
                deployment[kind, b, d, i] += worth
                asset[kind, b, a, i] += worth
