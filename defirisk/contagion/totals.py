"""From units of quotes to an outcome: priced once, summed by deployment and by asset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from defirisk.contagion.valuation import indicator, times
from defirisk.core.book import Book, Floats
from defirisk.core.outcome import Counts, Outcome
from defirisk.core.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What the liquidatable units of a book add up to, before quotes are priced."""

    debt: Floats  # (Q, S), units of quotes owed by liquidatable units
    collateral: Floats  # (Q, S)
    accounts: Counts  # (D, S)
    bad_debt: Floats  # (D, S), USD
    edge: Counts  # (S,)


def nothing(book: Book, size: int) -> Sums:
    """The sums of no unit at all in `size` scenarios."""
    quotes, deployments = len(book.quote_asset), len(book.deployments)
    return Sums(
        debt=np.zeros((quotes, size)),
        collateral=np.zeros((quotes, size)),
        accounts=np.zeros((deployments, size), dtype=np.int64),
        bad_debt=np.zeros((deployments, size)),
        edge=np.zeros(size, dtype=np.int64),
    )


def priced(book: Book, scenarios: Sequence[Scenario], sums: Sums, market: Floats) -> Outcome:
    """The outcome that these sums mean at market prices of quotes (Q, S)."""
    by_deployment = indicator(book.quote_deployment, len(book.deployments))
    by_asset = indicator(book.quote_asset, len(book.assets))
    debt, collateral = _worth(sums.debt, market), _worth(sums.collateral, market)
    return Outcome(
        scenarios=tuple(scenarios),
        liquidatable_accounts=sums.accounts,
        debt_at_risk_usd=times(by_deployment, debt),
        collateral_at_risk_usd=times(by_deployment, collateral),
        bad_debt_usd=sums.bad_debt,
        asset_debt_at_risk_usd=times(by_asset, debt),
        asset_collateral_at_risk_usd=times(by_asset, collateral),
        edge_units=sums.edge,
    )


def taken(outcome: Outcome, order: Counts) -> Outcome:
    """The outcome with its scenarios in this order."""
    return Outcome(
        scenarios=tuple(outcome.scenarios[int(s)] for s in order),
        liquidatable_accounts=outcome.liquidatable_accounts[:, order],
        debt_at_risk_usd=outcome.debt_at_risk_usd[:, order],
        collateral_at_risk_usd=outcome.collateral_at_risk_usd[:, order],
        bad_debt_usd=outcome.bad_debt_usd[:, order],
        asset_debt_at_risk_usd=outcome.asset_debt_at_risk_usd[:, order],
        asset_collateral_at_risk_usd=outcome.asset_collateral_at_risk_usd[:, order],
        edge_units=outcome.edge_units[order],
    )


def joined(parts: Sequence[Outcome]) -> Outcome:
    """Outcomes of one book side by side on the scenario axis; there is at least one."""

    def rows(name: str) -> Floats:
        return np.concatenate([getattr(part, name) for part in parts], axis=-1)

    return Outcome(
        scenarios=tuple(scenario for part in parts for scenario in part.scenarios),
        liquidatable_accounts=rows("liquidatable_accounts").astype(np.int64),
        debt_at_risk_usd=rows("debt_at_risk_usd"),
        collateral_at_risk_usd=rows("collateral_at_risk_usd"),
        bad_debt_usd=rows("bad_debt_usd"),
        asset_debt_at_risk_usd=rows("asset_debt_at_risk_usd"),
        asset_collateral_at_risk_usd=rows("asset_collateral_at_risk_usd"),
        edge_units=rows("edge_units").astype(np.int64),
    )


def plus(one: Outcome, other: Outcome) -> Outcome:
    """The outcome of units of a book and of others of it, in the same scenarios."""
    return Outcome(
        scenarios=one.scenarios,
        liquidatable_accounts=one.liquidatable_accounts + other.liquidatable_accounts,
        debt_at_risk_usd=one.debt_at_risk_usd + other.debt_at_risk_usd,
        collateral_at_risk_usd=one.collateral_at_risk_usd + other.collateral_at_risk_usd,
        bad_debt_usd=one.bad_debt_usd + other.bad_debt_usd,
        asset_debt_at_risk_usd=one.asset_debt_at_risk_usd + other.asset_debt_at_risk_usd,
        asset_collateral_at_risk_usd=(
            one.asset_collateral_at_risk_usd + other.asset_collateral_at_risk_usd
        ),
        edge_units=one.edge_units + other.edge_units,
    )


def _worth(units: Floats, price: Floats) -> Floats:
    """Nothing of an unknown price is worth nothing; something of it stays unknown."""
    return np.where(units == 0, 0.0, units * price)
