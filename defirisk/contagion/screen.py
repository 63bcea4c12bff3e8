"""The static shock: who can be liquidated, how much is at risk, what is not covered.

No feedback: prices are those of the scenarios. Scenarios are taken in chunks (the lanes of the
kernel) and units in tiles, so the memory beyond inputs and outputs does not depend on how many
there are of either. `_screen_tile` is the whole kernel; a compiled one replaces it, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from defirisk.contagion.valuation import (
    Bools,
    Positions,
    indicator,
    market_quotes,
    positions,
    times,
)
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.outcome import Counts, Outcome
from defirisk.core.scenario import Scenario, oracle_factors, quote_prices

EDGE = 1e-6
"""Units whose margin is at most this fraction of their debt are decided in exact integers."""

Exactly = Callable[[int, int], bool]
"""Whether this unit can be liquidated in this scenario, by the contract's own integers."""


@dataclass(frozen=True, slots=True)
class _Sums:
    """What a tile adds to an outcome, for one chunk of scenarios."""

    debt: Floats  # (Q, S), units of quotes owed by liquidatable units
    collateral: Floats  # (Q, S)
    accounts: Floats  # (D, S)
    bad_debt: Floats  # (D, S), USD
    edge: Counts  # (S,)


def screen(
    book: Book, scenarios: Sequence[Scenario], *, lanes: int = 64, tile: int = 4096
) -> Outcome:
    """What each scenario makes liquidatable, in USD at that scenario's market prices.

    A unit is liquidatable where its collateral times liquidation threshold is worth less than its
    debt at the oracle prices of its own market. Units with an unknown price never are; they are in
    `book.unpriced`. `lanes` scenarios and `tile` units are worked on at once: both change memory
    and speed, not the result (sums may differ in the last bits).
    """
    deployments, assets = len(book.deployments), len(book.assets)
    by_deployment = indicator(book.quote_deployment, deployments)
    by_asset = indicator(book.quote_asset, assets)
    outcome = _nothing(scenarios, deployments, assets)
    tiles = list(_tiles(book, tile))
    for first in range(0, len(scenarios), lanes):
        part = scenarios[first : first + lanes]
        here = slice(first, first + len(part))
        oracle, market = quote_prices(book, list(part)), market_quotes(book, part)
        exactly = _exactly(book, part)
        debt, collateral = np.zeros_like(market), np.zeros_like(market)
        for rows in tiles:
            sums = _screen_tile(rows, oracle, market, exactly, deployments)
            debt += sums.debt
            collateral += sums.collateral
            outcome.liquidatable_accounts[:, here] += sums.accounts.astype(np.int64)
            outcome.bad_debt_usd[:, here] += sums.bad_debt
            outcome.edge_units[here] += sums.edge
        debt_usd, collateral_usd = _worth(debt, market), _worth(collateral, market)
        outcome.debt_at_risk_usd[:, here] = times(by_deployment, debt_usd)
        outcome.collateral_at_risk_usd[:, here] = times(by_deployment, collateral_usd)
        outcome.asset_debt_at_risk_usd[:, here] = times(by_asset, debt_usd)
        outcome.asset_collateral_at_risk_usd[:, here] = times(by_asset, collateral_usd)
    return outcome


def liquidatable_units(book: Book, scenario: Scenario, *, tile: int = 4096) -> Ints:
    """The units that `screen` counts in this scenario, ascending."""
    oracle, exactly = quote_prices(book, [scenario]), _exactly(book, [scenario])
    found = [
        rows.first + np.flatnonzero(_decide(rows, oracle, exactly)[0][:, 0])
        for rows in _tiles(book, tile)
    ]
    return np.concatenate([np.empty(0, dtype=np.int64), *found])


def _screen_tile(
    rows: Positions, oracle: Floats, market: Floats, exactly: Exactly, deployments: int
) -> _Sums:
    liquidatable, edge = _decide(rows, oracle, exactly)
    hit = np.flatnonzero(liquidatable.any(axis=1))
    mask = liquidatable[hit]
    weight = mask.astype(np.float64)
    debt, collateral = rows.debt[hit], rows.collateral[hit]
    # Units of quotes are summed and priced once at the end; only bad debt needs values by unit.
    uncovered = np.maximum(times(debt, market) - times(collateral, market), 0)
    by_deployment = indicator(rows.deployment[hit], deployments)
    return _Sums(
        debt=times(debt.T, weight),
        collateral=times(collateral.T, weight),
        accounts=times(by_deployment, weight),
        bad_debt=times(by_deployment, np.where(mask, uncovered, 0)),
        edge=edge,
    )


def _decide(rows: Positions, oracle: Floats, exactly: Exactly) -> tuple[Bools, Counts]:
    """Who is liquidatable (N, S), and how many decisions were made again exactly (S,)."""
    owed = times(rows.debt, oracle)
    margin = times(rows.backing, oracle) - owed
    decidable = rows.decidable[:, None]
    liquidatable = decidable & (margin < 0)
    # What the contract's own rounding may amount to: of each value, and of each balance.
    rounding = rows.guard[:, None] + times(rows.grain, np.nan_to_num(oracle))
    near = decidable & (np.abs(margin) <= EDGE * owed + rounding)
    if (oracle == 0).any():
        # What a contract does with a price of 0 is its own affair: many refuse to answer.
        near |= decidable & (times(rows.grain, (oracle == 0).astype(np.float64)) > 0)
    for unit, s in np.argwhere(near):
        liquidatable[unit, s] = exactly(rows.first + int(unit), int(s))
    return liquidatable, near.sum(axis=0, dtype=np.int64)


def _exactly(book: Book, scenarios: Sequence[Scenario]) -> Exactly:
    @cache
    def factors(deployment: int, s: int) -> Mapping[int, Fraction]:
        return oracle_factors(book, scenarios[s], deployment)

    def exactly(unit: int, s: int) -> bool:
        return book.edge.liquidatable(unit, factors(int(book.unit_deployment[unit]), s))

    return exactly


def _tiles(book: Book, size: int) -> Iterator[Positions]:
    for first in range(0, len(book.units), size):
        yield positions(book, first, first + size)


def _worth(units: Floats, price: Floats) -> Floats:
    """Nothing of an unknown price is worth nothing; something of it stays unknown."""
    return np.where(units == 0, 0.0, units * price)


def _nothing(scenarios: Sequence[Scenario], deployments: int, assets: int) -> Outcome:
    size = len(scenarios)
    return Outcome(
        scenarios=tuple(scenarios),
        liquidatable_accounts=np.zeros((deployments, size), dtype=np.int64),
        debt_at_risk_usd=np.zeros((deployments, size)),
        collateral_at_risk_usd=np.zeros((deployments, size)),
        bad_debt_usd=np.zeros((deployments, size)),
        asset_debt_at_risk_usd=np.zeros((assets, size)),
        asset_collateral_at_risk_usd=np.zeros((assets, size)),
        edge_units=np.zeros(size, dtype=np.int64),
    )
