"""All reports on one chain as the pages of a site: what the demo and the nightly run write."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from defirisk.core.errors import DefiriskError

if TYPE_CHECKING:
    from defirisk.core.book import Book
    from defirisk.core.outcome import Outcome
    from defirisk.core.verdict import Verdict
    from defirisk.reports.model import Run
    from defirisk.reports.site import Page
    from defirisk.store.database import Store

Shocks = Sequence[Sequence[str]]
"""Scenarios, each by the texts of its shocks."""

_LARGEST = 5
_FALLS = ("-20%", "-40%")
_PLAIN = re.compile(r"[A-Za-z0-9._+-]{1,30}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainPages:
    """The pages by their file names, and what a summary of them needs."""

    book: Book
    outcome: Outcome
    pages: dict[str, Page]


class Tell(Protocol):
    """Is told of a part that could not be made; raises where that is the end of it."""

    def __call__(self, part: str, error: DefiriskError, /) -> None: ...


def insist(_part: str, error: DefiriskError) -> None:
    """For those who want all parts or none."""
    raise error


def chain_pages(
    store: Store,
    chain_id: int | None,
    shocks: Shocks,
    cascades: Shocks,
    verdicts: Sequence[Verdict],
    run: Run,
    failed: Tell = insist,
) -> ChainPages:
    """Every kind of report, the shocks, the cascades, the graph, and what was verified."""
    from defirisk.cli.session import load, load_all
    from defirisk.contagion.screen import screen
    from defirisk.core.plugins import reports
    from defirisk.reports.site import ordered, plug_in_pages
    from defirisk.shocks.grammar import scenario

    book = load(store, (), chain_id, None)[0]
    chain = load_all(store, chain_id, None)[0]
    outcome = screen(book, [scenario("", texts, book) for texts in shocks])

    def only(name: str) -> Book:
        return load(store, (name,), chain_id, None)[0]

    parts: dict[str, Callable[[], dict[str, Page]]] = {
        kind: partial(plug_in_pages, {kind: report}, chain, only, run=run)
        for kind, report in ordered(reports()).items()
    }
    parts["stress"] = lambda: _stress(book, outcome, run)
    parts["cascade"] = lambda: _cascade(book, cascades, run)
    parts["graph"] = lambda: _graph(chain, run)
    parts["verify"] = lambda: _verified(verdicts, run)
    pages: dict[str, Page] = {}
    for part, make in parts.items():
        try:
            pages |= make()
        except DefiriskError as error:
            failed(part, error)
    return ChainPages(book=book, outcome=outcome, pages=pages)


def _stress(book: Book, outcome: Outcome, run: Run) -> dict[str, Page]:
    from defirisk.reports import stress
    from defirisk.reports.site import Page

    page = Page(
        report=stress.build(book, outcome, run=run),
        name="Stress",
        about="What each shock would put at risk, by deployment and by asset",
    )
    return {"stress.html": page}


def _cascade(book: Book, cascades: Shocks, run: Run) -> dict[str, Page]:
    from defirisk.contagion.screen import screen
    from defirisk.reports import cascade
    from defirisk.reports.site import Page
    from defirisk.shocks.grammar import scenario

    played = [scenario("", texts, book) for texts in cascades]
    page = Page(
        report=cascade.build(book, screen(book, played), cascade.play_cases(book, played), run=run),
        name="Cascade",
        about="Liquidations that move prices, round by round: who pays, and how far prices go",
    )
    return {"cascade.html": page}


def _graph(chain: Book, run: Run) -> dict[str, Page]:
    from defirisk.graph.build import compose
    from defirisk.graph.measures import measures
    from defirisk.reports import graph
    from defirisk.reports.site import Page

    page = Page(
        report=graph.report(compose(chain), list(measures().values()), run=run),
        name="Graph",
        about="Who stands on what: to be filtered and clicked",
    )
    return {"graph.html": page}


def _verified(verdicts: Sequence[Verdict], run: Run) -> dict[str, Page]:
    from defirisk.reports import verification
    from defirisk.reports.site import Page

    if not verdicts:
        return {}
    page = Page(
        report=verification.build(verdicts, run=run),
        name="Verified",
        about="Which numbers were compared with the contracts' own answers",
    )
    return {"verify.html": page}


def usual_shocks(book: Book) -> list[tuple[str, ...]]:
    """What is asked when nobody says what: falls of the largest collaterals, alone and together."""
    worth: dict[int, float] = {}
    for market in book.markets:
        value = market.supplied * market.price_usd
        if value > 0:  # not where it is unknown
            worth[market.asset] = worth.get(market.asset, 0.0) + value
    largest = sorted(worth, key=lambda at: -worth[at])[:_LARGEST]
    named = [_name(book, at) for at in largest]
    alone: list[tuple[str, ...]] = [(f"price:{n}={fall}",) for n in named for fall in _FALLS]
    together = tuple(f"price:{name}={_FALLS[0]}" for name in named)
    return [*alone, together] if len(named) > 1 else alone


def _name(book: Book, at: int) -> str:
    """Of an asset, as a shock takes it: tokens choose their own symbols, and two may choose one."""
    asset = book.assets[at]
    same = [one for one in book.assets if one.symbol.casefold() == asset.symbol.casefold()]
    return asset.symbol if len(same) == 1 and _PLAIN.fullmatch(asset.symbol) else asset.address
