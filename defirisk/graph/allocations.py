"""In which rows of the book a vault's money is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from defirisk.core.backing import market_of, underlying_decimals
from defirisk.core.claim import Claim
from defirisk.graph.claims import Claims
from defirisk.graph.standing import Row


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
    scale = math.pow(10, underlying_decimals(claims.book, claim))
    price = claims.prices.get(claim.underlying, math.nan)
    for allocation in claim.allocations:
        place = market_of(claims.book, claim, allocation)
        yield Placed(
            market=allocation.market,
            row=None if place is None else rows[place],
            value_usd=allocation.assets_raw / scale * price,
        )
