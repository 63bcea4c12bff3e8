"""What can be borrowed against what: the markets of a book, as an attacker reads them.

Whole tokens and fractions as in the book; NaN policy: what has no known price is left out of what
can be taken, and a collateral without one takes nothing. Not considered: e-modes, debt ceilings of
isolated assets and siloed borrowing, so that what is said can be borrowed is the most.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from defirisk.core.book import Book, MarketFacts
from defirisk.core.evm import Address
from defirisk.core.quote import Program, rate_value
from defirisk.manipulation.moved import Moved
from defirisk.metrics.place import Place, quotes_by_market

CLOSED = frozenset({"inactive", "frozen", "paused"})
NO_SUPPLY = CLOSED | {"minting paused", "deprecated"}
NO_BORROW = CLOSED | {"not borrowable", "borrowing paused", "deprecated"}

SPARE = 1e-6
"""More collateral than is needed, as a fraction: contracts round against the borrower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One asset in one market; `worth_usd` is its market price, `quote` a quote of its."""

    facts: MarketFacts
    asset: Address
    quote: int
    program: Program
    rate: Fraction
    worth_usd: float

    @property
    def place(self) -> Place:
        """Its identity in the book."""
        return self.facts.deployment, self.facts.market, self.facts.asset

    @property
    def backs(self) -> bool:
        """Whether somebody can still borrow against it."""
        return self.facts.ltv > 0 and not NO_SUPPLY & set(self.facts.flags)

    @property
    def room(self) -> float:
        """Whole tokens that can still be supplied."""
        cap = self.facts.supply_cap
        return max(cap - self.facts.supplied, 0.0) if cap else math.inf

    @property
    def free(self) -> float:
        """Whole tokens that can be borrowed: what is there, within the cap."""
        if NO_BORROW & set(self.facts.flags):
            return 0.0
        cap = self.facts.borrow_cap
        left = max(cap - self.facts.borrowed, 0.0) if cap else math.inf
        return max(min(self.facts.cash, left), 0.0)

    def oracle(self, moved: Moved) -> float:
        """What the market's oracle says of a whole token then; NaN where it cannot be known."""
        said = moved.value(self.program, self.asset)
        return float("nan") if said is None or self.rate == 0 else float(said / self.rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """Whole tokens of collateral that are left behind, and what was borrowed against them."""

    collateral: Listing
    left: float
    left_usd: float
    borrowed: tuple[tuple[Listing, float], ...]
    borrowed_usd: float

    def part(self, share: float) -> Loan:
        """A fraction of all of it."""
        return replace(
            self,
            left=self.left * share,
            left_usd=self.left_usd * share,
            borrowed=tuple((listing, tokens * share) for listing, tokens in self.borrowed),
            borrowed_usd=self.borrowed_usd * share,
        )


def listings(book: Book) -> dict[tuple[int, str], tuple[Listing, ...]]:
    """The assets of every market that have a quote, by deployment and market."""
    quotes = quotes_by_market(book)
    found: dict[tuple[int, str], list[Listing]] = {}
    for facts in book.markets:
        own = quotes.get((facts.deployment, facts.market, facts.asset))
        if own:
            program = book.quote_program[own[0]]
            listing = Listing(
                facts=facts,
                asset=book.assets[facts.asset].address,
                quote=own[0],
                program=program,
                rate=rate_value(program),
                worth_usd=float(book.asset_price[facts.asset]),
            )
            found.setdefault((facts.deployment, facts.market), []).append(listing)
    return {market: tuple(some) for market, some in found.items()}


def borrow(collateral: Listing, wanted: Iterable[Listing], oracle: Prices) -> Loan | None:
    """All that can be borrowed of what pays, or of everything where nothing does; None where no
    price is known.

    The cheapest is taken first, until the supply cap ends it.
    """
    believed = oracle(collateral)
    if not believed > 0 or not collateral.worth_usd >= 0 or not collateral.backs:
        return None
    offers = sorted(_offers(collateral, believed, wanted, oracle), key=lambda one: one[0])
    chosen = [one for one in offers if one[0] < 1] or offers
    room, taken, left = collateral.room, [], 0.0
    for _, listing, needed in chosen:
        tokens = min(listing.free, max(room - left, 0.0) / needed)
        if tokens > 0:
            taken.append((listing, tokens))
            left += tokens * needed
    if not taken:
        return None
    return Loan(
        collateral=collateral,
        left=left,
        left_usd=left * collateral.worth_usd,
        borrowed=tuple(taken),
        borrowed_usd=sum(tokens * listing.worth_usd for listing, tokens in taken),
    )


Prices = Callable[[Listing], float]
"""What the oracle of a listing says."""


def _offers(
    collateral: Listing, believed: float, wanted: Iterable[Listing], oracle: Prices
) -> Iterator[tuple[float, Listing, float]]:
    """Dollars of collateral for a dollar that is borrowed, and whole tokens of it for a token."""
    for listing in wanted:
        said = oracle(listing)
        if listing.asset != collateral.asset and listing.free > 0 and said >= 0:
            needed = said / (collateral.facts.ltv * believed) * (1 + SPARE)
            price = needed * collateral.worth_usd / listing.worth_usd if listing.worth_usd else 0.0
            if price > 0:
                yield price, listing, needed
