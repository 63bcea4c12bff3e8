"""What must be said wherever numbers of a Morpho Blue singleton are shown."""

from __future__ import annotations

from collections.abc import Iterator

from defirisk.core.adapter import Finding, Snapshot
from defirisk.protocols.lending.morpho_blue.market_now import MarketNow, markets_now


def findings(snapshot: Snapshot) -> Iterator[Finding]:
    """Markets without a price or with an older one, and those whose present interest is a guess."""
    markets = [now for now in markets_now(snapshot) if now.positions]
    unpriced = [now for now in markets if not now.worth.known]
    if unpriced:
        yield Finding(
            code="no-price",
            text=f"{_count(unpriced)} no price in US dollars at this block: "
            "positions in them are left out",
        )
    older = [now for now in markets if now.worth.known and not now.price.exact]
    if older:
        yield Finding(
            code="price-not-of-this-block",
            text=f"{_count(older)} a price made of what is in no log, such as what a vault holds: "
            "it is the latest that is known",
        )
    # Without a debt no rate can matter.
    estimated = [
        now
        for now in markets
        if now.rate.grade == "estimated" and now.stored.total_borrow_assets_raw
    ]
    if estimated:
        yield Finding(
            code="estimated-interest",
            text=f"{_count(estimated)} an interest rate that is not known at this block: "
            "interest since the last accrual is at the rate of that accrual",
        )


def _count(markets: list[MarketNow]) -> str:
    return "1 market has" if len(markets) == 1 else f"{len(markets)} markets have"
