"""In which rows of the book a vault's money is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from defirisk.core.claim import Claim
from defirisk.graph.claims import Claims
from defirisk.graph.standing import Row

MIN_ID = 10
"""Characters of a market's id, 0x included, that its label ends with (Morpho Blue)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What a vault lent to one row, in USD at market; `row` is None where it is not indexed.

    NaN where the price or the decimals of the vault's asset are unknown.
    """

    market: str
    row: Row | None
    value_usd: float


def placed(claim: Claim, rows: Sequence[Row], claims: Claims) -> Iterator[Placed]:
    """Every allocation of a vault, in its own order."""
    scale = math.pow(10, claims.decimals(claim.underlying))
    price = claims.prices.get(claim.underlying, math.nan)
    for allocation in claim.allocations:
        there = (row for row in rows if _is_it(row, allocation.market, claim, claims))
        yield Placed(
            market=allocation.market,
            row=next(there, None),
            value_usd=allocation.assets_raw / scale * price,
        )


def _is_it(row: Row, market: str, claim: Claim, claims: Claims) -> bool:
    """By the market's whole name, else by the start of its id at the end of the label."""
    asset = claims.book.assets[row.facts.asset].address
    tail = row.facts.market.rsplit(" ", 1)[-1]
    is_id = tail.startswith("0x") and len(tail) >= MIN_ID and market.startswith(tail)
    return asset == claim.underlying and (market == row.facts.market or is_id)
