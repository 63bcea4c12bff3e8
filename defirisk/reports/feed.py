"""The report on a price feed: what it says, what that is made of, and what depends on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from defirisk.core.adapter import Answer
from defirisk.core.book import Book
from defirisk.core.evm import Address
from defirisk.core.holdings import Side
from defirisk.core.quote import Constant, Program, leaves, parts
from defirisk.metrics.oracle import sources_of
from defirisk.reports import program as programs
from defirisk.reports.labels import asset_label
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
from defirisk.reports.subject import find_feed
from defirisk.reports.value import listed, plural, short_address

_MADE_OF = "what it is made of"


class FeedReport:
    """Everything about one feed."""

    name = "feed"
    summary = "a price feed: what it says and is made of, how old it is, what depends on it"
    of_deployments = False

    def subjects(self, book: Book) -> tuple[str, ...]:
        """What can be asked about."""
        return tuple(book.sources.answers)

    def build(self, book: Book, *, run: Run, subject: str) -> Report:
        """The report on the feed that `subject` names. Errors: `UsageError` where there is none."""
        feed = find_feed(book, subject)
        answer = book.sources.answers[feed]
        rows = list(dependants(book, feed))
        return Report(
            title=_title(feed, rows),
            header=header_of(book, run),
            lead=(*_lead(book, answer, rows), _tiles(book, answer, rows)),
            sections=(
                Section("made-of", _MADE_OF.capitalize(), (_made_of(book, feed, answer),)),
                Section("dependants", "What depends on it", (_table(rows),)),
            ),
            data=_data(book, feed, answer, rows),
            csv="dependants",
        )


def _title(feed: Address, rows: list[tuple[Value, ...]]) -> str:
    assets = listed(list(dict.fromkeys(str(row[2]) for row in rows)))
    return f"{assets}: feed {short_address(feed)}" if rows else f"Feed {short_address(feed)}"


def _readers(book: Book, feed: Address) -> Iterator[int]:
    """The quotes that stand on this feed: on its address, on all it is made of, or on a contract
    behind which it is.
    """
    made_of = book.sources.answers[feed].program
    behind = {
        (market.deployment, market.market, market.asset)
        for market in book.markets
        if any(link.address == feed for link in sources_of(book, market).all())
    }
    for q, program in enumerate(book.quote_program):
        place = int(book.quote_deployment[q]), book.quote_market[q], int(book.quote_asset[q])
        if place in behind or _stands_on(program, feed, made_of):
            yield q


def _stands_on(program: Program, feed: Address, made_of: Program | None) -> bool:
    """A number alone is no sign: what is hard-coded is the same number in many places."""
    if any(getattr(leaf, "address", "") == feed for leaf in leaves(program)):
        return True
    return made_of is not None and not isinstance(made_of, Constant) and _contains(program, made_of)


def _contains(program: Program, part: Program) -> bool:
    return program == part or any(_contains(one, part) for one in parts(program))


def dependants(book: Book, feed: Address) -> Iterator[tuple[Value, ...]]:
    """Deployment, market, asset, units, and dollars of collateral and debt, by quote's asset."""
    groups: dict[tuple[int, str, int], list[int]] = {}
    for q in _readers(book, feed):
        key = (int(book.quote_deployment[q]), book.quote_market[q], int(book.quote_asset[q]))
        groups.setdefault(key, []).append(q)
    values = np.nan_to_num(book.holding_amount * book.quote_price[book.holding_quote], nan=0.0)
    for (deployment, market, asset), quotes in groups.items():
        own = np.isin(book.holding_quote, quotes)
        sides = [own & (book.holding_side == side) for side in (Side.COLLATERAL, Side.DEBT)]
        yield (
            book.deployments[deployment].name,
            market,
            asset_label(book, asset),
            len(np.unique(book.holding_unit[sides[0] | sides[1]])),
            float(values[sides[0]].sum()),
            float(values[sides[1]].sum()),
        )


def _lead(book: Book, answer: Answer, rows: list[tuple[Value, ...]]) -> Iterator[Block]:
    markets = len({row[:2] for row in rows})
    said = float(answer.value)
    yield Paragraph(
        f"The feed says {said:.8g}, {_known_from(answer)}. "
        + (
            f"{plural(markets, 'market')} {'relies' if markets == 1 else 'rely'} on it."
            if markets
            else "No indexed market relies on it."
        )
    )
    if answer.price <= 0:
        yield Note("warning", "The answer is not above 0: no market can use it.", "no-answer")
    if answer.updated_at > book.block.timestamp:
        yield Note("warning", "It says it was updated after this block: it lies.", "future")


def _known_from(answer: Answer) -> str:
    return "followed update by update" if answer.grade == "logs" else "as it was asked once"


def _age(book: Book, answer: Answer) -> int | None:
    return book.block.timestamp - answer.updated_at if answer.updated_at else None


def _tiles(book: Book, answer: Answer, rows: list[tuple[Value, ...]]) -> Numbers:
    collateral, debt = (sum(float(row[at] or 0) for row in rows) for at in (4, 5))
    return Numbers(
        (
            Number(key="price", label="Says", value=float(answer.value), kind="number"),
            Number(key="age_seconds", label="Age", value=_age(book, answer), kind="seconds"),
            Number(key="dependants", label="Prices made of it", value=len(rows), kind="int"),
            Number(key="collateral_usd", label="Collateral", value=collateral, kind="usd"),
            Number(key="debt_usd", label="Debt", value=debt, kind="usd"),
        )
    )


def _made_of(book: Book, feed: Address, answer: Answer) -> Table:
    return Table(
        name="made-of",
        title="",
        columns=programs.COLUMNS,
        rows=tuple(line.row for line in programs.lines(book, answer.of(feed))),
        caption="From the outside in; each part is indented under what is made of it.",
    )


def _table(rows: list[tuple[Value, ...]]) -> Table:
    return Table(
        name="dependants",
        title="",
        columns=(
            Column("deployment", "Deployment", "text"),
            Column("market", "Market", "text"),
            Column("asset", "Asset", "text"),
            Column("accounts", "Accounts", "int"),
            Column("collateral_usd", "Collateral", "usd"),
            Column("debt_usd", "Debt", "usd"),
        ),
        rows=tuple(rows),
        empty="no indexed market reads it",
    )


def _data(
    book: Book, feed: Address, answer: Answer, rows: list[tuple[Value, ...]]
) -> dict[str, Any]:
    keys = ("deployment", "market", "asset", "accounts", "collateral_usd", "debt_usd")
    return {
        "feed": feed,
        "price": float(answer.value),
        "answer": str(answer.price),
        "decimals": answer.decimals,
        "updated_ts": answer.updated_at or None,
        "age_seconds": _age(book, answer),
        "grade": answer.grade,
        "made_of": [
            {
                "level": line.level,
                "what": line.what,
                "value": line.value,
                "address": line.address or None,
            }
            for line in programs.lines(book, answer.of(feed))
        ],
        "dependants": [dict(zip(keys, row, strict=True)) for row in rows],
    }


REPORT = FeedReport()
