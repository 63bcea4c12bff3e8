"""The pools and the feeds of a chain as lists, each with a page of its own."""

from __future__ import annotations

import hashlib

from defirisk.core.book import Book
from defirisk.core.evm import Address
from defirisk.core.venue import Venue
from defirisk.reports.depth import first_step
from defirisk.reports.feed import dependants
from defirisk.reports.labels import token_label
from defirisk.reports.model import Column, Paragraph, Report, Run, Table, Value, header_of
from defirisk.reports.subject import pair
from defirisk.reports.value import plural
from defirisk.reports.venue import readers

_DIGITS = 16


def page_of(kind: str, address: Address) -> str:
    """The file name of a pool's or feed's page: of hexadecimal digits only, whatever its name."""
    return f"{kind}-{hashlib.sha256(address.encode()).hexdigest()[:_DIGITS]}.html"


def pools(book: Book, *, run: Run) -> Report:
    """Every pool: what its first token costs there, and what can be sold of each."""
    venues = list(book.sources.venues.values())
    table = Table(
        name="pools",
        title="",
        columns=(
            Column("page", "Page", "text"),
            Column("pool", "Pool", "text"),
            Column("deployment", "Deployment", "text"),
            Column("kind", "Kind", "text"),
            Column("spot_price", "First in second", "token"),
            Column("sell", "Sold for a fall of 2 %", "token"),
            Column("fee", "Fee", "fee"),
            Column("readers", "Prices read from it", "int"),
        ),
        rows=tuple(_pool_row(book, venue) for venue in venues),
        caption="Amounts are of the pool's first token; all it takes where it runs out before.",
        empty="no pool is indexed",
    )
    text = f"{plural(len(venues), 'pool')}: where collateral could be sold, and how much of it."
    return Report(
        title="Pools",
        header=header_of(book, run),
        lead=(Paragraph(text), table, wrapped_tokens(book)),
    )


def _pool_row(book: Book, venue: Venue) -> tuple[Value, ...]:
    found = first_step(venue)
    return (
        page_of("pool", venue.address),
        pair(book, venue),
        venue.deployment,
        venue.kind,
        found[0].spot_price if found else None,
        found[1].sell if found else None,
        float(venue.pool.fee),
        len(readers(book, venue.address)),
    )


def feeds(book: Book, *, run: Run) -> Report:
    """Every feed: what it says, how old that is, and what stands on it."""
    rows = sorted(_feed_rows(book), key=lambda row: -float(row[5] or 0))
    table = Table(
        name="feeds",
        title="",
        columns=(
            Column("page", "Page", "text"),
            Column("feed", "Feed", "address"),
            Column("prices", "Prices", "text"),
            Column("says", "Says", "number"),
            Column("age_seconds", "Age", "seconds"),
            Column("collateral_usd", "Collateral", "usd"),
            Column("debt_usd", "Debt", "usd"),
            Column("known", "Known from", "text"),
        ),
        rows=tuple(rows),
        empty="no feed is indexed",
    )
    text = f"{plural(len(rows), 'feed')}, those on which most collateral stands first."
    return Report(title="Feeds", header=header_of(book, run), lead=(Paragraph(text), table))


def _feed_rows(book: Book) -> list[tuple[Value, ...]]:
    rows: list[tuple[Value, ...]] = []
    for feed, answer in book.sources.answers.items():
        found = list(dependants(book, feed))
        age = book.block.timestamp - answer.updated_at if answer.updated_at else None
        rows.append(
            (
                page_of("feed", feed),
                feed,
                ", ".join(dict.fromkeys(str(row[2]) for row in found)) or "nothing indexed",
                float(answer.value),
                age,
                sum(float(row[4] or 0) for row in found),
                sum(float(row[5] or 0) for row in found),
                answer.grade,
            )
        )
    return rows


def wrapped_tokens(book: Book) -> Table:
    """What one share converts to: vaults, and every other claim that some market lists."""
    listed = {asset.address for asset in book.assets}
    rows = [
        (
            token_label(book, claim.token),
            claim.kind,
            token_label(book, claim.underlying) if claim.underlying else None,
            None if claim.rate is None else float(claim.rate),
            len(claim.allocations) or None,
        )
        for claim in book.sources.claims.values()
        if claim.kind == "vault" or claim.token in listed
    ]
    return Table(
        name="wrapped",
        title="Tokens that stand for others",
        columns=(
            Column("token", "Token", "text"),
            Column("kind", "Kind", "text"),
            Column("underlying", "Stands for", "text", absent="a pool's tokens"),
            Column("rate", "One converts to", "number", absent=""),
            Column("markets", "Markets it is lent to", "int", absent=""),
        ),
        rows=tuple(rows),
        empty="none",
    )


OVERVIEWS = {"venue": ("pool", pools), "feed": ("feed", feeds)}
"""By the name of a report: what its pages are called, and the list that leads to them."""
