"""What scenarios do to a book, as `defirisk stress` prints it. Static: no liquidation is played.

With `--cascade` it is `reports.cascade` that builds the report, of the same parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from defirisk.core.book import Book
from defirisk.core.outcome import Outcome
from defirisk.reports.findings import finding_notes
from defirisk.reports.labels import asset_label
from defirisk.reports.model import (
    Block,
    Column,
    Number,
    Numbers,
    Paragraph,
    Report,
    Run,
    Table,
    Value,
    header_of,
)
from defirisk.reports.value import plural, show

DETAILED_SCENARIOS = 12
AMOUNTS = (
    Column("debt_at_risk_usd", "Debt at risk", "usd"),
    Column("collateral_at_risk_usd", "Collateral at risk", "usd"),
    Column("bad_debt_usd", "Bad debt", "usd", "loss"),
)
COUNT = Column("liquidatable_accounts", "Accounts", "int")
TOTALS = (COUNT, *AMOUNTS)


def build(
    book: Book, outcome: Outcome, *, run: Run, accounts: Sequence[tuple[str, str]] = ()
) -> Report:
    """The report; `accounts` are (scenario, account) pairs to list, `run` says how to repeat it."""
    scenarios = _scenarios(book, outcome)
    shocks = tuple(dict.fromkeys(text for one in outcome.scenarios for text in one.shocks))
    lead: list[Block] = [Paragraph(_answer(scenarios)), *finding_notes(book)]
    if len(scenarios) == 1:
        lead.append(_tiles(scenarios[0]["totals"]))
    else:
        lead.append(table("scenarios", "Scenarios", (NAME, *TOTALS), _totals(scenarios)))
    lead += _details(scenarios)
    data: dict[str, Any] = {
        "scenarios": scenarios,
        "unpriced_accounts": int(book.unpriced.sum()),
    }
    if accounts:
        lead.append(account_table(accounts))
        data["accounts"] = [{"scenario": name, "account": unit} for name, unit in accounts]
    return Report(
        title="Stress test",
        header=header_of(book, run, shocks),
        lead=tuple(lead),
        data=data,
    )


NAME = Column("scenario", "Scenario", "text")


def _scenarios(book: Book, outcome: Outcome) -> list[dict[str, Any]]:
    """The shape that other programs rely on."""
    return [
        {
            "name": scenario.name,
            "shocks": list(scenario.shocks),
            "totals": measures(
                int(outcome.liquidatable_accounts[:, s].sum()),
                float(outcome.debt_at_risk_usd[:, s].sum()),
                float(outcome.collateral_at_risk_usd[:, s].sum()),
                float(outcome.bad_debt_usd[:, s].sum()),
            ),
            "by_protocol": _by_protocol(book, outcome, s),
            "by_asset": _by_asset(book, outcome, s),
            "edge_accounts": int(outcome.edge_units[s]),
        }
        for s, scenario in enumerate(outcome.scenarios)
    ]


def measures(
    accounts: int | None,
    debt: float,
    collateral: float,
    bad_debt: float | None,
    liquidated: tuple[float, float] = (0.0, 0.0),
    rounds: int = 0,
) -> dict[str, Any]:
    """All seven measures; `liquidated` debt and collateral are 0 without the cascade, and so are
    the rounds. None: not known so finely.
    """
    return {
        "liquidatable_accounts": accounts,
        "debt_at_risk_usd": debt,
        "collateral_at_risk_usd": collateral,
        "liquidated_debt_usd": liquidated[0],
        "liquidated_collateral_usd": liquidated[1],
        "bad_debt_usd": bad_debt,
        "rounds": rounds,
    }


def _by_protocol(book: Book, outcome: Outcome, s: int) -> list[dict[str, Any]]:
    return [
        {
            "protocol": facts.name,
            "market": single_market(book, d),
            "kind": facts.protocol,
            **measures(
                int(outcome.liquidatable_accounts[d, s]),
                float(outcome.debt_at_risk_usd[d, s]),
                float(outcome.collateral_at_risk_usd[d, s]),
                float(outcome.bad_debt_usd[d, s]),
            ),
        }
        for d, facts in enumerate(book.deployments)
    ]


def single_market(book: Book, deployment: int) -> str:
    """The deployment's market where it has only one; the outcome does not tell more apart."""
    quotes = np.flatnonzero(book.quote_deployment == deployment)
    names = {book.quote_market[int(q)] for q in quotes}
    return names.pop() if len(names) == 1 else ""


def _by_asset(book: Book, outcome: Outcome, s: int) -> list[dict[str, Any]]:
    debt = outcome.asset_debt_at_risk_usd[:, s]
    collateral = outcome.asset_collateral_at_risk_usd[:, s]
    order = np.argsort(-np.nan_to_num(debt + collateral, nan=np.inf), kind="stable")
    return [
        {
            "asset": asset_label(book, int(a)),
            "address": book.assets[int(a)].address,
            **measures(None, float(debt[a]), float(collateral[a]), None),
        }
        for a in order
        if debt[a] != 0 or collateral[a] != 0
    ]


def _answer(scenarios: list[dict[str, Any]]) -> str:
    if not scenarios:
        return "No scenario was given."
    worst = max(
        scenarios, key=lambda one: (_rank(one, "bad_debt_usd"), _rank(one, "debt_at_risk_usd"))
    )
    totals = worst["totals"]
    which = "In this scenario" if len(scenarios) == 1 else f"Worst of {len(scenarios)} scenarios"
    start = f"{which} ({worst['name']}): "
    if totals["liquidatable_accounts"] == 0:
        return start + "no account can be liquidated."
    bad_debt = totals["bad_debt_usd"]
    return (
        f"{start}{plural(totals['liquidatable_accounts'], 'account')} can be liquidated, owing "
        f"{show(totals['debt_at_risk_usd'], 'usd')} against collateral worth "
        f"{show(totals['collateral_at_risk_usd'], 'usd')}; "
        + (
            "their collateral covers all of it."
            if bad_debt == 0
            else f"{show(bad_debt, 'usd')} of that debt is not covered."
        )
        + " Prices are as shocked; no liquidation is played through."
    )


def _rank(scenario: dict[str, Any], key: str) -> float:
    value = float(scenario["totals"][key])
    return np.inf if np.isnan(value) else value


def _tiles(totals: dict[str, Any]) -> Numbers:
    return Numbers(
        tuple(
            Number(
                key=one.key, label=one.label, value=totals[one.key], kind=one.kind, tone=one.tone
            )
            for one in TOTALS
        )
    )


def _totals(scenarios: list[dict[str, Any]]) -> list[tuple[Value, ...]]:
    return [(one["name"], *cells(one["totals"], TOTALS)) for one in scenarios]


def _details(scenarios: list[dict[str, Any]]) -> list[Block]:
    """By deployment and by asset, of the first scenarios; JSON has them all."""
    several = len(scenarios) > 1
    shown = scenarios[:DETAILED_SCENARIOS]
    by_protocol = (Column("protocol", "Deployment", "text"), *TOTALS)
    by_asset = (
        Column("asset", "Asset", "text"),
        Column("address", "Token", "address"),
        *AMOUNTS[:2],
    )
    blocks: list[Block] = []
    for name, title, columns in (
        ("by_protocol", "By deployment", by_protocol),
        ("by_asset", "By asset", by_asset),
    ):
        rows: list[tuple[Value, ...]] = [
            (*([one["name"]] if several else []), *cells(entry, columns))
            for one in shown
            for entry in one[name]
        ]
        blocks.append(table(name, title, (*([NAME] if several else []), *columns), rows))
    return blocks


def cells(record: dict[str, Any], columns: Sequence[Column]) -> tuple[Value, ...]:
    return tuple(record[column.key] for column in columns)


def table(
    name: str, title: str, columns: Sequence[Column], rows: Sequence[tuple[Value, ...]]
) -> Table:
    empty = "nothing is at risk"
    return Table(name=name, title=title, columns=tuple(columns), rows=tuple(rows), empty=empty)


def account_table(accounts: Sequence[tuple[str, str]]) -> Table:
    columns = (NAME, Column("account", "Account", "address"))
    return table("accounts", "Accounts that can be liquidated", columns, list(accounts))
