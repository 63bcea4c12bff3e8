"""What a cascade did, in the shape that other programs rely on."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from defirisk.contagion.cascade.outcome import CascadeOutcome
from defirisk.contagion.cascade.state import IN_POOLS, PROTOCOL_FEES, REFUSED
from defirisk.contagion.failure.losses import whole_assets
from defirisk.core.book import Book
from defirisk.core.outcome import Outcome
from defirisk.core.scenario import conversions
from defirisk.reports.cascade.cases import NAMES, Cases
from defirisk.reports.labels import asset_label, token_label
from defirisk.reports.stress import measures, single_market


def scenario_records(book: Book, screened: Outcome, cases: Cases) -> list[dict[str, Any]]:
    """One record for each scenario. What is at risk is that of the static screen."""
    return [
        {
            "name": scenario.name,
            "shocks": list(scenario.shocks),
            "totals": _totals(screened, cases.base, s),
            "totals_low": _totals(screened, cases.outcomes["low"], s),
            "totals_high": _totals(screened, cases.outcomes["high"], s),
            "depth_known": float(cases.base.depth_known[s]),
            "accounts_at_once": int(screened.liquidatable_accounts[:, s].sum()),
            "liquidations": {n: int(cases.outcomes[n].liquidations[s]) for n in NAMES},
            "refused": {n: refused(cases.outcomes[n], s) for n in NAMES},
            "ended": {n: bool(cases.outcomes[n].ended[s]) for n in NAMES},
            "by_protocol": _by_protocol(book, screened, cases.base, s),
            "by_asset": _by_asset(book, screened, cases.base, s),
            "who_pays": {n: who_pays(cases.outcomes[n], s) for n in NAMES},
            "vaults": _vaults(book, cases, s),
            "price_path": _price_path(book, cases.base, s),
            "edge_accounts": int(screened.edge_units[s]),
        }
        for s, scenario in enumerate(screened.scenarios)
    ]


def refused(outcome: CascadeOutcome, s: int) -> int | None:
    """How often a unit could be liquidated and no keeper did, round by round; None: not counted,
    since machine code played it.
    """
    return int(outcome.states[s].totals[REFUSED]) if outcome.states else None


def who_pays(outcome: CascadeOutcome, s: int) -> dict[str, float]:
    """Who lost what, in USD. What borrowers lose beyond what was repaid for them is what protocols,
    keepers, gas and the pools together get; what is not repaid at all, lenders lose.
    """
    penalty = float(outcome.penalty_usd[:, s].sum())
    fees = float(outcome.protocol_fees_usd[:, s].sum())
    keepers, gas = float(outcome.keepers_usd[s]), float(outcome.gas_usd[s])
    return {
        "borrowers_penalty_usd": penalty,
        "protocols_fees_usd": fees,
        "keepers_profit_usd": keepers,
        "gas_usd": gas,
        "pools_slippage_usd": penalty - fees - keepers - gas,
        "lenders_written_off_usd": float(outcome.written_off_usd[:, s].sum()),
        "uncovered_usd": float(outcome.uncovered_usd[:, s].sum()),
    }


def _totals(screened: Outcome, outcome: CascadeOutcome, s: int) -> dict[str, Any]:
    return measures(
        int(outcome.liquidatable_accounts[:, s].sum()),
        float(screened.debt_at_risk_usd[:, s].sum()),
        float(screened.collateral_at_risk_usd[:, s].sum()),
        float(outcome.bad_debt_usd[:, s].sum()),
        (
            float(outcome.liquidated_debt_usd[:, s].sum()),
            float(outcome.liquidated_collateral_usd[:, s].sum()),
        ),
        int(outcome.rounds[s]),
    )


def _by_protocol(
    book: Book, screened: Outcome, outcome: CascadeOutcome, s: int
) -> list[dict[str, Any]]:
    """The rounds are the scenario's: all deployments are played together."""
    return [
        {
            "protocol": facts.name,
            "market": single_market(book, d),
            "kind": facts.protocol,
            **measures(
                int(outcome.liquidatable_accounts[d, s]),
                float(screened.debt_at_risk_usd[d, s]),
                float(screened.collateral_at_risk_usd[d, s]),
                float(outcome.bad_debt_usd[d, s]),
                (
                    float(outcome.liquidated_debt_usd[d, s]),
                    float(outcome.liquidated_collateral_usd[d, s]),
                ),
                int(outcome.rounds[s]),
            ),
            "written_off_usd": float(outcome.written_off_usd[d, s]),
            "uncovered_usd": float(outcome.uncovered_usd[d, s]),
            "penalty_usd": float(outcome.penalty_usd[d, s]),
            "protocol_fees_usd": float(outcome.protocol_fees_usd[d, s]),
        }
        for d, facts in enumerate(book.deployments)
    ]


def _by_asset(
    book: Book, screened: Outcome, outcome: CascadeOutcome, s: int
) -> list[dict[str, Any]]:
    """Whatever is at risk, was liquidated or is not covered, the largest first."""
    columns = np.stack(
        [
            screened.asset_debt_at_risk_usd[:, s],
            screened.asset_collateral_at_risk_usd[:, s],
            outcome.asset_debt_usd[:, s],
            outcome.asset_collateral_usd[:, s],
            outcome.asset_bad_debt_usd[:, s],
        ]
    )
    size = np.nan_to_num(columns, nan=np.inf).max(axis=0)
    order = [int(a) for a in np.argsort(-size, kind="stable") if size[a] != 0]
    return [
        {
            "asset": asset_label(book, a),
            "address": book.assets[a].address,
            **measures(
                None,
                float(columns[0, a]),
                float(columns[1, a]),
                float(columns[4, a]),
                (float(columns[2, a]), float(columns[3, a])),
                int(outcome.rounds[s]),
            ),
            "sold_in_pools_usd": float(outcome.asset_in_pools_usd[a, s]),
            "depth_known": _depth_known(outcome, a, s),
        }
        for a in order
    ]


def _depth_known(outcome: CascadeOutcome, a: int, s: int) -> float | None:
    """The part of what keepers seized of an asset that was sold in indexed pools; None where
    nothing was, or where machine code did not write down the protocols' part of it.
    """
    if not outcome.states:
        return None
    seized = float(outcome.asset_collateral_usd[a, s])
    seized -= float(outcome.states[s].by_asset[a, PROTOCOL_FEES])
    return float(outcome.states[s].by_asset[a, IN_POOLS]) / seized if seized > 0 else None


def _price_path(book: Book, outcome: CascadeOutcome, s: int) -> list[dict[str, Any]]:
    """Market prices as each round began, and at the end, of assets that moved in between; those
    that moved most, first.
    """
    path = outcome.paths[s]
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.nan_to_num(np.abs(path / path[0] - 1), nan=0.0, posinf=np.inf).max(axis=0)
    return [
        {
            "asset": asset_label(book, int(a)),
            "address": book.assets[int(a)].address,
            "moved": float(path[-1, a] / path[0, a] - 1) if path[0, a] > 0 else None,
            "prices_usd": path[:, a].tolist(),
        }
        for a in np.argsort(-moved, kind="stable")
        if moved[a] > 0
    ]


def _vaults(book: Book, cases: Cases, s: int) -> list[dict[str, Any]]:
    """What a share of each vault converts to at the end, in whole tokens, and the part of it that
    was lost since before the shock.
    """
    shock = conversions(book, cases.base.scenarios[s].moves)
    place = {asset.address: a for a, asset in enumerate(book.assets)}
    found = []
    for token, factors in cases.vault_factors.items():
        claim = book.sources.claims[token]
        left = float(shock.get(token, 1)) * float(factors[s])
        loss = 1 - min(left, 1.0)  # NaN comes first, so it stays
        asset = place.get(claim.underlying)
        price = math.nan if asset is None else float(cases.base.paths[s][-1, asset])
        found.append(
            {
                "vault": token_label(book, token),
                "address": token,
                "share_price": None if claim.rate is None else float(claim.rate) * left,
                "loss": loss,
                "loss_usd": loss * whole_assets(book, claim) * price if loss else 0.0,
            }
        )
    return found
