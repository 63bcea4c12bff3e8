"""The report on one failure."""

from __future__ import annotations

from typing import Any

import numpy as np

from defirisk.contagion.failure.settle import Settled
from defirisk.graph.failure.path import Path
from defirisk.reports.contagion import parts, tables
from defirisk.reports.contagion.studied import Failed, Studied
from defirisk.reports.contagion.tables import known, told
from defirisk.reports.labels import token_label
from defirisk.reports.model import (
    Block,
    Note,
    Number,
    Numbers,
    Paragraph,
    Report,
    Run,
    Section,
    header_of,
)
from defirisk.reports.value import plural, show


def report(its: Studied, one: Failed, *, run: Run) -> Report:
    """Who is exposed, how much is lost, by which steps, who leaves first, how it ranks."""
    runs = parts.runs(its, one)
    lead: list[Block] = [Paragraph(_answer(its, one)), *_notes(one), _tiles(its, one)]
    lead += [parts.vaults(its, one), parts.picture(its, one)]
    return Report(
        title=f"Contagion from {told(its, one.subject)}",
        header=header_of(its.book, run),
        lead=tuple(lead),
        sections=(
            Section("steps", "How the loss travels", (parts.steps(one),)),
            *_after(one),
            Section("markets", "Markets that are exposed", (parts.markets(its, one),)),
            Section(
                "run",
                "Who leaves first, and who pays",
                (Paragraph(parts.RUN), parts.run_table(runs)),
            ),
            Section("rank", "Among all that can fail", (tables.rank(its, around=one.rank or 1),)),
            Section("assumptions", "Assumptions", tables.assumptions(its)),
        ),
        data=_data(its, one, runs),
        # Of what no vault is exposed to, the next table that has a row.
        csv="exposed" if one.vaults else "markets" if one.markets else "rank",
    )


def _after(one: Failed) -> tuple[Section, ...]:
    """What liquidations do then."""
    if one.played is None or one.sales is None:
        return ()
    count, rounds = one.played.liquidations, one.played.rounds
    said = Paragraph(
        f"{plural(count, 'liquidation')} in {plural(rounds, 'round')}, with those that today's "
        f"prices cause anyway. Others lose {show(one.loss, 'usd')}; if nothing were sold, it would "
        f"be {show(one.at_once, 'usd')}."
    )
    return (Section("sales", "What liquidations do then", (said, parts.sales(one.sales))),)


def _answer(its: Studied, one: Failed) -> str:
    count, total = len(one.vaults), sum(vault.exposed_usd for vault in one.vaults)
    bridges = sum(vault.is_bridge for vault in one.vaults)
    what = told(its, one.subject).replace(",", ", ")
    start = f"If {what} {'fail' if one.subject.kind == 'several' else 'fails'}, "
    start += (
        f"{plural(count, 'vault')} {'is' if count == 1 else 'are'} exposed with "
        f"{show(total, 'usd')}"
        if count
        else "no vault is exposed"
    )
    through = (
        f"; {bridges} of them lent to other markets, too, and so "
        f"{'carries' if bridges == 1 else 'carry'} the loss to who deposited because of those"
        if bridges
        else ""
    )
    return (
        f"{start}{through}. Others lose {show(one.loss, 'usd')} that is not paid back"
        f"{_already(its, one)}."
    )


def _already(its: Studied, one: Failed) -> str:
    """What today's prices have done to these markets already is no news of the failure."""
    now = _lost_in(its, one, its.settled, len(its.subjects))
    if not now > 1:
        return ""
    return f", beyond {show(now, 'usd')} that its markets lack already at today's market prices"


def _lost_in(its: Studied, one: Failed, settled: Settled, s: int) -> float:
    """Dollars that exposed markets cannot pay in one scenario."""
    rows = [market.row for market in one.markets]
    assets = [its.book.markets[m].asset for m in rows]
    lost = settled.uncovered[rows, s]
    return float(np.where(lost == 0, 0.0, lost * settled.prices[assets, s]).sum())


def _notes(one: Failed) -> list[Note]:
    unknown = int(one.settled.unknown[one.scenario])
    notes = []
    if unknown:
        text = (
            f"{plural(unknown, 'borrower')} cannot be valued, since a price is unknown: losses are "
            "lower bounds."
        )
        notes.append(Note("warning", text, "unpriced"))
    if one.played is not None and not one.played.ended:
        text = "The cascade did not end within the rounds allowed: losses are lower bounds."
        notes.append(Note("warning", text, "not-ended"))
    if not bool(one.settled.converged[one.scenario]):
        notes.append(Note("warning", "The loss had not settled: a lower bound.", "not-settled"))
    return notes


def _tiles(its: Studied, one: Failed) -> Numbers:
    exposed = sum(vault.exposed_usd for vault in one.vaults)
    bridges = sum(vault.is_bridge for vault in one.vaults)
    return Numbers(
        (
            Number(key="lost_usd", label="Others lose", value=one.loss, kind="usd", tone="loss"),
            Number(key="exposed_usd", label="Exposed in vaults", value=exposed, kind="usd"),
            Number(key="vaults", label="Vaults exposed", value=len(one.vaults), kind="int"),
            Number(key="bridges", label="Of them bridges", value=bridges, kind="int"),
            *([] if one.rank is None else [_rank(its, one.rank)]),
        )
    )


def _rank(its: Studied, rank: int) -> Number:
    note = f"of {len(its.subjects)} by what others lose"
    return Number(key="rank", label="Rank", value=rank, kind="int", note=note)


def _data(its: Studied, one: Failed, runs: list[dict[str, Any]]) -> dict[str, Any]:
    lost = parts.lost_by_vault(its, one)
    return {
        "failing": {
            "node": one.subject.node,
            "kind": one.subject.kind,
            "label": told(its, one.subject),
        },
        "engine": "static" if one.played is None else "cascade",
        "lost_usd": known(one.loss),
        "lost_at_once_usd": known(one.at_once),
        "rank": one.rank,
        "of": len(its.subjects),
        "exposed": [
            {
                "vault": token_label(its.book, vault.token),
                "address": vault.token,
                "exposed_usd": known(vault.exposed_usd),
                "share": known(vault.share),
                "total_usd": known(vault.total_usd),
                "lost_usd": known(lost.get(vault.token, 0.0)),
                "elsewhere_usd": known(vault.elsewhere_usd),
                "bridge": vault.is_bridge,
            }
            for vault in one.vaults
        ],
        "markets": [
            {
                "market": its.made.rows[market.row].id,
                "label": its.made.rows[market.row].label,
                "exposed_usd": known(market.exposed_usd),
                "share": known(market.share),
                "recovery": known(float(one.settled.recoveries[market.row, one.scenario])),
            }
            for market in one.markets
        ],
        "steps": _said(one.path),
        "sales": [] if one.sales is None else _said(one.sales),
        "run": runs,
        "ranking": tables.rank_data(its),
    }


def _said(path: Path) -> list[dict[str, Any]]:
    return [
        {
            "from": step.source,
            "to": step.target,
            "from_label": path.labels[step.source],
            "to_label": path.labels[step.target],
            "channel": step.channel,
            "value_usd": step.value_usd,
        }
        for step in path.steps
    ]
