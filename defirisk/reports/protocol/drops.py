"""Liquidatable debt and bad debt against the fall of each asset, and the wall it runs into."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from defirisk.contagion.chords import BAD_DEBT, DEBT
from defirisk.reports.model import (
    Axis,
    Block,
    Chart,
    Column,
    Note,
    Paragraph,
    Section,
    Series,
    Table,
    Tone,
    Value,
)
from defirisk.reports.protocol.falls import GRID, Fall, Falls, points

SHOWN_DROP = 0.6
TABLE_DROPS = (*GRID, 0.5, 0.6)
TOP_ASSETS = 5
TOP_CLIFFS = 10
MAX_BREAKS = 300
BUCKET = 0.05
_NOTES = {
    DEBT: "Each vertical step is an account, or several at once, that becomes liquidatable.",
    BAD_DEBT: "What liquidatable accounts owe beyond the value of all their collateral.",
}
_THINNED = " The largest steps are exact; between them, the line is sampled."
_NOTHING = "No fall of a single asset makes anything liquidatable."


def section(falls: Falls) -> Section:
    """Two charts of exact curves, a table of round drops, the largest cliffs."""
    title = "If one asset falls"
    top = [fall for fall in falls.ranked if fall.new_debt_usd(SHOWN_DROP) > 0][:TOP_ASSETS]
    if not top:
        return Section("drops", title, (Paragraph(_NOTHING),))
    debt = "Debt that can be liquidated"
    blocks = (
        _chart("liquidatable-debt", debt, top, DEBT, "plain"),
        _matrix("liquidatable-debt-by-drop", f"{debt}, in round numbers", top, "plain"),
        *_bad_debt(falls),
        _cliff_table(falls.ranked),
    )
    return Section("drops", title, blocks)


def _chart(name: str, title: str, falls: Sequence[Fall], column: int, tone: Tone) -> Chart:
    series = []
    for fall in falls:
        xs, ys = points(fall.curve, column, SHOWN_DROP, MAX_BREAKS)
        series.append(Series(name=fall.name, x=tuple(xs.tolist()), y=tuple(ys.tolist()), tone=tone))
    many = any(len(fall.curve.breaks) > MAX_BREAKS for fall in falls)
    return Chart(
        name=name,
        title=title,
        form="line",
        x=Axis("Fall of the asset's price", "percent"),
        y=Axis("USD at the fallen prices", "usd"),
        series=tuple(series),
        note=_NOTES[column] + (_THINNED if many else ""),
    )


def _bad_debt(falls: Falls) -> tuple[Block, ...]:
    """Its own choice of assets: what liquidates most need not lose most."""
    by_loss = sorted(falls.ranked, key=lambda fall: -fall.bad_debt_usd(SHOWN_DROP))
    losing = [fall for fall in by_loss if fall.bad_debt_usd(SHOWN_DROP) > 0][:TOP_ASSETS]
    if not losing:
        text = f"No fall of a single asset by up to {SHOWN_DROP * 100:.0f} % makes bad debt."
        return (Note("info", text),)
    return (
        _chart("bad-debt", "Bad debt", losing, BAD_DEBT, "loss"),
        _matrix("bad-debt-by-drop", "Bad debt, in round numbers", losing, "loss"),
    )


def _matrix(name: str, title: str, falls: Sequence[Fall], tone: Tone) -> Table:
    """One row per asset, one column per round drop."""
    rows: list[tuple[Value, ...]] = []
    for fall in falls:
        totals = fall.curve.at(list(TABLE_DROPS))
        amounts = totals.debt_usd if tone == "plain" else totals.bad_debt_usd
        rows.append((fall.name, *amounts.tolist()))
    columns = [
        Column(f"drop_{drop * 100:.0f}", f"{drop * 100:.0f} % down", "usd", tone)
        for drop in TABLE_DROPS
    ]
    first = Column("asset", "Asset", "text")
    return Table(name=name, title=title, columns=(first, *columns), rows=tuple(rows))


def _cliff_table(falls: Sequence[Fall]) -> Table:
    found = [
        (fall.name, cliff.drop, cliff.debt_usd, cliff.accounts)
        for fall in falls
        for cliff in fall.curve.cliffs(MAX_BREAKS)
        if cliff.drop < SHOWN_DROP
    ]
    found.sort(key=lambda row: -row[2])
    return Table(
        name="cliffs",
        title="Largest cliffs",
        columns=(
            Column("asset", "Asset", "text"),
            Column("drop", "Just beyond a fall of", "percent"),
            Column("debt_usd", "More debt at risk", "usd"),
            Column("accounts", "More accounts", "int"),
        ),
        rows=tuple(found[:TOP_CLIFFS]),
        caption="A cliff is where a small further fall makes much more debt liquidatable.",
        empty="no fall makes more debt liquidatable",
    )


def wall(falls: Falls) -> Section:
    """Newly liquidatable debt by bucket of the fall, stacked by asset."""
    title = "Liquidation wall"
    walls = [(fall.name, fall.curve.wall(BUCKET)) for fall in falls.ranked]
    shown = round(SHOWN_DROP / BUCKET)
    walls = [(name, one) for name, one in walls if one.debt_usd[:shown].any()]
    if not walls:
        return Section("wall", title, (Paragraph(_NOTHING),))
    edges = np.round(walls[0][1].edges[: shown + 1] * 100).astype(int)
    labels = tuple(f"{low} - {high} %" for low, high in pairwise(edges))
    series = [
        Series(name=name, x=labels, y=tuple(one.debt_usd[:shown].tolist()))
        for name, one in walls[:TOP_ASSETS]
    ]
    rest = sum((one.debt_usd[:shown] for _, one in walls[TOP_ASSETS:]), np.zeros(shown))
    if rest.any():
        series.append(Series(name="all other assets", x=labels, y=tuple(rest.tolist())))
    chart = Chart(
        name="liquidation-wall",
        title="Debt that becomes liquidatable in each further 5 % of a fall",
        form="stacked",
        x=Axis("Fall of the asset's price", "text"),
        y=Axis("USD where it becomes liquidatable", "usd"),
        series=tuple(series),
        note="Each asset falls alone: heights of one bar do not happen together.",
    )
    return Section("wall", title, (chart,))
