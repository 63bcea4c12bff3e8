"""The scheduled run: what its parts did, and the front page of the site that it writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Literal, NamedTuple

from defirisk.core.book import Book
from defirisk.core.outcome import Outcome
from defirisk.core.verdict import Verdict
from defirisk.reports import stress
from defirisk.reports.findings import finding_notes
from defirisk.reports.model import (
    Column,
    Header,
    Note,
    Number,
    Numbers,
    Report,
    Run,
    Table,
    header_of,
)
from defirisk.reports.site import Page, page_list
from defirisk.reports.value import plural

Result = Literal["done", "failed", "left out"]
"""Of a part; it is left out where another run holds the chain."""


class Step(NamedTuple):
    """A part of the run on one chain."""

    chain: str
    part: str
    result: Result
    seconds: float
    said: str


def build(steps: Sequence[Step], verdicts: Sequence[Verdict], *, run: Run) -> Report:
    """Every part with its result; what failed stands above."""
    differ = sum(len(one.mismatches) for one in verdicts)
    return Report(
        title="Nightly run",
        header=Header(run=run),
        lead=(*_failures(steps), _steps(steps)),
        data={
            "steps": [step._asdict() for step in steps],
            "verdicts": [
                {
                    "deployment": one.deployment,
                    "compared": one.compared,
                    "mismatches": [asdict(each) for each in one.mismatches],
                }
                for one in verdicts
            ],
            "failed": sum(step.result == "failed" for step in steps),
            "differ": differ,
        },
        csv="steps",
    )


def front(
    book: Book,
    outcome: Outcome,
    steps: Sequence[Step],
    pages: Mapping[str, Page],
    *,
    run: Run,
) -> Report:
    """The first page: what shocks would do, how the run went, and where to look further."""
    supplied = sum(m.supplied * m.price_usd for m in book.markets)
    borrowed = sum(m.borrowed * m.price_usd for m in book.markets)
    tiles = Numbers(
        (
            Number(key="supplied_usd", label="Supplied", value=supplied, kind="usd"),
            Number(key="borrowed_usd", label="Borrowed", value=borrowed, kind="usd"),
            Number(key="accounts", label="Accounts", value=len(book.owners), kind="int"),
        )
    )
    tables = list(stress.build(book, outcome, run=run).tables())
    # One scenario alone is no row of a table of scenarios: it is the whole report.
    scenarios = [one for one in tables if one.name == "scenarios"] or tables[:1]
    return Report(
        title="Risk today",
        header=header_of(book, run),
        lead=(
            *_failures(steps),
            *finding_notes(book),
            tiles,
            *scenarios,
            page_list(pages),
            _steps(steps),
        ),
        csv="scenarios",
    )


def _failures(steps: Sequence[Step]) -> list[Note]:
    failed = [step for step in steps if step.result == "failed"]
    if not failed:
        return []
    said = "; ".join(f"{step.chain} {step.part}: {step.said}" for step in failed)
    return [Note("warning", f"{plural(len(failed), 'part')} failed: {said}", "failed")]


def _steps(steps: Sequence[Step]) -> Table:
    return Table(
        name="steps",
        title="The run",
        columns=(
            Column("chain", "Chain", "text"),
            Column("part", "Part", "text"),
            Column("result", "Result", "text"),
            Column("seconds", "Took", "seconds"),
            Column("said", "What it said", "prose"),
        ),
        rows=tuple(tuple(step) for step in steps),
    )
