"""The report on contagion: what fails, who is exposed to it, how the loss travels, who matters."""

from __future__ import annotations

from defirisk.core.book import Book
from defirisk.reports.contagion import single, tables
from defirisk.reports.contagion.studied import Studied, failed, studied
from defirisk.reports.model import Note, Paragraph, Report, Run, Section, header_of
from defirisk.reports.value import plural, show

ALL = ("", "all")
"""What stands for everything that can fail."""


class Contagion:
    """One thing that fails, or everything that can, by what others lose."""

    name = "contagion"
    summary = "a failing asset, vault, market or protocol: who is exposed, how the loss travels"
    of_deployments = False
    of_everything = True
    """NAME may be left out."""

    def subjects(self, book: Book) -> tuple[str, ...]:
        """What can fail, the worst first, by the ids of its nodes."""
        its = studied(book)
        return tuple(its.subjects[i].node for i in its.order)

    def build(self, book: Book, *, run: Run, subject: str = "") -> Report:
        """The report on what `subject` names, or on all. Errors: `UsageError` where nothing that
        can fail has that name.
        """
        its = studied(book)
        if subject in ALL:
            return _overview(its, run, pages=False)
        return single.report(its, failed(its, subject), run=run)

    def overview(self, book: Book, *, run: Run) -> Report:
        """As `build` of all, with the names of the pages on each."""
        return _overview(studied(book), run, pages=True)


def _overview(its: Studied, run: Run, *, pages: bool) -> Report:
    return Report(
        title="Contagion",
        header=header_of(its.book, run),
        lead=(Paragraph(_answer(its)), *unknown_notes(its), tables.rank(its, pages=pages)),
        sections=(Section("assumptions", "Assumptions", tables.assumptions(its)),),
        data={
            "rank": tables.rank_data(its),
            "lost_already_usd": its.lost_now,
            "engine": "cascade" if its.played else "static",
        },
        csv="rank",
    )


def _answer(its: Studied) -> str:
    count = plural(len(its.subjects), "thing")
    if not its.subjects:
        return "Nothing in this book can fail: it has no market, no vault and no pledged asset."
    worst = its.subjects[its.order[0]]
    marginal = its.losses[its.order[0]]
    already = (
        f" {show(its.lost_now, 'usd')} is lost already at today's market prices."
        if its.lost_now != 0
        else ""
    )
    return (
        f"Of {count} that can fail, {tables.told(its, worst)} would cost others most: "
        f"{show(marginal, 'usd')} that somebody would not pay back.{already}"
    )


def unknown_notes(its: Studied) -> tuple[Note, ...]:
    """What no reader may miss: loans that nobody can value are taken to be paid."""
    found = []
    count = int(its.unknown_now)
    if count:
        text = (
            f"{plural(count, 'borrower')} cannot be valued, since a price is unknown: all losses "
            "are lower bounds."
        )
        found.append(Note("warning", text, "unpriced"))
    cut = sum(not one.ended for one in its.played)
    if cut:
        text = f"{plural(cut, 'cascade')} did not end within the rounds allowed: lower bounds."
        found.append(Note("warning", text, "not-ended"))
    if not its.converged:
        text = "Some losses had not settled when the rounds ended: they are lower bounds."
        found.append(Note("warning", text, "not-settled"))
    return tuple(found)


REPORT = Contagion()
