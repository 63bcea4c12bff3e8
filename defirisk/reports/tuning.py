"""The frontier of one asset's parameters, as `defirisk tune` prints it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from defirisk.core.book import Book
from defirisk.governance.losses import SAYS, Engine
from defirisk.governance.tuning import Point
from defirisk.reports import escape
from defirisk.reports.findings import finding_notes
from defirisk.reports.model import (
    Axis,
    Chart,
    Column,
    Paragraph,
    Report,
    Run,
    Section,
    Series,
    Table,
    header_of,
)
from defirisk.reports.records import rows_of
from defirisk.reports.value import show

_SCALES = ((1e9, "billions of USD"), (1e6, "millions of USD"), (1.0, "USD"))
SAME_USE = (
    "Bad debt at the same use: if every borrower owed the same share of the borrowing power as "
    "today. As it is: with today's debts. Both are those of the worst scenario."
)


def build(
    book: Book,
    deployment: int,
    symbol: str,
    points: Sequence[Point],
    run: Run,
    shocks: list[str],
    engine: Engine = "static",
) -> Report:
    """The report; one of the points is today's. `engine` is what gave their bad debt."""
    name, word = book.deployments[deployment].name, escape.clean(symbol, escape.SYMBOL_LIMIT)
    today = next(point for point in points if point.is_today)
    return Report(
        title=f"Tuning {word} on {name}",
        header=header_of(book, run, tuple(shocks)),
        lead=(
            Paragraph(_answer(word, points, today)),
            *finding_notes(book),
            _chart(points, today),
            _table(points),
        ),
        sections=(
            Section("assumptions", "Assumptions", (Paragraph(SAYS[engine]), Paragraph(SAME_USE))),
        ),
        data={
            "deployment": name,
            "asset": symbol,
            "engine": engine,
            "points": [_record(point) for point in points],
        },
    )


def _answer(word: str, points: Sequence[Point], today: Point) -> str:
    state = "on" if today.is_best else "not on"
    text = (
        f"Today's {word} parameters ({_terms(today)}) are {state} the frontier: they give "
        f"{show(today.power_usd, 'usd')} of borrowing power, with "
        f"{show(today.same_use_usd, 'usd')} of bad debt in the worst scenario ({today.worst})."
    )
    better = [
        point
        for point in points
        if point.same_use_usd <= today.same_use_usd and point.power_usd > today.power_usd
    ]
    if not better:
        return text
    best = max(better, key=lambda point: point.power_usd)
    return (
        f"{text} {_terms(best)} would give {show(best.power_usd - today.power_usd, 'usd')} more "
        "power for no more bad debt."
    )


def _terms(point: Point) -> str:
    return (
        f"LTV {point.terms.ltv_bps / 100:g} %, threshold "
        f"{point.terms.liquidation_threshold_bps / 100:g} %, bonus "
        f"{point.terms.liquidation_bonus_bps / 100:g} %"
    )


def _table(points: Sequence[Point]) -> Table:
    columns = (
        Column("ltv", "LTV", "fee"),
        Column("liquidation_threshold", "Threshold", "fee"),
        Column("liquidation_bonus", "Bonus", "fee"),
        Column("borrowing_power_usd", "Borrowing power", "usd"),
        Column("bad_debt_same_use_usd", "Bad debt, same use", "usd", "loss"),
        Column("bad_debt_usd", "Bad debt, as it is", "usd", "loss"),
        Column("liquidatable_accounts", "Most liquidatable", "int", detail=True),
        Column("made_liquidatable", "Made so by the change", "int"),
        Column("note", "", "text"),
    )
    rows = rows_of(map(_record, points), columns)
    return Table(name="frontier", title="Points", columns=columns, rows=rows)


def _record(point: Point) -> dict[str, Any]:
    said = ["today"] * point.is_today + ["frontier"] * point.is_best
    return {
        "ltv": point.terms.ltv_bps / 10_000,
        "liquidation_threshold": point.terms.liquidation_threshold_bps / 10_000,
        "liquidation_bonus": point.terms.liquidation_bonus_bps / 10_000,
        "borrowing_power_usd": point.power_usd,
        "bad_debt_same_use_usd": point.same_use_usd,
        "bad_debt_usd": point.bad_debt_usd,
        "worst_scenario": point.worst,
        "liquidatable_accounts": point.liquidatable,
        "made_liquidatable": point.made_liquidatable,
        "today": point.is_today,
        "frontier": point.is_best,
        "note": ", ".join(said),
    }


def _chart(points: Sequence[Point], today: Point) -> Chart:
    """The frontier as a line over power; a second one rises to where today stands."""
    # Ticks of dollars begin at 0, and power is nowhere near it.
    largest = max(point.power_usd for point in points)
    scale, unit = next(((s, u) for s, u in _SCALES if largest >= s), _SCALES[-1])

    def line(name: str, chosen: Sequence[Point]) -> Series:
        ordered = sorted(chosen, key=lambda point: point.power_usd)
        return Series(
            name=name,
            x=tuple(point.power_usd / scale for point in ordered),
            y=tuple(point.same_use_usd for point in ordered),
        )

    top = today.same_use_usd or max(point.same_use_usd for point in points) / 2
    return Chart(
        name="frontier_chart",
        title="Bad debt in the worst scenario against borrowing power",
        form="line",
        x=Axis(f"Borrowing power, {unit}", "number"),
        y=Axis("Bad debt, same use", "usd"),
        series=(
            line("frontier", [point for point in points if point.is_best]),
            Series(name="today", x=(today.power_usd / scale,) * 2, y=(0.0, top), tone="loss"),
        ),
        note="The line called today ends at today's parameters.",
    )
