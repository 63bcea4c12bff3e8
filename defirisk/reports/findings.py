"""What must be said wherever numbers of a book are shown."""

from __future__ import annotations

from defirisk.core.book import Book
from defirisk.reports.model import Note
from defirisk.reports.value import plural


def finding_notes(book: Book) -> tuple[Note, ...]:
    """Each finding of each deployment, and accounts that could not be priced."""
    notes = [
        Note("warning", f"{facts.name}: {finding.text}", finding.code)
        for facts in book.deployments
        for finding in facts.findings
    ]
    unpriced = int(book.unpriced.sum())
    if unpriced:
        have = "has" if unpriced == 1 else "have"
        text = f"{plural(unpriced, 'account')} {have} a position without a known price, left out."
        notes.append(Note("warning", text, "unpriced"))
    return tuple(notes)
