"""Whether markets can pay back what was deposited.

Unit: ratios are fractions of 1 and may exceed it (a cap can be overrun, interest reserves add to
assets); amounts in whole tokens and USD at market prices. NaN policy: a ratio to nothing (no
deposits, no cap) is NaN; units with an unknown price count as performing, so `uncovered` is a
lower bound where `book.unpriced` is set.
Source: our own definition; what a run on the market could be paid from, over what it owes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from defirisk.contagion.valuation import unit_collateral, unit_debt
from defirisk.core.book import Book, Floats
from defirisk.core.holdings import Side
from defirisk.metrics.place import Place, sum_by_market


@dataclass(frozen=True, slots=True, kw_only=True)
class Solvency:
    """One market. `asset_liability_ratio` below 1: not everyone can be paid.

    `uncovered` is the part of the loans that liquidatable units' collateral does not cover,
    `deficit` what the protocol has already written off and nobody has paid in.
    """

    deployment: int
    market: str
    asset: int
    asset_liability_ratio: float
    utilisation: float
    uncovered: float
    uncovered_usd: float
    deficit: float
    deficit_usd: float
    supply_cap_usage: float
    borrow_cap_usage: float


def solvency(book: Book, health: Floats) -> tuple[Solvency, ...]:
    """Every market of the book, in its order; `health` (N,) as `health_factors` gives it.

    Assets are cash and performing debt, liabilities the deposits. Debt performs unless its unit's
    health factor is below 1 and its collateral is worth less than its debts at market prices; the
    shortfall falls on the unit's debts pro rata to their value.
    """
    uncovered = _uncovered_by_market(book, health)
    rows = []
    for m in book.markets:
        lost = uncovered.get((m.deployment, m.market, m.asset), 0.0)
        usd = float(book.asset_price[m.asset])
        rows.append(
            Solvency(
                deployment=m.deployment,
                market=m.market,
                asset=m.asset,
                asset_liability_ratio=_ratio(m.cash + m.borrowed - lost, m.supplied),
                utilisation=_ratio(m.borrowed, m.cash + m.borrowed),
                uncovered=lost,
                uncovered_usd=lost * usd,
                deficit=m.deficit,
                deficit_usd=m.deficit * usd,
                supply_cap_usage=_ratio(m.supplied, m.supply_cap),
                borrow_cap_usage=_ratio(m.borrowed, m.borrow_cap),
            )
        )
    return tuple(rows)


def _uncovered_by_market(book: Book, health: Floats) -> dict[Place, float]:
    """Whole tokens that are not covered."""
    debt, collateral = unit_debt(book), unit_collateral(book)
    share = np.zeros(len(book.units))
    under = (health < 1) & (debt > 0)
    share[under] = np.clip(1 - collateral[under] / debt[under], 0, 1)
    tokens = book.holding_amount * book.quote_rate[book.holding_quote]
    lost = tokens * share[book.holding_unit]
    return sum_by_market(book, lost, book.holding_side == Side.DEBT)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else np.nan
