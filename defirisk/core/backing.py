"""Which markets of a book stand behind a claim, and for which part of it. All of it exact."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction

from defirisk.core.book import Book, MarketFacts
from defirisk.core.claim import Allocation, Claim
from defirisk.core.evm import Address

MIN_ID = 10
"""Characters of a market's id, 0x included, that its label ends with (Morpho Blue)."""


def backing(book: Book) -> dict[Address, dict[int, Fraction]]:
    """Of every claim, the part of it that is lent to each market, by its place in `Book.markets`.

    An aToken or cToken is a claim on its own market only. What a vault lent to markets that are
    not in the book, and what it did not lend on, is in no part.
    """
    found = {token: dict(_parts(book, claim)) for token, claim in book.sources.claims.items()}
    return {token: parts for token, parts in found.items() if parts}


def _parts(book: Book, claim: Claim) -> Iterator[tuple[int, Fraction]]:
    if claim.kind in ("a-token", "c-token"):
        yield from ((m, Fraction(1)) for m in _own_markets(book, claim))
        return
    lent: dict[int, int] = {}
    for allocation in claim.allocations:
        market = market_of(book, claim, allocation)
        if market is not None:
            lent[market] = lent.get(market, 0) + allocation.assets_raw
    for market, assets in lent.items():
        if assets and claim.total_assets_raw:
            yield market, Fraction(assets, claim.total_assets_raw)


def _own_markets(book: Book, claim: Claim) -> list[int]:
    """The market that issued an aToken or cToken; none where that is not said."""
    return [
        m
        for m, facts in enumerate(book.markets)
        if book.deployments[facts.deployment].name == claim.issuer
        and book.assets[facts.asset].address == claim.underlying
    ][:1]


def market_of(book: Book, claim: Claim, allocation: Allocation) -> int | None:
    """The place of the market that a vault lent to; None where it is not in the book."""
    for m, facts in enumerate(book.markets):
        asset = book.assets[facts.asset].address
        if asset == claim.underlying and is_market(facts, allocation.market):
            return m
    return None


def is_market(facts: MarketFacts, market: str) -> bool:
    """By the market's whole name, else by the start of its id at the end of the label."""
    tail = facts.market.rsplit(" ", 1)[-1]
    is_id = tail.startswith("0x") and len(tail) >= MIN_ID and market.startswith(tail)
    return market == facts.market or is_id


def underlying_decimals(book: Book, claim: Claim) -> float:
    """The decimals of a claim's total assets and allocations; NaN where they are unknown."""
    if claim.decimals is not None:
        return float(claim.decimals)
    token = book.sources.tokens.get(claim.underlying)
    return math.nan if token is None else float(token.decimals)


def written_down(parts: Mapping[int, Fraction], recoveries: Mapping[int, Fraction]) -> Fraction:
    """What is left of a claim, 1 being all: 1 less the sum of a_j (1 - R_j), and never below 0."""
    lost = sum(
        (part * (1 - recoveries[m]) for m, part in parts.items() if m in recoveries), Fraction(0)
    )
    return max(1 - lost, Fraction(0))
