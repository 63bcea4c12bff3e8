"""A book with everything that can fail in it failed once, all in one batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from defirisk.contagion.failure.aftermath import Aftermath, aftermaths, can_be_played
from defirisk.contagion.failure.losses import lost_usd
from defirisk.contagion.failure.settle import Settled, fail
from defirisk.contagion.valuation import UNMOVED, positions
from defirisk.core.book import Book
from defirisk.graph.build import Composition, compose
from defirisk.graph.failure.exposure import (
    ExposedMarket,
    ExposedVault,
    exposed_markets,
    exposed_vaults,
)
from defirisk.graph.failure.path import Path, path
from defirisk.graph.failure.sales import sales
from defirisk.graph.failure.subjects import Subject, find, subjects
from defirisk.metrics.systemic import marginal, ranked


@dataclass(frozen=True, slots=True, kw_only=True)
class Studied:
    """`losses` are those of each failure beyond today's, NaN where unknown; `order` has the worst
    first. The last scenario of `settled` and of `played` is today. `vaults` are those exposed to
    each. `at_once` is as `losses`, but that nothing is sold; `lost_now` likewise is today's.

    `played` is empty where nothing in the book can be liquidated: both are the same then.
    """

    book: Book
    made: Composition
    subjects: tuple[Subject, ...]
    settled: Settled
    played: tuple[Aftermath, ...]
    losses: tuple[float, ...]
    at_once: tuple[float, ...]
    order: tuple[int, ...]
    lost_now: float
    unknown_now: int
    vaults: tuple[tuple[ExposedVault, ...], ...]

    @property
    def converged(self) -> bool:
        """Whether every scenario settled."""
        return bool(self.settled.converged.all())


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """One failure: who is exposed, and its steps. `rank` counts from 1, None where it is not among
    those that are ranked. `loss` and `at_once` are beyond today's, as those of `Studied`; `sales`
    are the steps of liquidations beyond today's, None where nothing can be liquidated.
    """

    subject: Subject
    vaults: tuple[ExposedVault, ...]
    markets: tuple[ExposedMarket, ...]
    path: Path
    settled: Settled
    scenario: int
    loss: float
    at_once: float
    played: Aftermath | None
    sales: Path | None
    rank: int | None


_last: list[Studied] = []


def studied(book: Book) -> Studied:
    """All failures of a book; the last book is kept, since pages ask for it again and again."""
    if not _last or _last[0].book is not book:
        _last[:] = [_study(book)]
    return _last[0]


def _study(book: Book) -> Studied:
    made, held = compose(book), positions(book)
    every = subjects(made)
    scenarios = [*(one.scenario for one in every), UNMOVED]
    settled = fail(book, scenarios)
    played = aftermaths(book, scenarios) if can_be_played(book) else ()
    lost = at_once = lost_usd(book, settled)
    if played:
        lost = np.array([one.lost_usd for one in played])
    losses = marginal(lost)
    return Studied(
        book=book,
        made=made,
        subjects=every,
        settled=settled,
        played=played,
        losses=tuple(losses.tolist()),
        at_once=tuple(marginal(at_once).tolist()),
        order=tuple(ranked(losses).tolist()),
        lost_now=float(at_once[-1]),
        unknown_now=int(settled.unknown[-1]),
        vaults=tuple(exposed_vaults(made, one, held) for one in every),
    )


def failed(its: Studied, name: str) -> Failed:
    """The failure that `name` means. Errors: `UsageError`."""
    subject = find(its.made, name)
    places = [i for i, one in enumerate(its.subjects) if one.node == subject.node]
    same = bool(places) and its.subjects[places[0]].scenario.moves == subject.scenario.moves
    if same:
        settled, s = its.settled, places[0]
        loss, at_once = its.losses[s], its.at_once[s]
        played = its.played[s] if its.played else None
    else:
        settled, s = fail(its.book, [subject.scenario]), 0
        loss = at_once = float(lost_usd(its.book, settled)[0]) - its.lost_now
        played = aftermaths(its.book, [subject.scenario])[0] if its.played else None
        if played is not None:
            loss = played.lost_usd - its.played[-1].lost_usd
    return Failed(
        subject=subject,
        vaults=exposed_vaults(its.made, subject),
        markets=exposed_markets(its.made, subject),
        path=path(its.made, subject, settled, s),
        settled=settled,
        scenario=s,
        loss=loss,
        at_once=at_once,
        played=played,
        sales=None if played is None else sales(its.made, played, its.played[-1]),
        rank=its.order.index(s) + 1 if same else None,
    )
