"""Compiled passes around the sweep: prices into lanes, and what was added up into USD."""

from __future__ import annotations

import numpy as np

from defirisk.contagion.blocks import BLOCKS, LANES, Found, Prices
from defirisk.contagion.jit import compiled
from defirisk.contagion.series import Series
from defirisk.contagion.signed import Columns, Words
from defirisk.contagion.valuation import Bools
from defirisk.core.book import Floats


@compiled
def survey(series: Series, oracle: Floats, market: Floats, usable: Bools, factor: Floats) -> None:
    """Which scenarios have only finite and positive prices, and what all collateral is worth.

    Prices are of quotes, (Q, S); both results (S,).
    """
    usable[:] = True
    factor[:] = 0
    for p in range(len(series.quote)):
        quote, weight = series.quote[p], series.backing[p] / series.rate[p]
        for s in range(oracle.shape[1]):
            price, worth = oracle[quote, s], market[quote, s]
            # False for NaN too; a market may be worth nothing.
            usable[s] &= (price > 0) & (price < np.inf) & (worth >= 0) & (worth < np.inf)
            factor[s] += weight * price


@compiled
def packed(series: Series, oracle: Floats, market: Floats, order: Words, prices: Prices) -> None:
    """Fills `prices` from prices of quotes (Q, S); `order` names the scenario of every lane."""
    oracles, markets = prices.oracle, prices.market
    for p in range(len(series.quote)):
        quote, rate = series.quote[p], series.rate[p]
        top = 0.0
        for b in range(BLOCKS):
            low, high, cheap, dear = np.inf, 0.0, np.inf, 0.0
            for i in range(LANES):
                s = np.int64(order[b * LANES + i])
                price, worth = oracle[quote, s] / rate, market[quote, s] / rate
                oracles[b, p, i] = price
                markets[b, p, i] = worth
                low, high = min(low, price), max(high, price)
                cheap, dear = min(cheap, worth), max(dear, worth)
            for at, oracle_bound, market_bound in (
                (0, low, cheap),
                (1, high, dear),
                (2, low, cheap),
            ):
                prices.oracle_range[p, at * BLOCKS + b] = oracle_bound
                prices.market_range[p, at * BLOCKS + b] = market_bound
            top = max(top, high)
        prices.top[p] = top


@compiled
def valued(
    columns: Columns, found: Found, prices: Prices, deployment: Floats, asset: Floats
) -> None:
    """Adds amounts times market prices by deployment and by asset, and what a block adds at once.

    Results are (2, BLOCKS, D or A, LANES): what is pledged, then what is owed. Accounts and bad
    debt of `found` become those of all rows.
    """
    kinds, deployments, assets = columns.kind, columns.deployment, columns.asset
    accounts, bad_debt = found.accounts, found.bad_debt
    for b in range(BLOCKS):
        for d in range(accounts.shape[1]):
            for i in range(LANES):
                accounts[b, d, i] += found.all_accounts[d, b]
        for c in range(len(kinds)):
            kind, d, a, p = (
                np.int64(kinds[c]),
                deployments[c],
                assets[c],
                np.int64(prices.series[c]),
            )
            amount, lost = found.all_amount[c, b], found.all_lost[c, b]
            for i in range(LANES):
                worth = (found.amount[b, c, i] + amount) * prices.market[b, p, i]
                deployment[kind, b, d, i] += worth
                asset[kind, b, a, i] += worth
            for i in range(LANES):
                bad_debt[b, d, i] += lost * prices.market[b, p, i]
