"""A book with everything that can fail in it failed once, all in one batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
from defirisk.graph.failure.subjects import Subject, find, subjects
from defirisk.metrics.systemic import ranked


@dataclass(frozen=True, slots=True, kw_only=True)
class Studied:
    """`losses` are those of each failure beyond `lost_now`, NaN where unknown; `order` has the
    worst first. The last scenario of `settled` is today. `vaults` are those exposed to each.
    """

    book: Book
    made: Composition
    subjects: tuple[Subject, ...]
    settled: Settled
    losses: tuple[float, ...]
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
    those that are ranked. `loss` is beyond today's, `total` with it.
    """

    subject: Subject
    vaults: tuple[ExposedVault, ...]
    markets: tuple[ExposedMarket, ...]
    path: Path
    settled: Settled
    scenario: int
    loss: float
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
    settled = fail(book, [*(one.scenario for one in every), UNMOVED])
    lost = lost_usd(book, settled)
    losses = lost[:-1] - lost[-1]
    return Studied(
        book=book,
        made=made,
        subjects=every,
        settled=settled,
        losses=tuple(losses.tolist()),
        order=tuple(ranked(np.asarray(losses)).tolist()),
        lost_now=float(lost[-1]),
        unknown_now=int(settled.unknown[-1]),
        vaults=tuple(exposed_vaults(made, one, held) for one in every),
    )


def failed(its: Studied, name: str) -> Failed:
    """The failure that `name` means. Errors: `UsageError`."""
    subject = find(its.made, name)
    places = [i for i, one in enumerate(its.subjects) if one.node == subject.node]
    same = bool(places) and its.subjects[places[0]].scenario.moves == subject.scenario.moves
    if same:
        settled, s, loss = its.settled, places[0], its.losses[places[0]]
    else:
        settled, s = fail(its.book, [subject.scenario]), 0
        loss = float(lost_usd(its.book, settled)[0]) - its.lost_now
    return Failed(
        subject=subject,
        vaults=exposed_vaults(its.made, subject),
        markets=exposed_markets(its.made, subject),
        path=path(its.made, subject, settled, s),
        settled=settled,
        scenario=s,
        loss=loss,
        rank=its.order.index(s) + 1 if same else None,
    )
