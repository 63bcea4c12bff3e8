"""The tables and the picture of one failure."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from defirisk.contagion.failure.losses import whole_assets
from defirisk.contagion.failure.settle import fail
from defirisk.core.evm import Address
from defirisk.graph.failure.path import Path
from defirisk.graph.model import Edge, EdgeKind, Graph, Node
from defirisk.reports.contagion.studied import Failed, Studied
from defirisk.reports.labels import token_label
from defirisk.reports.model import Block, Column, Table, Value
from defirisk.reports.network import network
from defirisk.reports.value import is_address, plural, show

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


def lost_by_vault(its: Studied, one: Failed) -> dict[Address, float]:
    """What each vault's shares are worth less than its assets are today, in USD; NaN if unknown."""
    book, s = its.book, one.scenario
    place = {asset.address: a for a, asset in enumerate(book.assets)}
    left = dict(zip(one.settled.claims, one.settled.left[:, s].tolist(), strict=True))
    lost: dict[Address, float] = {}
    for token, claim in book.sources.claims.items():
        if claim.kind == "vault":
            asset, assets = place.get(claim.underlying), whole_assets(book, claim)
            part = left.get(token, 1.0) * float(
                one.subject.scenario.moves.conversions.get(token, 1)
            )
            now, after = (
                (math.nan, math.nan)
                if asset is None
                else (float(book.asset_price[asset]), float(one.settled.prices[asset, s]))
            )
            lost[token] = assets * (now - part * after) if assets else 0.0
    return lost


def vaults(its: Studied, one: Failed) -> Table:
    lost = lost_by_vault(its, one)
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (
            token_label(its.book, vault.token),
            vault.token if is_address(vault.token) else "",
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


def markets(its: Studied, one: Failed) -> Table:
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


def steps(one: Failed) -> Table:
    empty = "nothing that is indexed takes it as collateral or is a claim on it"
    return _steps("steps", one.path, empty)


def sales(path: Path) -> Table:
    """Beyond what is liquidated at today's prices."""
    empty = "no more is liquidated and sold than at today's prices"
    caption = (
        "Beyond what is liquidated without the failure. Bad debt after sales is beyond that of a "
        "settlement at once, negative where liquidations left lenders more. "
    )
    return _steps("sales", path, empty, caption)


def _steps(name: str, path: Path, empty: str, caption: str = "") -> Table:
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (path.labels[step.source], path.labels[step.target], step.channel, step.value_usd)
        for step in path.steps[:STEPS]
    )
    more = len(path.steps) - len(rows)
    return Table(
        name=name,
        title="",
        columns=(
            Column("from", "From", "prose"),
            Column("to", "To", "prose"),
            Column("channel", "Channel", "text"),
            Column("value_usd", "Dollars", "usd"),
        ),
        rows=rows,
        caption=caption + (f"{plural(more, 'later step')} in the JSON." if more > 0 else ""),
        empty=empty,
    )


RUN = (
    "Depositors who leave before the loss is known are paid in full, from what is idle and from "
    "the cash of the vault's markets in its own order, as far as these are indexed; those who stay "
    "bear all of it. The multiplier is the assets of before over those that stayed."
)


def runs(its: Studied, one: Failed) -> list[dict[str, Any]]:
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


def run_table(runs: list[dict[str, Any]]) -> Table:
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


def picture(its: Studied, one: Failed) -> Block:
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
    drawn = network(graph, {one.subject.node}, facts)
    return replace(drawn, name="path", title="The path of the loss")
