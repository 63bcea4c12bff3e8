"""Debt that is healthy by the oracle and uncovered by the market: two prices of one thing.

Source: notes 1.0 and 1.8 (O > P: bad collateral that nobody is asked to liquidate).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from defirisk.contagion.valuation import holding_values, sums, unit_collateral, unit_debt
from defirisk.core.book import Book, Floats
from defirisk.core.holdings import Side
from defirisk.metrics.place import Place, quotes_by_market


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """One market's loans of one asset. `accounts` are healthy at oracle prices and owe more than
    they have pledged at market prices; `uncovered_usd` is their part that nothing covers.
    """

    place: Place
    accounts: int
    debt_usd: float
    uncovered_usd: float


def hidden_losses(book: Book, health: Floats) -> tuple[Hidden, ...]:
    """Every market that has such loans, the largest loss first; `health` (N,) as of the oracles.

    A unit's shortfall falls on its debts pro rata to their value. Units with an unknown price are
    left out.
    """
    debt, collateral = unit_debt(book), unit_collateral(book)
    under = (health >= 1) & (debt > collateral)
    share = np.zeros(len(book.units))
    share[under] = 1 - collateral[under] / debt[under]
    values = holding_values(book)
    owed = (book.holding_side == Side.DEBT) & under[book.holding_unit]
    size = len(book.quote_asset)
    lost = sums(book.holding_quote[owed], (values * share[book.holding_unit])[owed], size)
    all_owed = sums(book.holding_quote[owed], values[owed], size)
    found = []
    for place, quotes in quotes_by_market(book).items():
        units = book.holding_unit[owed & np.isin(book.holding_quote, quotes)]
        if len(units):
            found.append(
                Hidden(
                    place=place,
                    accounts=len(np.unique(units)),
                    debt_usd=float(all_owed[quotes].sum()),
                    uncovered_usd=float(lost[quotes].sum()),
                )
            )
    return tuple(sorted(found, key=lambda one: -one.uncovered_usd))
