"""The report on one failure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from defirisk.contagion.failure.losses import vault_usd
from defirisk.contagion.failure.settle import Settled, fail
from defirisk.core.evm import Address
from defirisk.graph.model import Edge, EdgeKind, Graph, Node
from defirisk.reports.contagion import tables
from defirisk.reports.contagion.studied import Failed, Studied
from defirisk.reports.contagion.tables import known, told
from defirisk.reports.labels import token_label
from defirisk.reports.model import (
    Block,
    Column,
    Note,
    Number,
    Numbers,
    Paragraph,
    Report,
    Run,
    Section,
    Table,
    Value,
    header_of,
)
from defirisk.reports.network import network
from defirisk.reports.value import plural, show

RUNS = (0.0, 0.1, 0.25, 0.5)
"""Which part of a vault's assets is asked back before the loss is known."""
STEPS = 60
_EDGES: dict[str, EdgeKind] = {
    "failure": "contains",
    "claim": "wraps",
    "collateral price": "lists",
    "bad debt": "debt",
    "allocation": "allocates",
    "deposits": "holds",
    "share price": "issues",
    "shares": "holds",
    "equity": "collateral",
}


def report(its: Studied, one: Failed, *, run: Run) -> Report:
    """Who is exposed, how much is lost, by which steps, who leaves first, how it ranks."""
    runs = _runs(its, one)
    lead: list[Block] = [Paragraph(_answer(its, one)), *_notes(its, one), _tiles(its, one)]
    lead += [_vaults(its, one), _picture(its, one)]
    return Report(
        title=f"Contagion from {told(its, one.subject.node)}",
        header=header_of(its.book, run),
        lead=tuple(lead),
        sections=(
            Section("steps", "How the loss travels", (_steps(one),)),
            Section("markets", "Markets that are exposed", (_markets(its, one),)),
            Section("run", "Who leaves first, and who pays", (Paragraph(_RUN), _run_table(runs))),
            Section("rank", "Among all that can fail", (tables.rank(its, around=one.rank or 1),)),
            Section("assumptions", "Assumptions", (Paragraph(tables.ASSUMPTIONS),)),
        ),
        data=_data(its, one, runs),
        csv="exposed",
    )


def _answer(its: Studied, one: Failed) -> str:
    exposed = [vault for vault in one.vaults if not vault.exposed_usd == 0]
    bridges = sum(vault.is_bridge for vault in exposed)
    total = sum(vault.exposed_usd for vault in exposed)
    what = told(its, one.subject.node)
    start = (
        f"If {what} fails, {plural(len(exposed), 'vault')} with {show(total, 'usd')} in it "
        f"{'is' if len(exposed) == 1 else 'are'} exposed"
        if exposed
        else f"If {what} fails, no vault is exposed"
    )
    through = (
        f"; {bridges} of them also {'lends' if bridges == 1 else 'lend'} elsewhere and so carry the "
        "loss to depositors of sound markets"
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


def _notes(its: Studied, one: Failed) -> list[Note]:
    unknown = int(one.settled.unknown[one.scenario])
    notes = []
    if unknown:
        text = (
            f"{plural(unknown, 'borrower')} cannot be valued, since a price is unknown: losses are "
            "lower bounds."
        )
        notes.append(Note("warning", text, "unpriced"))
    empty = [m for m in one.markets if _is_blind(its, m.row)]
    if empty:
        text = (
            f"Of {plural(len(empty), 'exposed market')} no borrower is known: what would be lost "
            "there is unknown, and at most what is exposed."
        )
        notes.append(Note("warning", text, "no-borrowers"))
    if not bool(one.settled.converged[one.scenario]):
        notes.append(Note("warning", "The loss had not settled: a lower bound.", "not-settled"))
    return notes


def _is_blind(its: Studied, row: int) -> bool:
    facts = its.book.markets[row]
    return facts.supplied > 0 and math.isnan(facts.borrowed)


def _tiles(its: Studied, one: Failed) -> Numbers:
    exposed = sum(vault.exposed_usd for vault in one.vaults)
    bridges = sum(vault.is_bridge for vault in one.vaults)
    return Numbers(
        (
            Number(key="lost_usd", label="Others lose", value=one.loss, kind="usd", tone="loss"),
            Number(key="exposed_usd", label="Exposed in vaults", value=exposed, kind="usd"),
            Number(key="vaults", label="Vaults exposed", value=len(one.vaults), kind="int"),
            Number(key="bridges", label="Of them bridges", value=bridges, kind="int"),
            Number(
                key="rank",
                label="Rank",
                value=one.rank,
                kind="int",
                note=f"of {len(its.subjects)} by what others lose",
            ),
        )
    )


def _lost_by_vault(its: Studied, one: Failed) -> dict[Address, float]:
    usd = vault_usd(its.book, one.settled)[:, one.scenario].tolist()
    return dict(zip(one.settled.claims, usd, strict=True))


def _vaults(its: Studied, one: Failed) -> Table:
    lost = _lost_by_vault(its, one)
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (
            token_label(its.book, vault.token),
            vault.token,
            vault.exposed_usd,
            vault.share,
            vault.total_usd,
            lost.get(vault.token, 0.0),
            vault.elsewhere_usd,
            vault.is_bridge,
        )
        for vault in one.vaults
    )
    return Table(
        name="exposed",
        title="Vaults that are exposed",
        columns=(
            Column("vault", "Vault", "prose"),
            Column("address", "Address", "address", detail=True),
            Column("exposed_usd", "Exposed", "usd"),
            Column("share", "Of its assets", "percent"),
            Column("total_usd", "Assets", "usd"),
            Column("lost_usd", "Lost", "usd", "loss"),
            Column("elsewhere_usd", "Lent elsewhere", "usd", detail=True),
            Column("bridge", "Bridge", "text"),
        ),
        rows=rows,
        caption="Lost: at market prices, with what is lost already. A bridge has lent to other "
        "markets, too: who deposited because of those pays for this one.",
        empty="no vault has money in what takes it as collateral",
    )


def _markets(its: Studied, one: Failed) -> Table:
    s = one.scenario
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (
            its.made.rows[market.row].label,
            its.made.rows[market.row].supplied_usd,
            market.exposed_usd,
            market.share,
            _lost_here(one, market.row, its.book.markets[market.row].asset),
            float(one.settled.recoveries[market.row, s]),
        )
        for market in one.markets
    )
    return Table(
        name="markets",
        title="",
        columns=(
            Column("market", "Market", "prose"),
            Column("deposits_usd", "Deposits", "usd"),
            Column("exposed_usd", "Exposed", "usd"),
            Column("share", "Of deposits", "percent"),
            Column("uncovered_usd", "Not paid back", "usd", "loss"),
            Column("recovery", "Lenders get", "percent"),
        ),
        rows=rows,
        empty="no market takes it",
    )


def _lost_here(one: Failed, row: int, asset: int) -> float:
    lost = float(one.settled.uncovered[row, one.scenario])
    return 0.0 if lost == 0 else lost * float(one.settled.prices[asset, one.scenario])


def _steps(one: Failed) -> Table:
    labels = one.path.labels
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (labels[step.source], labels[step.target], step.channel, step.value_usd)
        for step in one.path.steps[:STEPS]
    )
    more = len(one.path.steps) - len(rows)
    return Table(
        name="steps",
        title="",
        columns=(
            Column("from", "From", "prose"),
            Column("to", "To", "prose"),
            Column("channel", "Channel", "text"),
            Column("value_usd", "Dollars", "usd"),
        ),
        rows=rows,
        caption=f"{plural(more, 'later step')} in the JSON." if more > 0 else "",
        empty="nothing that is indexed takes it as collateral or is a claim on it",
    )


_RUN = (
    "Depositors who leave before the loss is known are paid in full, from what is idle and from the "
    "cash of the vault's markets in its own order; those who stay bear all of it. The multiplier is "
    "the assets of before over those that stayed."
)


def _runs(its: Studied, one: Failed) -> list[dict[str, Any]]:
    """For every vault that loses something and every part that wants to leave."""
    scenarios = [one.subject.scenario] * len(RUNS)
    found = fail(its.book, scenarios, run=np.array(RUNS))
    rates = {token: claim.rate for token, claim in its.book.sources.claims.items()}
    places = {token: k for k, token in enumerate(found.claims)}
    rows: list[dict[str, Any]] = []
    for vault in one.vaults:
        k, rate = places.get(vault.token), rates.get(vault.token)
        if k is None or rate is None:
            continue
        for s, asked in enumerate(RUNS):
            left, paid = float(found.left[k, s]), float(found.paid[k, s])
            rows.append(
                {
                    "vault": token_label(its.book, vault.token),
                    "address": vault.token,
                    "asked": asked,
                    "paid": paid,
                    "share_price": float(rate) * left,
                    "lost_share": 1 - left,
                    "multiplier": 1 / (1 - paid) if paid < 1 else None,
                }
            )
    return [row for row in rows if row["lost_share"] > 1e-9]


def _run_table(runs: list[dict[str, Any]]) -> Table:
    keys = ("vault", "asked", "paid", "share_price", "lost_share", "multiplier")
    return Table(
        name="run",
        title="",
        columns=(
            Column("vault", "Vault", "prose"),
            Column("asked", "Want out", "percent"),
            Column("paid", "Get out", "percent"),
            Column("share_price", "Share converts to", "token"),
            Column("lost_share", "Who stays loses", "percent", "loss"),
            Column("multiplier", "Multiplier", "number", absent="nobody stays"),
        ),
        rows=tuple(tuple(row[key] for key in keys) for row in runs),
        empty="no vault loses anything in its markets",
    )


def _picture(its: Studied, one: Failed) -> Block:
    """The nodes of the path and the steps between them."""
    known_nodes = {node.id: node for node in its.made.graph.nodes}
    nodes = [
        known_nodes.get(id)
        or Node(id=id, kind="owner" if "/" in id else "asset", label=label, value_usd=None)
        for id, label in one.path.labels.items()
    ]
    lines: dict[tuple[str, str, EdgeKind], Edge] = {}
    for step in one.path.steps:
        kind = _EDGES[step.channel]
        key = (step.source, step.target, kind)
        lines.setdefault(
            key,
            Edge(source=step.source, target=step.target, kind=kind, value_usd=step.value_usd),
        )
    losers = {vault.token: vault for vault in one.vaults}
    facts = {
        f"vault:{token}": [
            ("exposed", show(vault.exposed_usd, "usd")),
            ("of its assets", show(vault.share, "percent")),
        ]
        for token, vault in losers.items()
    }
    graph = Graph(nodes=tuple(nodes), edges=tuple(lines.values()))
    return network(graph, {one.subject.node}, facts)


def _data(its: Studied, one: Failed, runs: list[dict[str, Any]]) -> dict[str, Any]:
    lost = _lost_by_vault(its, one)
    return {
        "failing": {
            "node": one.subject.node,
            "kind": one.subject.kind,
            "label": told(its, one.subject.node),
        },
        "lost_usd": known(one.loss),
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
        "steps": [
            {
                "from": step.source,
                "to": step.target,
                "from_label": one.path.labels[step.source],
                "to_label": one.path.labels[step.target],
                "channel": step.channel,
                "value_usd": step.value_usd,
            }
            for step in one.path.steps
        ],
        "run": runs,
        "ranking": tables.rank_data(its),
    }
