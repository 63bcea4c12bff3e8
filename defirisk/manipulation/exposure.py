"""The verdict on every price of a book: safe, unsafe or unknown, and the numbers behind it.

Unsafe is what earns its best attacker something. Safe is what costs more than it earns at every
size of the move, and what no trade here moves. Unknown is what nothing can be said of.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from defirisk.core.book import Book
from defirisk.core.evm import Address
from defirisk.core.quote import Constant, Feed, Spot, Twap, exact, leaves, parts
from defirisk.manipulation.assumptions import Assumptions
from defirisk.manipulation.attempts import (
    Attempt,
    Earner,
    best_attempt,
    break_even,
    earners,
    least_capital,
)
from defirisk.manipulation.lending import Listing, listings
from defirisk.manipulation.lies import TRUTH, Family, families
from defirisk.manipulation.quoted import Quoted, quoted
from defirisk.manipulation.resistance import market_cost

Verdict = Literal["safe", "unsafe", "unknown"]
Cause = Literal[
    "no answer", "no market price", "unknown source", "unknown mean", "perpetual",  # unknown
    "mispriced", "pays",  # unsafe
    "reported", "written", "fixed", "loses", "unused",  # safe
]  # fmt: skip
NETWORKS = ("chainlink", "pyth")
"""Kinds of feeds for which a network of reporters answers, whatever is traded here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """One price. `best` is the most profitable attempt, a losing one where all lose; None where
    nothing can be borrowed with it.

    `cost_usd` is what the lie of the best attempt costs; where no attempt pays, what the least lie
    costs that would make the collateral worth its loan (`pools` > 0: by moving the market itself
    in so many pools, a lower bound). `max_profit_usd` is NaN where unknown. `flash_profit_usd` is
    what is left with capital lent for one transaction, None where one is not enough;
    `least_capital_usd` from which on the attack pays, None where nothing is moved. `by_way` is the
    best attempt of every way to move it, the most profitable first.
    """

    quoted: Quoted
    verdict: Verdict
    cause: Cause
    cost_usd: float
    max_profit_usd: float
    best: Attempt | None = None
    flash_profit_usd: float | None = None
    pools: int | None = None
    needed_move: float | None = None
    least_capital_usd: float | None = None
    by_way: tuple[Attempt, ...] = ()


def exposures(
    book: Book, assumptions: Assumptions, chosen: Sequence[Quoted] | None = None
) -> tuple[Exposure, ...]:
    """Of every price of the book, or of the chosen ones."""
    markets = listings(book)
    every = [one for some in markets.values() for one in some]
    wanted = quoted(book, every) if chosen is None else chosen
    judge = _Judge(book, assumptions, markets)
    return tuple(judge.exposure(one) for one in wanted)


class _Judge:
    def __init__(
        self,
        book: Book,
        assumptions: Assumptions,
        markets: Mapping[tuple[int, str], tuple[Listing, ...]],
    ) -> None:
        self._book, self._assumptions, self._markets = book, assumptions, markets
        pairs = zip(book.assets, book.asset_price, strict=True)
        self._prices: dict[Address, float] = {one.address: float(p) for one, p in pairs}

    def exposure(self, one: Quoted) -> Exposure:
        doubt = next((cause for each in one.listings if (cause := self._doubt(each))), None)
        found = self._attempts(one)
        best, how = max(found, key=lambda pair: pair[0].profit_usd, default=(None, None))
        moving = _by_way([attempt for attempt, _ in found])
        if best is not None and best.profit_usd > 0:
            return replace(self._unsafe(one, best, how), by_way=moving)
        if doubt is not None:
            nan = float("nan")
            return Exposure(
                quoted=one, verdict="unknown", cause=doubt, cost_usd=nan, max_profit_usd=nan
            )
        cost, pools, move = self._resistance(one, best)
        return Exposure(
            quoted=one,
            verdict="safe",
            cause=self._cause(one, best),
            cost_usd=cost,
            max_profit_usd=best.profit_usd if best is not None else 0.0,
            best=best,
            pools=pools,
            needed_move=move,
            by_way=moving,
        )

    def _unsafe(self, one: Quoted, best: Attempt, family: tuple[Earner, Family] | None) -> Exposure:
        fee = float(self._assumptions.flash_loan_fee)
        flash = best.flash_profit_usd(fee)
        if family is not None and flash is not None:
            lent = best_attempt(*family, self._assumptions, fee)
            flash = None if lent is None else lent.flash_profit_usd(fee)
        largest = max(best.lie.move, 1 / best.lie.move)
        least = None if family is None else least_capital(*family, largest)
        return Exposure(
            quoted=one,
            verdict="unsafe",
            cause="mispriced" if best.lie is TRUTH else "pays",
            cost_usd=best.lie.cost_usd,
            max_profit_usd=best.profit_usd,
            best=best,
            flash_profit_usd=flash,
            least_capital_usd=least,
        )

    def _earners(self, one: Quoted) -> Iterator[tuple[Listing, Earner]]:
        """None of perpetuals: there, nothing is lent, and whoever liquidates takes over a position
        with what is left of its margin.
        """
        for listing in one.listings:
            if self._is_perpetual(listing):
                continue
            market = self._markets[listing.facts.deployment, listing.facts.market]
            others = [other for other in market if other.asset != listing.asset]
            for earner in earners(self._book, listing, others, self._assumptions):
                yield listing, earner

    def _is_perpetual(self, listing: Listing) -> bool:
        return self._book.deployments[listing.facts.deployment].perps_of is not None

    def _families(self, listing: Listing) -> tuple[Family, ...]:
        sources = self._book.sources
        return tuple(families(listing.program, sources, self._prices, self._assumptions))

    def _attempts(self, one: Quoted) -> list[tuple[Attempt, tuple[Earner, Family] | None]]:
        """The best attempt of each kind, and how it was found; first those that move nothing."""
        earners_of = list(self._earners(one))
        found: list[tuple[Attempt, tuple[Earner, Family] | None]] = [
            (honest, None) for _, earner in earners_of if (honest := earner(TRUTH)) is not None
        ]
        for listing, earner in earners_of:
            for family in self._families(listing):
                attempt = best_attempt(earner, family, self._assumptions)
                if attempt is not None:
                    found.append((attempt, (earner, family)))
        return [pair for pair in found if not math.isnan(pair[0].profit_usd)]

    def _resistance(
        self, one: Quoted, best: Attempt | None
    ) -> tuple[float, int | None, float | None]:
        """What the least lie costs that would pay for its collateral."""
        costs = []
        for listing, earner in self._earners(one):
            for family in self._families(listing):
                attempt = break_even(earner, family, self._assumptions)
                if attempt is not None and not math.isnan(attempt.lie.cost_usd):
                    costs.append((attempt.lie.cost_usd, attempt.lie.move))
        if costs:
            cost, move = min(costs)
            return cost, None, move
        needed = 1.0 if best is None or not best.earned_usd else best.left_usd / best.earned_usd
        if best is not None and best.aim == "borrow it":
            needed = 1 / needed
        elif one.kind == "hard-coded":
            needed = 1 / needed  # the market would have to come down to it
        cost, pools = market_cost(self._book, one.asset, needed)
        return cost, pools, needed

    def _cause(self, one: Quoted, best: Attempt | None) -> Cause:
        if best is None:
            return "unused"
        if any(self._families(listing) for listing in one.listings):
            return "loses"
        if one.kind == "hard-coded":
            return "written"
        return "reported" if one.kind in NETWORKS else "fixed"

    def _doubt(self, listing: Listing) -> Cause | None:
        """Why nothing can be said of a price."""
        if exact(listing.program) is None:
            return "no answer"
        if math.isnan(listing.worth_usd):
            return "no market price"
        if self._is_perpetual(listing) and self._families(listing):
            return "perpetual"
        answers, venues = self._book.sources.answers, self._book.sources.venues
        for leaf in leaves(listing.program):
            if isinstance(leaf, Feed):
                answer = answers.get(leaf.address)
                if answer is None or answer.kind not in NETWORKS:
                    return "unknown source"
            if isinstance(leaf, Spot) and leaf.venue not in venues:
                return "unknown source"
        return "unknown mean" if _strange_mean(listing) else None


def _strange_mean(listing: Listing) -> bool:
    pending = [listing.program]
    while pending:
        program = pending.pop()
        if isinstance(program, Twap) and not isinstance(program.part, Spot):
            return not all(isinstance(leaf, Constant) for leaf in leaves(program))
        pending += parts(program)
    return False


def _by_way(attempts: Sequence[Attempt]) -> tuple[Attempt, ...]:
    best: dict[str, Attempt] = {}
    for one in sorted(attempts, key=lambda attempt: -attempt.profit_usd):
        if one.lie.way is not None:
            best.setdefault(one.lie.way.name, one)
    return tuple(best.values())
