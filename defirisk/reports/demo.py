"""The front page of the demo: what was indexed, how it was proven, what shocks would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from defirisk.core.book import Book
from defirisk.core.outcome import Outcome
from defirisk.core.verdict import Verdict
from defirisk.reports import stress
from defirisk.reports.findings import finding_notes
from defirisk.reports.model import Number, Numbers, Paragraph, Report, Run, header_of
from defirisk.reports.site import Page, page_list
from defirisk.reports.value import plural


def summary(
    book: Book,
    outcome: Outcome,
    verdicts: Sequence[Verdict],
    pages: Mapping[str, Page],
    *,
    run: Run,
) -> Report:
    """The whole demo on one screen; the other pages hold the details."""
    accounts = len(book.owners)
    compared = sum(verdict.compared for verdict in verdicts)
    differing = sum(len(verdict.mismatches) for verdict in verdicts)
    supplied = sum(m.supplied * m.price_usd for m in book.markets)
    borrowed = sum(m.borrowed * m.price_usd for m in book.markets)
    text = (
        f"A recorded chain with {plural(len(book.deployments), 'deployment')} of protocols, "
        f"{plural(len(book.sources.venues), 'pool')} and "
        f"{plural(len(book.sources.answers), 'price feed')} was indexed from its logs up to block "
        f"{book.block.number:,}: {plural(accounts, 'account')}, "
        f"{plural(len(book.assets), 'asset')}. {compared:,} numbers were then compared with what "
        f"the contracts themselves answered at that block; {plural(differing, 'number')} differ."
    )
    tiles = Numbers(
        (
            Number(key="supplied_usd", label="Supplied", value=supplied, kind="usd"),
            Number(key="borrowed_usd", label="Borrowed", value=borrowed, kind="usd"),
            Number(key="accounts", label="Accounts", value=accounts, kind="int"),
            Number(key="compared", label="Numbers compared", value=compared, kind="int"),
            Number(key="differ", label="That differ", value=differing, kind="int", tone="loss"),
        )
    )
    shocks = stress.build(book, outcome, run=run)
    scenarios = next(table for table in shocks.tables() if table.name == "scenarios")
    return Report(
        title="defirisk demo",
        header=header_of(book, run),
        lead=(Paragraph(text), tiles, scenarios, *finding_notes(book), page_list(pages)),
        csv="scenarios",
    )
