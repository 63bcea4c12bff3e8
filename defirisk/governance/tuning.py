"""The frontier of one asset: bad debt under named scenarios against borrowing power."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from defirisk.core.book import Book, Edge, Floats
from defirisk.core.errors import UsageError
from defirisk.core.scenario import Scenario
from defirisk.governance.change import Terms
from defirisk.governance.impact import liquidatable_now
from defirisk.governance.losses import Engine, Losses, losses
from defirisk.governance.parameters import Parameters, with_parameters
from defirisk.governance.power import power
from defirisk.governance.usage import at_same_use

BPS = 10_000
Progress = Callable[[int, int], None]


def _silent(done: int, total: int) -> None:
    del done, total


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One set of parameters. Bad debt is that of the worst scenario, by name; USD.

    `same_use` is bad debt if every borrower used the same share of the power as today. `is_best`:
    no other point has as much power for less of it.
    """

    terms: Terms
    is_today: bool
    power_usd: float
    bad_debt_usd: float
    same_use_usd: float
    worst: str
    liquidatable: float
    made_liquidatable: int
    is_best: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """How a market's book is turned to other terms of one asset."""

    book: Book
    deployment: int
    today: Terms
    parameters: Callable[[Terms], Parameters]
    edge: Callable[[Terms], Edge]

    def at(self, terms: Terms) -> Book:
        """The book under these terms."""
        return with_parameters(self.book, self.parameters(terms), self.edge(terms))


def grid(
    today: Terms, thresholds: Sequence[int], bonuses: Sequence[int], *, keep_ltv: bool
) -> list[Terms]:
    """Terms that the contract would accept, today's among them, by bonus and threshold.

    The LTV stays (`keep_ltv`) or keeps its distance to the threshold. Errors: `UsageError` where
    none is accepted.
    """
    gap = today.liquidation_threshold_bps - today.ltv_bps
    found = {today}
    for bonus in bonuses:
        for threshold in thresholds:
            ltv = today.ltv_bps if keep_ltv else max(threshold - gap, 0)
            accepted = (threshold * (BPS + bonus) + BPS // 2) // BPS <= BPS
            if 0 <= ltv <= threshold and threshold > 0 and bonus > 0 and accepted:
                found.add(
                    replace(
                        today,
                        ltv_bps=ltv,
                        liquidation_threshold_bps=threshold,
                        liquidation_bonus_bps=bonus,
                    )
                )
    if len(found) == 1:
        raise UsageError("the contract would accept none of these parameters: widen --lt")
    return sorted(found, key=lambda one: (one.liquidation_bonus_bps, one.liquidation_threshold_bps))


def frontier(
    dial: Dial,
    terms: Sequence[Terms],
    scenarios: Sequence[Scenario],
    progress: Progress = _silent,
    engine: Engine = "static",
) -> list[Point]:
    """Every point, in the order of `terms`; `progress` is told how many of how many are done.

    `engine` says what bad debt is: see `losses.SAYS`.
    """
    today = liquidatable_now(dial.book, dial.deployment)
    points = []
    for done, one in enumerate(terms):
        points.append(_point(dial, one, scenarios, today, engine))
        progress(done + 1, len(terms))
    return list(_judged(points))


def _point(
    dial: Dial, terms: Terms, scenarios: Sequence[Scenario], today: set[int], engine: Engine
) -> Point:
    book = dial.at(terms)
    as_is = losses(book, scenarios, engine)
    same_use = losses(at_same_use(dial.book, book), scenarios, engine)
    bad_debt = _bad_debt(as_is, dial.deployment)
    worst = int(np.argmax(bad_debt)) if len(bad_debt) else 0
    return Point(
        terms=terms,
        is_today=terms == dial.today,
        power_usd=power(book, dial.deployment).total_usd,
        bad_debt_usd=float(bad_debt[worst]) if len(bad_debt) else 0.0,
        same_use_usd=float(_bad_debt(same_use, dial.deployment).max(initial=0.0)),
        worst=scenarios[worst].name if scenarios else "",
        liquidatable=float(as_is.liquidatable_accounts[dial.deployment].max(initial=0)),
        made_liquidatable=len(liquidatable_now(book, dial.deployment) - today),
    )


def _bad_debt(outcome: Losses, deployment: int) -> Floats:
    """By scenario; what is unknown counts as nothing."""
    return np.asarray(np.nan_to_num(outcome.bad_debt_usd[deployment]), dtype=np.float64)


def _judged(points: Sequence[Point]) -> Iterator[Point]:
    for one in points:
        beaten = any(
            other.power_usd >= one.power_usd
            and other.same_use_usd <= one.same_use_usd
            and (other.power_usd > one.power_usd or other.same_use_usd < one.same_use_usd)
            for other in points
        )
        yield replace(one, is_best=not beaten)
