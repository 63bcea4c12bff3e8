"""If borrowers kept using the same share of their borrowing power: debts grow and shrink with it.

Today's positions do not know the proposed parameters, so what a higher LTV would bring shows only
where somebody borrows more. This is the simplest rule that says so: every unit owes the same part
of what its collateral allows as it does today.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np

from defirisk.core.book import Book, Floats
from defirisk.core.holdings import Side
from defirisk.governance.power import allowances


def at_same_use(before: Book, after: Book) -> Book:
    """`after`, with every unit's debts times what its borrowing power grew by.

    Units that could borrow nothing before owe what they owe. No contract knows these debts, so
    nothing about them is decided in exact integers.
    """
    (allowed, _), (then, _) = allowances(before), allowances(after)
    growth = np.ones_like(allowed)
    np.divide(then, allowed, out=growth, where=allowed > 0)
    owed = before.holding_side == Side.DEBT
    amount = before.holding_amount.copy()
    amount[owed] *= growth[before.holding_unit[owed]]
    return replace(after, holding_amount=amount, edge=Approximate(after, amount))


class Approximate:
    """Decides by the book's own floats, exactly as they are. Implements `core.book.Edge`.

    For debts that nobody has: there is no contract to ask.
    """

    def __init__(self, book: Book, amount: Floats) -> None:
        self._book, self._amount = book, amount

    def liquidatable(self, unit: int, prices: Mapping[int, Fraction]) -> bool:
        """Whether collateral times threshold is worth less than the debt."""
        book, margin = self._book, Fraction(0)
        first, stop = np.searchsorted(book.holding_unit, [unit, unit + 1])
        for h in range(int(first), int(stop)):
            quote, side = int(book.holding_quote[h]), int(book.holding_side[h])
            if side == Side.SUPPLY or self._amount[h] == 0:
                continue
            value = Fraction(float(self._amount[h])) * Fraction(float(book.quote_price[quote]))
            value *= prices.get(quote, Fraction(1))
            if side == Side.COLLATERAL:
                place = int(book.holding_parameters[h])
                value *= Fraction(float(book.liquidation_threshold[place]))
            margin += value if side == Side.COLLATERAL else -value
        return margin < 0
