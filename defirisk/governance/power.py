"""Borrowing power: what collateral allows to be owed at today's oracle prices.

Unit: USD. NaN policy: units with an unknown price count as nothing. Up to the contract's rounding
of an average LTV.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from defirisk.contagion.valuation import sums
from defirisk.core.book import Book, Floats
from defirisk.core.holdings import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """Of one deployment. `used` is what is owed by those who can borrow, `free` what is left.

    `above` counts units that owe more than their LTV allows: they can borrow and withdraw nothing.
    """

    total_usd: float
    used_usd: float
    free_usd: float
    above: int


def power(book: Book, deployment: int) -> Power:
    """The sums over all units."""
    allowed, owed = allowances(book)
    own = (book.unit_deployment == deployment) & ~book.unpriced
    allowed, owed = allowed[own], owed[own]
    return Power(
        total_usd=float(allowed.sum()),
        used_usd=float(owed.sum()),
        free_usd=float(np.maximum(allowed - owed, 0).sum()),
        above=int((owed > allowed * (1 + 1e-12)).sum()),
    )


def allowances(book: Book) -> tuple[Floats, Floats]:
    """What each unit may owe, and what it owes, at oracle prices, shape (N,) each."""
    value = book.holding_amount * book.quote_price[book.holding_quote]
    size = len(book.units)
    pledged = book.holding_side == Side.COLLATERAL
    owed = book.holding_side == Side.DEBT
    weight = value[pledged] * book.ltv[book.holding_parameters[pledged]]
    return (
        sums(book.holding_unit[pledged], np.nan_to_num(weight), size),
        sums(book.holding_unit[owed], np.nan_to_num(value[owed]), size),
    )
