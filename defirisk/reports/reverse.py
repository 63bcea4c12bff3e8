"""The smallest move of each asset that crosses a budget: `defirisk stress --reverse`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from defirisk.contagion.reverse import Budget, Crossing
from defirisk.core.book import Book
from defirisk.reports.findings import finding_notes
from defirisk.reports.labels import asset_label
from defirisk.reports.model import (
    Block,
    Column,
    Note,
    Paragraph,
    Report,
    Run,
    Section,
    Table,
    header_of,
)
from defirisk.reports.value import show

_SAID = {"already": "crossed today", "never": "never", "unknown": "unknown"}
_COLUMNS = (
    Column("asset", "Asset", "text"),
    Column("address", "Token", "address", detail=True),
    Column("fall", "Smallest fall", "text"),
    Column("fall_value", "Reaches", "text"),
    Column("rise", "Smallest rise", "text"),
    Column("rise_value", "Reaches", "text"),
)


def build(
    book: Book,
    budget: Budget,
    falls: Sequence[Crossing],
    rises: Sequence[Crossing],
    *,
    run: Run,
    shocks: tuple[str, ...] = (),
    steps: int,
    assumptions: Mapping[str, Any] | None = None,
    assumed: str = "",
    notes: Sequence[Note] = (),
) -> Report:
    """The report. Falls and rises are of the same assets; `shocks` hold beside each of them.

    `assumptions` are those of the cascade, None where none was played; `assumed` and `notes` say
    what its readers must know.
    """
    pairs = sorted(zip(falls, rises, strict=True), key=_sooner)
    records = [_record(book, fall, rise) for fall, rise in pairs]
    data: dict[str, Any] = {
        "budget": {
            "measure": budget.measure,
            "sign": ">" if budget.above else "<",
            "amount": budget.amount,
        },
        "assets": records,
        "cascade": assumptions is not None,
        "steps": steps,
    }
    if assumptions is not None:
        data["assumptions"] = dict(assumptions)
    kind = "usd" if budget.measure.endswith("_usd") else "int"
    table = Table(
        name="reverse",
        title="The smallest move of each price",
        columns=_COLUMNS,
        rows=tuple(
            (
                one["asset"],
                one["address"],
                *(
                    text
                    for way in ("fall", "rise")
                    for text in (_said(one, way), show(one[f"{way}_value"], kind))  # type: ignore[arg-type]
                ),
            )
            for one in records
        ),
        caption="Where a budget is never crossed, the value is that of the largest move.",
        empty="no asset has a price",
    )
    lead: list[Block] = [
        Paragraph(_answer(budget, records)),
        *finding_notes(book),
        *notes,
        table,
    ]
    how = [Paragraph(_how(steps, bool(shocks)))]
    if assumed:
        how.append(Paragraph(assumed))
    return Report(
        title="Reverse stress test",
        header=header_of(book, run, shocks),
        lead=tuple(lead),
        sections=(Section("how", "How it was looked for", tuple(how)),),
        data=data,
    )


def _sooner(pair: tuple[Crossing, Crossing]) -> tuple[Fraction, Fraction]:
    """Assets whose fall crosses first come first, then those whose rise does."""
    fall, rise = (
        abs(one.move) if one.answer in ("crossed", "already") and one.move is not None else None
        for one in pair
    )
    return (Fraction(100) if fall is None else fall, Fraction(100) if rise is None else rise)


def _record(book: Book, fall: Crossing, rise: Crossing) -> dict[str, Any]:
    label, address = asset_label(book, fall.asset), book.assets[fall.asset].address
    record: dict[str, Any] = {"asset": label, "address": address}
    for way, one in (("fall", fall), ("rise", rise)):
        crossed = one.answer in ("crossed", "already")
        move = one.move if crossed else None
        record |= {
            way: None if move is None else float(move),
            f"{way}_answer": one.answer,
            f"{way}_value": one.value,
            f"{way}_shock": f"price:{address}={_percent(move)}" if move else None,
        }
    return record


def _percent(move: Fraction) -> str:
    """Exactly, as a shock is typed: multiples of `reverse.GRAIN` have four decimals."""
    text = f"{float(abs(move) * 100):.4f}".rstrip("0").rstrip(".")
    return f"{'-' if move < 0 else '+'}{text}%"


def _said(one: Mapping[str, Any], way: str) -> str:
    if one[f"{way}_answer"] == "crossed":
        return str(one[f"{way}_shock"]).rpartition("=")[2].replace("%", " %")
    return _SAID[one[f"{way}_answer"]]


def _answer(budget: Budget, records: Sequence[Mapping[str, Any]]) -> str:
    start = f"What it takes until {budget}, one asset at a time: "
    crossed = [
        (abs(one[way]), one["asset"], _said(one, way), way)
        for one in records
        for way in ("fall", "rise")
        if one[f"{way}_answer"] == "crossed"
    ]
    if any(one["fall_answer"] == "already" for one in records):
        return start + "nothing, it is so already."
    if not crossed:
        return start + "no fall within -99 % and no rise within +1000 % does it."
    _, asset, said, way = min(crossed)
    return f"{start}least of all a {way} of {asset} by {said.lstrip('+-')}."


def _how(steps: int, shocked: bool) -> str:
    beside = " The shocks that were given hold beside every move." if shocked else ""
    return (
        "Each asset moves at market and in the oracles, with all that follows it. Falls were tried "
        f"in steps of {100 / steps:g} % down to -99 %, rises in steps of {1000 / steps:g} % up to "
        "+1000 %; the first step that crosses was halved down to 0.0001 %. Results need not be "
        "monotone: a crossing that a larger move within one step undoes again is not seen, and "
        "beyond the smallest move the budget may hold again." + beside
    )
