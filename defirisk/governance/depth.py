"""How much of an asset pools take before its price falls by the liquidation bonus.

Source: the pools' own integers (`core.venue.Pool`). A liquidator who sells beyond that point loses
more by the price than the bonus pays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from defirisk.core.errors import CheckFailed
from defirisk.core.evm import Address
from defirisk.core.venue import Venue
from defirisk.governance.case import Case


def liquidity(case: Case, at_risk_usd: Mapping[Address, float]) -> Iterator[dict[str, Any]]:
    """For each changed asset: what can be sold within today's and the proposed bonus, and the most
    that any scenario puts at risk. `covered` is their ratio, None where nothing is at risk.
    """
    for change in case.changes:
        bonus = change.after.liquidation_bonus_bps
        sellable = list(_sellable(case, change.asset, Fraction(bonus, 10_000)))
        total = sum((one["sellable_usd"] for one in sellable), 0.0)
        risk = at_risk_usd[change.asset]
        yield {
            "asset": change.asset,
            "within": bonus / 10_000,
            "sellable_usd": total,
            "most_at_risk_usd": risk,
            "covered": total / risk if risk > 0 else None,
            "venues": sellable,
        }


def _sellable(case: Case, asset: Address, fall: Fraction) -> Iterator[dict[str, Any]]:
    book = case.book
    prices = {one.address: float(book.asset_price[a]) for a, one in enumerate(book.assets)}
    for venue in book.sources.venues.values():
        if asset not in venue.tokens:
            continue
        i = venue.place(asset)
        sold = max(_until(venue, i, j, fall) for j in range(len(venue.tokens)) if j != i)
        if sold:
            yield {
                "venue": venue.address,
                "sellable": float(Fraction(sold, 10 ** venue.decimals[i])),
                "sellable_usd": float(Fraction(sold, 10 ** venue.decimals[i])) * prices[asset],
            }


def _until(venue: Venue, i: int, j: int, fall: Fraction) -> int:
    """Base units that bring the price down by `fall`; of an empty pool none."""
    try:
        price = venue.pool.price(i, j)
        return venue.pool.sell_until(i, j, price * (1 - fall)).sold
    except CheckFailed:
        return 0
