"""The other way round: making healthy borrowers liquidatable, and taking their collateral.

Only where a market has one collateral and one asset to borrow: elsewhere what somebody else's
health becomes depends on all that he holds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from defirisk.contagion.valuation import sums
from defirisk.core.book import Book, Floats
from defirisk.core.holdings import Side
from defirisk.manipulation.lending import Listing, Prices


@dataclass(frozen=True, slots=True, kw_only=True)
class Borrowers:
    """Those of an isolated market: whole tokens pledged and owed, shape (N,)."""

    collateral: Listing
    debt: Listing
    pledged: Floats
    owed: Floats

    def seized(self, oracle: Prices) -> tuple[float, float]:
        """Dollars at market of the collateral that a liquidator could take, and of what is repaid.

        Nothing of those who are healthy at these prices; of the others all that their debt buys.
        """
        believed, owing = oracle(self.collateral), oracle(self.debt)
        if math.isnan(believed) or math.isnan(owing) or owing <= 0 or believed < 0:
            return 0.0, 0.0
        facts = self.collateral.facts
        value, debt = self.pledged * believed, self.owed * owing
        under = debt > value * facts.liquidation_threshold
        worth = 1 + facts.liquidation_bonus
        repaid = np.where(under, np.minimum(debt, value / worth), 0.0)
        taken = np.where(under, np.minimum(self.pledged, _over(debt * worth, believed)), 0.0)
        return (
            float(taken.sum()) * self.collateral.worth_usd,
            float(repaid.sum()) / owing * self.debt.worth_usd,
        )


def borrowers(book: Book, collateral: Listing, debt: Listing) -> Borrowers:
    """All of one market, from the book's holdings."""
    amounts = book.holding_amount * book.quote_rate[book.holding_quote]

    def of(listing: Listing, side: Side) -> Floats:
        own = book.quote_deployment[book.holding_quote] == listing.facts.deployment
        own &= book.quote_asset[book.holding_quote] == listing.facts.asset
        markets = np.array([one == listing.facts.market for one in book.quote_market])
        own &= markets[book.holding_quote] & (book.holding_side == side)
        return sums(book.holding_unit[own], amounts[own], len(book.units))

    pledged, owed = of(collateral, Side.COLLATERAL), of(debt, Side.DEBT)
    owing = owed > 0
    return Borrowers(collateral=collateral, debt=debt, pledged=pledged[owing], owed=owed[owing])


def _over(top: Floats, bottom: float) -> Floats:
    return top / bottom if bottom else np.full_like(top, np.inf)
