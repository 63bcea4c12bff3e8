"""The report on a holder: one account over all deployments, or everybody who is in several."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from defirisk.contagion.valuation import health_factors, unit_debt
from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.holdings import Side
from defirisk.metrics.owner import Exposure, Part, Whole, owners
from defirisk.reports.findings import finding_notes
from defirisk.reports.labels import asset_label
from defirisk.reports.model import (
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
from defirisk.reports.protocol.elsewhere import shared_assets
from defirisk.reports.value import listed, plural, short_address, show

ALL = ("", "all")
"""What stands for everybody."""
TOP = 50


class Holder:
    """One owner, or all who have or owe something in several deployments."""

    name = "holder"
    summary = "an account over all protocols: loans, perpetuals and troves of one owner together"
    of_deployments = False
    of_everything = True
    """NAME may be left out."""

    def subjects(self, book: Book) -> tuple[str, ...]:
        """One page on everybody: accounts are too many for a page each."""
        return ("all",)

    def build(self, book: Book, *, run: Run, subject: str = "") -> Report:
        """The report on the account that `subject` is, or on all. Errors: `UsageError` where no
        account of that name has or owes anything.
        """
        if subject in ALL:
            return _overview(book, run)
        found = [
            one
            for one in owners(book, least_deployments=1)
            if one.owner.casefold() == subject.casefold()
        ]
        if not found:
            raise UsageError(
                f"no account {subject!r} has or owes anything at this block: defirisk positions "
                "PROTOCOL lists those that do"
            )
        return _single(book, found, run)


def _overview(book: Book, run: Run) -> Report:
    found = sorted(owners(book), key=lambda one: (-_size(one), one.owner))
    several = f"{plural(len(found), 'account has', 'accounts have')} or owe something in several"
    text = (
        f"{several} deployments, of {plural(len(book.owners), 'account')}."
        if found
        else "Nobody has or owes something in several deployments."
    )
    left = len(found) - TOP
    table = Table(
        name="holders",
        title="Accounts in several deployments",
        columns=(
            Column("account", "Account", "address"),
            Column("deployments", "In", "text"),
            Column("equity_usd", "Equity", "usd"),
            Column("debt_usd", "Owed", "usd"),
            Column("shared", "Exposed in several to", "text"),
            Column("net_usd", "The largest of them", "usd"),
        ),
        rows=tuple(_holder(book, one) for one in found[:TOP]),
        caption="Equity is what is had less what is owed, at market prices. Owners are addresses: "
        "who is behind one may have several, and an urn of a proxy is the proxy's."
        + (f" {plural(left, 'other')} not shown." if left > 0 else ""),
        empty="there is none at this block",
    )
    return Report(
        title="Holders",
        header=header_of(book, run),
        lead=(Paragraph(text), *finding_notes(book), table),
    )


def _size(one: Whole) -> float:
    return one.debt_usd + abs(one.equity_usd)


def _holder(book: Book, one: Whole) -> tuple[Value, ...]:
    shared = [e.usd for e in one.exposures if e.shared]
    return (
        one.owner,
        listed([book.deployments[part.deployment].name for part in one.parts]),
        one.equity_usd,
        one.debt_usd,
        shared_assets(book, one),
        shared[0] if shared else None,
    )


def _single(book: Book, found: Sequence[Whole], run: Run) -> Report:
    """Of one account; a name that is no address may mean several, one for each deployment."""
    name = found[0].owner
    parts = [(one, part) for one in found for part in one.parts]
    return Report(
        title=f"Holder {short_address(name)}",
        header=header_of(book, run),
        lead=(
            Paragraph(_answer(book, found)),
            *_notes(found),
            *finding_notes(book),
            _tiles(found),
            _parts(book, [part for _, part in parts]),
        ),
        sections=(
            Section("units", "What can be liquidated on its own", (_units(book, name),)),
            Section("exposures", "What prices do to it", (_exposures(book, found),)),
        ),
        csv="holder-units",
    )


def _answer(book: Book, found: Sequence[Whole]) -> str:
    equity, debt = sum(one.equity_usd for one in found), sum(one.debt_usd for one in found)
    names = [book.deployments[part.deployment].name for one in found for part in one.parts]
    shared = [e for one in found for e in one.exposures if e.shared and e.usd]
    text = (
        f"It owes {show(debt, 'usd')} and has {show(equity, 'usd')} beyond that, in "
        f"{plural(len(names), 'deployment')}: {listed(names)}."
    )
    if not shared:
        return text
    worst = shared[0]
    way = "falls" if worst.usd > 0 else "rises"
    where = plural(len(worst.deployments), "place")
    return (
        f"{text} Of prices that meet it in several places, that of "
        f"{asset_label(book, worst.asset)} is the largest: it loses "
        f"{show(abs(worst.usd) / 100, 'usd')} for each 1 % by which it {way}, in {where}."
    )


def _notes(found: Sequence[Whole]) -> tuple[Note, ...]:
    unpriced = sum(one.unpriced for one in found)
    if not unpriced:
        return ()
    text = f"{plural(unpriced, 'holding')} without a known price left out of all dollars."
    return (Note("warning", text, code="no-price"),)


def _tiles(found: Sequence[Whole]) -> Numbers:
    return Numbers(
        (
            Number(
                key="equity_usd",
                label="Equity",
                value=sum(one.equity_usd for one in found),
                kind="usd",
            ),
            Number(
                key="debt_usd", label="Owed", value=sum(one.debt_usd for one in found), kind="usd"
            ),
            Number(
                key="deployments",
                label="Deployments",
                value=len({part.deployment for one in found for part in one.parts}),
                kind="int",
            ),
        )
    )


def _parts(book: Book, parts: Sequence[Part]) -> Table:
    return Table(
        name="holder-parts",
        title="By deployment",
        columns=(
            Column("deployment", "Deployment", "text"),
            Column("protocol", "Protocol", "text"),
            Column("units", "Positions", "int"),
            Column("equity_usd", "Equity", "usd"),
            Column("debt_usd", "Owed", "usd"),
        ),
        rows=tuple(
            (
                book.deployments[part.deployment].name,
                book.deployments[part.deployment].protocol,
                part.units,
                part.equity_usd,
                part.debt_usd,
            )
            for part in parts
        ),
        caption="Equity is what is had less what is owed, at market prices. Of perpetuals, only "
        "what is owed beyond what backs them counts as owed.",
    )


def _units(book: Book, name: str) -> Table:
    health, debt = health_factors(book), unit_debt(book)
    own = [n for n in range(len(book.units)) if book.owners[book.unit_owner[n]] == name]
    own.sort(key=lambda n: (math.inf if math.isnan(health[n]) else float(health[n]), n))
    return Table(
        name="holder-units",
        title="",
        columns=(
            Column("deployment", "Deployment", "text"),
            Column("unit", "Position", "address"),
            Column("health_factor", "Health factor", "health"),
            Column("debt_usd", "Debt", "usd"),
            Column("holds", "Holds", "text"),
            Column("owes", "Owes", "text"),
        ),
        rows=tuple(
            (
                book.deployments[int(book.unit_deployment[n])].name,
                book.units[n],
                float(health[n]),
                float(debt[n]),
                _assets(book, n, owed=False),
                _assets(book, n, owed=True),
            )
            for n in own
        ),
        caption="The debt of a perpetual is what was paid for a long, or what a short has sold.",
    )


def _assets(book: Book, unit: int, *, owed: bool) -> str:
    first, stop = np.searchsorted(book.holding_unit, [unit, unit + 1])
    rows = [
        h
        for h in range(first, stop)
        if bool(book.holding_side[h] == Side.DEBT) is owed and book.holding_amount[h] > 0
    ]
    assets = dict.fromkeys(int(book.quote_asset[book.holding_quote[h]]) for h in rows)
    return listed([asset_label(book, asset) for asset in assets]) or "-"


def _exposures(book: Book, found: Sequence[Whole]) -> Table:
    rows = [e for one in found for e in one.exposures]
    return Table(
        name="holder-exposures",
        title="",
        columns=(
            Column("asset", "Asset", "text"),
            Column("tokens", "Net", "token"),
            Column("usd", "In USD", "usd"),
            Column("percent_usd", "Per 1 % up", "usd"),
            Column("deployments", "In", "text"),
        ),
        rows=tuple(_exposure(book, one) for one in rows),
        caption="What is had less what is owed or sold short, over all deployments. Below 0, a "
        "rise of the price costs.",
    )


def _exposure(book: Book, one: Exposure) -> tuple[Value, ...]:
    fixed = book.assets[one.asset].unit
    return (
        asset_label(book, one.asset),
        one.tokens,
        one.usd,
        0.0 if fixed else one.usd / 100,
        listed([book.deployments[d].name for d in one.deployments]),
    )


REPORT = Holder()
