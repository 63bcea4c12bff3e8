"""The report on oracle exposure: what each price is made of, what a lie costs and what it earns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from defirisk.contagion.valuation import health_factors
from defirisk.core.book import Book
from defirisk.manipulation.assumptions import Assumptions
from defirisk.manipulation.dependants import Dependant, dependants
from defirisk.manipulation.exposure import Exposure, exposures
from defirisk.manipulation.quoted import Quoted
from defirisk.manipulation.solvency import Hidden, hidden_losses
from defirisk.reports.labels import asset_label
from defirisk.reports.model import (
    Note,
    Number,
    Numbers,
    Paragraph,
    Report,
    Run,
    Section,
    header_of,
)
from defirisk.reports.oracles import data, tables, words
from defirisk.reports.oracles.chosen import chosen
from defirisk.reports.value import listed, plural

ALL = "all"
_ORDER = {"unsafe": 0, "unknown": 1, "safe": 2}


class OraclesReport:
    """Every price of the book, or those of one asset or feed."""

    name = "oracles"
    summary = "prices that can be lied about: what a lie costs, what it earns, who relies on it"
    of_deployments = False

    def subjects(self, book: Book) -> tuple[str, ...]:
        """What can be asked about."""
        return (ALL, *dict.fromkeys(asset.symbol for asset in book.assets))

    def build(self, book: Book, *, run: Run, subject: str) -> Report:
        """The report on what `subject` names. Errors: `UsageError` where it names nothing."""
        return report(book, () if subject == ALL else (subject,), run=run)[0]


def report(
    book: Book, names: Sequence[str], *, run: Run, assumptions: Assumptions | None = None
) -> tuple[Report, tuple[Exposure, ...]]:
    """The report, and the verdicts in it; `names` are feeds and assets, none of them: everything.

    Errors: `UsageError` where a name means nothing.
    """
    assumed = assumptions or Assumptions()
    found = sorted(exposures(book, assumed, chosen(book, names)), key=_rank)
    relying = {one.quoted: dependants(book, one.quoted.listings) for one in found}
    hidden = hidden_losses(book, health_factors(book))
    return (
        Report(
            title="Oracle exposure",
            header=header_of(book, run),
            lead=(Paragraph(_answer(book, found)), *_warnings(book, found), _tiles(found, hidden)),
            sections=tuple(_sections(book, found, relying, hidden, assumed)),
            data=data.of(book, found, relying, hidden, assumed),
            csv=tables.FEEDS,
        ),
        tuple(found),
    )


def _rank(one: Exposure) -> tuple[int, float]:
    profit = one.max_profit_usd
    return _ORDER[one.verdict], -profit if profit == profit else 0.0


def _answer(book: Book, found: Sequence[Exposure]) -> str:
    by = {verdict: [one for one in found if one.verdict == verdict] for verdict in _ORDER}
    unsafe, unknown = by["unsafe"], by["unknown"]
    if not found:
        return "No market is indexed, so there is no price that anybody relies on."
    said = f"Of {plural(len(found), 'price')} that markets rely on, "
    if unsafe:
        names = [f"that of {asset_label(book, one.quoted.asset)}" for one in unsafe]
        said += f"{len(unsafe)} can be made to pay whoever lies about it: {listed(names)}. "
    else:
        said += "none would pay whoever lied about it. "
    if unknown:
        said += f"Of {plural(len(unknown), 'price')} nothing can be said. "
    return said + "The numbers are at market prices, and from the pools' own integers."


def _warnings(book: Book, found: Sequence[Exposure]) -> Iterator[Note]:
    for one in found:
        if one.verdict == "unsafe":
            yield Note("warning", f"{words.name(book, one)}: {words.reason(book, one)}", "unsafe")


def _tiles(found: Sequence[Exposure], hidden: Sequence[Hidden]) -> Numbers:
    unsafe = [one for one in found if one.verdict == "unsafe"]
    unknown = sum(one.verdict == "unknown" for one in found)
    most = max((one.max_profit_usd for one in unsafe), default=0.0)
    lost = sum(one.uncovered_usd for one in hidden)
    return Numbers(
        (
            Number(key="unsafe", label="Unsafe", value=len(unsafe), kind="int", tone="loss"),
            Number(key="unknown", label="Unknown", value=unknown, kind="int"),
            Number(key="prices", label="Prices", value=len(found), kind="int"),
            Number(key="most", label="Most one lie earns", value=most, kind="usd", tone="loss"),
            Number(
                key="hidden",
                label="Uncovered, yet healthy",
                value=lost,
                kind="usd",
                tone="loss",
                note="by the oracles' prices nobody can liquidate it",
            ),
        )
    )


def _sections(
    book: Book,
    found: Sequence[Exposure],
    relying: dict[Quoted, tuple[Dependant, ...]],
    hidden: Sequence[Hidden],
    assumed: Assumptions,
) -> Iterator[Section]:
    yield Section("prices", "Every price", (tables.feeds(book, found),))
    attacks = [one for one in found if one.verdict == "unsafe"]
    if attacks:
        yield Section("attacks", "What would be done", tuple(tables.attacks(book, attacks)))
    yield Section("ways", "Every way to move a price", (tables.ways(book, found),))
    standing = tables.ages(book, found, relying), tables.relying(book, found, relying)
    yield Section("dependants", "How old each is, and who relies on it", standing)
    yield Section("hidden-losses", "Two prices of one thing", (tables.hidden(book, hidden),))
    yield Section("assumptions", "What is assumed", (tables.assumptions(assumed),))


REPORT = OraclesReport()
