"""What a change of parameters does: every scenario with and without it, and the change by itself.

Numbers are floats; `numbers.written` rounds what is written down.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from defirisk.contagion.screen import liquidatable_units
from defirisk.contagion.valuation import UNMOVED, health_factors, unit_collateral, unit_debt
from defirisk.core.book import Book
from defirisk.core.scenario import Scenario
from defirisk.governance.case import Case
from defirisk.governance.depth import liquidity
from defirisk.governance.losses import BASE, SAYS, SAYS_CASES, Losses, by_case
from defirisk.governance.oracle_line import ASSUMED, oracle_line
from defirisk.governance.power import Power, power
from defirisk.shocks.grammar import scenario

SCHEMA_VERSION = 1
_MEASURES = (
    "debt_at_risk_usd",
    "collateral_at_risk_usd",
    "liquidated_debt_usd",
    "liquidated_collateral_usd",
    "bad_debt_usd",
)
Cases = Mapping[str, Losses]
ASSUMPTIONS = (
    "Borrowing power and health factors are at the oracle prices of the block.",
    "Dollars of what is at risk are at the market prices of the scenario.",
    "Units within 1e-6 of the edge were decided by the contract's own integers, under both sets of "
    "parameters.",
    "What it costs and earns to lie about a price is that of the best attack on this market alone, "
    f"with up to {ASSUMED.capital_usd:,.0f} USD and {ASSUMED.controlled_blocks} blocks in a row of "
    "the attacker's own, all else as by defirisk oracle.",
)


def impact(case: Case) -> dict[str, Any]:
    """The whole of impact.json, before rounding."""
    before, after = case.book, case.after()
    scenarios = [scenario(name, texts, before) for name, texts in case.scenarios]
    without, with_it = (by_case(book, scenarios, case.engine) for book in (before, after))
    return {
        "schema_version": SCHEMA_VERSION,
        "chain_id": before.chain_id,
        "block": before.block.number,
        "block_hash": before.block.hash,
        "as_of": before.block.timestamp,
        "command": case.command,
        "deployment": before.deployments[case.deployment].name,
        "protocol": before.deployments[case.deployment].protocol,
        "engine": case.engine,
        "changes": list(_changes(case)),
        "borrowing_power": _power(power(before, case.deployment), power(after, case.deployment)),
        "caps": list(_caps(case)),
        "by_the_change_itself": by_itself(case),
        "scenarios": [
            _scenario(case, after, one, s, without, with_it) for s, one in enumerate(scenarios)
        ],
        "liquidity": list(liquidity(case, _sold(case, with_it[BASE]))),
        "oracle": list(oracle_line(case)),
        "proof": {facts.name: facts.proof for facts in before.deployments},
        "assumptions": [
            SAYS[case.engine],
            *([SAYS_CASES] if case.engine == "cascade" else []),
            *ASSUMPTIONS,
        ],
    }


def _changes(case: Case) -> Iterator[dict[str, Any]]:
    for change in case.changes:
        for term, today, proposed in change.changed():
            yield {
                "asset": change.asset,
                "symbol": change.symbol,
                "parameter": term,
                "current": today,
                "recommended": proposed,
            }


def _power(before: Power, after: Power) -> dict[str, Any]:
    def said(one: Power) -> dict[str, Any]:
        return {
            "total_usd": one.total_usd,
            "used_usd": one.used_usd,
            "free_usd": one.free_usd,
            "accounts_above_their_ltv": one.above,
        }

    return {
        "before": said(before),
        "after": said(after),
        "change_usd": after.total_usd - before.total_usd,
        "free_change_usd": after.free_usd - before.free_usd,
    }


def _caps(case: Case) -> Iterator[dict[str, Any]]:
    for change in case.changes:
        market = next(
            one
            for one in case.book.markets
            if one.deployment == case.deployment
            and case.book.assets[one.asset].address == change.asset
        )
        for name, used in (("supply_cap", market.supplied), ("borrow_cap", market.borrowed)):
            if not change.is_any(name):
                continue
            cap = int(getattr(change.after, name))
            yield {
                "asset": change.asset,
                "cap": name,
                "before": int(getattr(change.before, name)),
                "after": cap,
                "used": used,
                "used_usd": used * market.price_usd,
                "room": max(cap - used, 0.0) if cap else None,
                "below_use": bool(cap) and used > cap,
            }


def by_itself(case: Case) -> dict[str, Any]:
    """Whom the change makes liquidatable at today's prices, whom it frees, and who is already."""
    before, after = case.book, case.after()
    today, then = (liquidatable_now(book, case.deployment) for book in (before, after))
    made = list(_units(before, after, then - today))
    return {
        "accounts": len(made),
        "debt_usd": sum((unit["debt_usd"] for unit in made), 0.0),
        "collateral_usd": sum((unit["collateral_usd"] for unit in made), 0.0),
        "units": made,
        "no_longer": [unit["unit"] for unit in _units(before, after, today - then)],
        "already": [unit["unit"] for unit in _units(before, after, today & then)],
    }


def liquidatable_now(book: Book, deployment: int) -> set[int]:
    """The units of a deployment that can be liquidated at today's prices."""
    units = liquidatable_units(book, UNMOVED)
    return set(units[book.unit_deployment[units] == deployment].tolist())


def _units(before: Book, after: Book, units: set[int]) -> Iterator[dict[str, Any]]:
    """The largest debts first."""
    if not units:
        return
    debt, collateral = unit_debt(before), unit_collateral(before)
    healths = health_factors(before), health_factors(after)
    for unit in sorted(units, key=lambda u: (-debt[u], before.units[u])):
        yield {
            "unit": before.units[unit],
            "debt_usd": float(debt[unit]),
            "collateral_usd": float(collateral[unit]),
            "health_factor_before": float(healths[0][unit]),
            "health_factor_after": float(healths[1][unit]),
        }


def _scenario(
    case: Case, after: Book, one: Scenario, s: int, without: Cases, with_it: Cases
) -> dict[str, Any]:
    """The base case as the scenario's own numbers, and all cases that were played."""
    others = [d for d in range(len(case.book.deployments)) if d != case.deployment]

    def compared(name: str, deployment: int) -> dict[str, Any]:
        before = _measured(without[name], [deployment], s)
        then = _measured(with_it[name], [deployment], s)
        return {"before": before, "after": then, "change": _minus(then, before)}

    def rounds(name: str) -> dict[str, int]:
        return {"before": int(without[name].rounds[s]), "after": int(with_it[name].rounds[s])}

    return {
        "name": one.name,
        "shocks": list(one.shocks),
        **compared(BASE, case.deployment),
        "cases": {
            name: {**compared(name, case.deployment), "rounds": rounds(name)} for name in with_it
        },
        "spill_over": {
            "deployments": [
                {"deployment": case.book.deployments[d].name, **compared(BASE, d)} for d in others
            ],
            **_shared(case, after, one),
        },
        "rounds": rounds(BASE),
        "decided_exactly": int(with_it[BASE].decided_exactly[s]),
    }


def _measured(outcome: Losses, deployments: Sequence[int], s: int) -> dict[str, Any]:
    return {
        "liquidatable_accounts": int(outcome.liquidatable_accounts[deployments, s].sum()),
        **{name: float(getattr(outcome, name)[deployments, s].sum()) for name in _MEASURES},
    }


def _minus(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {name: one[name] - other[name] for name in one}


def _shared(case: Case, after: Book, one: Scenario) -> dict[str, Any]:
    """Whom the change makes liquidatable in this scenario, and what they owe elsewhere."""
    book = case.book
    today = set(liquidatable_units(book, one).tolist())
    more = sorted(set(liquidatable_units(after, one).tolist()) - today)
    owners = np.unique(book.unit_owner[more]) if more else np.empty(0, dtype=np.int64)
    debt = unit_debt(book)
    elsewhere = np.isin(book.unit_owner, owners) & (book.unit_deployment != case.deployment)
    elsewhere &= np.nan_to_num(debt) > 0
    return {
        "more_liquidatable": len(more),
        "who_also_owe_elsewhere": len(np.unique(book.unit_owner[elsewhere])),
        "their_debt_elsewhere_usd": float(np.nansum(debt[elsewhere])),
    }


def _sold(case: Case, outcome: Losses) -> dict[str, float]:
    """The most of each changed asset that is at risk in any scenario, USD."""
    place = {asset.address: a for a, asset in enumerate(case.book.assets)}
    at_risk = outcome.asset_at_risk_usd
    return {
        change.asset: float(at_risk[place[change.asset]].max()) if at_risk.shape[1] else 0.0
        for change in case.changes
    }
