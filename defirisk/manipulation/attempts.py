"""What a lie earns: borrowing against what is valued too high, borrowing what is valued too low,
and taking the collateral of borrowers who were healthy.

profit = what is taken - what is left behind or repaid - what the lie costs, in USD at market prices
(notes 1.8: Pi(m) = min(V, CF q O(m)) - cost(m) - q P). Taken is all that can be: where nothing of
it pays, the attempt is one that loses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from defirisk.core.book import Book
from defirisk.manipulation.assumptions import Assumptions
from defirisk.manipulation.lending import Listing, Loan, Prices, borrow
from defirisk.manipulation.lies import TRUTH, Family, Lie
from defirisk.manipulation.search import Peak, best_move
from defirisk.manipulation.seizing import borrowers

Aim = Literal["borrow against it", "borrow it", "liquidate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attack on one market. `earned_usd` is taken, `left_usd` left behind or repaid.

    `oracle_move` is the factor on the oracle's price of the listing that is lied about.
    `anyway_usd` is what could be gained without the lie, by liquidating at fair prices.
    """

    aim: Aim
    listing: Listing
    lie: Lie
    earned_usd: float
    left_usd: float
    oracle_move: float
    loan: Loan | None = None
    anyway_usd: float = 0.0
    tried: tuple[tuple[float, float], ...] = ()

    @property
    def profit_usd(self) -> float:
        """What is gained in the end; negative where the attempt loses."""
        return self.earned_usd - self.left_usd - self.lie.cost_usd - self.anyway_usd

    @property
    def capital_usd(self) -> float:
        """What must be at hand."""
        return self.lie.capital_usd + self.left_usd

    def within(self, capital_usd: float) -> Attempt | None:
        """The part of it for which the capital is enough; None where not even the lie is paid."""
        if self.capital_usd <= capital_usd:
            return self
        left = capital_usd - self.lie.capital_usd
        if not 0 < left <= self.left_usd:
            return None
        share = left / self.left_usd
        return replace(
            self,
            earned_usd=self.earned_usd * share,
            left_usd=left,
            loan=None if self.loan is None else self.loan.part(share),
        )

    def flash_profit_usd(self, fee: float) -> float | None:
        """With all capital lent for one transaction; None where one is not enough."""
        way = self.lie.way
        if way is not None and not way.in_one_transaction:
            return None
        return self.profit_usd - fee * self.capital_usd


LEAST = 1e-4
"""How finely the least move is sought, as a fraction of it."""

Earner = Callable[[Lie], Attempt | None]


def earners(
    book: Book, listing: Listing, others: Sequence[Listing], assumptions: Assumptions
) -> Iterator[Earner]:
    """What can be done in one market with a lie about one of its assets."""
    slippage = 1 + float(assumptions.slippage)

    def against(lie: Lie) -> Attempt | None:
        loan = borrow(listing, others, _about(listing, lie, max))
        return _of_loan("borrow against it", listing, lie, loan, slippage)

    def owing(lie: Lie) -> Attempt | None:
        oracle = _about(listing, lie, min)
        loans = [loan for one in others if (loan := borrow(one, [listing], oracle)) is not None]
        best = max(loans, key=lambda one: one.borrowed_usd - one.left_usd, default=None)
        return _of_loan("borrow it", listing, lie, best, slippage)

    if listing.backs:
        yield against
    if listing.free > 0:
        yield owing
    if len(others) == 1:
        yield from _liquidating(book, listing, others[0])


def _of_loan(
    aim: Aim, listing: Listing, lie: Lie, loan: Loan | None, slippage: float
) -> Attempt | None:
    if loan is None:
        return None
    return Attempt(
        aim=aim,
        listing=listing,
        lie=lie,
        earned_usd=loan.borrowed_usd,
        left_usd=loan.left_usd * slippage,
        oracle_move=_factor(listing, lie),
        loan=loan,
    )


def _liquidating(book: Book, listing: Listing, other: Listing) -> Iterator[Earner]:
    sides = (listing, other) if listing.facts.liquidation_threshold > 0 else (other, listing)
    owing = borrowers(book, *sides)
    if not len(owing.owed):
        return
    now, fair = (
        taken - repaid
        for taken, repaid in map(owing.seized, (oracle_at(TRUTH), lambda one: one.worth_usd))
    )

    def liquidating(lie: Lie) -> Attempt | None:
        taken, repaid = owing.seized(oracle_at(lie))
        if taken - repaid <= now:
            return None  # the truth does as well
        return Attempt(
            aim="liquidate",
            listing=listing,
            lie=lie,
            earned_usd=taken,
            left_usd=repaid,
            oracle_move=_factor(listing, lie),
            anyway_usd=max(now, fair, 0.0),
        )

    yield liquidating


def oracle_at(lie: Lie) -> Prices:
    """What oracles say while the lie lasts; each is asked once."""
    said: dict[tuple[int, str, int], float] = {}

    def oracle(listing: Listing) -> float:
        if listing.place not in said:
            said[listing.place] = listing.oracle(lie.moved)
        return said[listing.place]

    return oracle


def _about(listing: Listing, lie: Lie, fairer: Callable[[float, float], float]) -> Prices:
    """As `oracle_at`, with all else at its market price where its oracle is wrong in the
    attacker's favour: what another price earns is no fault of this one.
    """
    said, before = oracle_at(lie), oracle_at(TRUTH)

    def oracle(other: Listing) -> float:
        price = said(other)
        if other.place == listing.place or price != before(other):
            return price
        return fairer(price, other.worth_usd)

    return oracle


def _factor(listing: Listing, lie: Lie) -> float:
    before = listing.oracle(TRUTH.moved)
    return listing.oracle(lie.moved) / before if before else float("nan")


def best_attempt(
    earn: Earner, family: Family, assumptions: Assumptions, fee: float = 0.0
) -> Attempt | None:
    """The most profitable size that the capital is enough for; `fee` of all capital is paid on top.
    None: nothing is earned whatever the size.
    """
    lie_of = cache(family.of)

    def value(factor: float) -> float:
        attempt = earn(lie_of(factor))
        within = None if attempt is None else attempt.within(assumptions.capital_usd)
        if within is None:
            return float("-inf")
        return within.profit_usd - fee * within.capital_usd

    peak: Peak = best_move(value, assumptions.largest_move)
    found = earn(lie_of(peak.at))
    within = None if found is None else found.within(assumptions.capital_usd)
    return None if within is None else replace(within, tried=peak.tried)


def break_even(earn: Earner, family: Family, assumptions: Assumptions) -> Attempt | None:
    """The least move at which what is taken is worth what is left; None where no move does it."""

    def pays(attempt: Attempt) -> bool:
        return attempt.loan is not None and attempt.earned_usd >= attempt.left_usd

    return _least(earn, family, assumptions.largest_move, pays)


def least_capital(earn: Earner, family: Family, largest: float) -> float | None:
    """From how much capital on something is gained, by any move up to `largest`: what is pushed
    in, and as much collateral as earns the cost of pushing. None: never.
    """

    def needed(attempt: Attempt | None) -> float:
        if attempt is None or attempt.profit_usd <= 0:
            return float("inf")
        margin = attempt.earned_usd - attempt.left_usd
        return attempt.lie.capital_usd + attempt.left_usd * attempt.lie.cost_usd / margin

    peak = best_move(lambda factor: -needed(earn(family.of(factor))), largest)
    return None if peak.value == float("-inf") else -peak.value


def _least(
    earn: Earner, family: Family, largest: float, holds: Callable[[Attempt], bool]
) -> Attempt | None:
    """The least move for which something holds that, once it does, goes on to hold."""

    def at(factor: float) -> Attempt | None:
        attempt = earn(family.of(factor))
        return attempt if attempt is not None and holds(attempt) else None

    found = at(largest)
    if found is None:
        return None
    low, high = 1.0, largest
    while high / low > 1 + LEAST:
        middle = (low * high) ** 0.5
        attempt = at(middle)
        low, high, found = (middle, high, found) if attempt is None else (low, middle, attempt)
    return found
