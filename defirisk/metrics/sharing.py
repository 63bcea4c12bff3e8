"""Borrowers who are active in more than one deployment: through them, trouble in one is in both.

Unit: USD at market prices, shares as fractions. NaN policy: debts of unknown price are left out; a
share of no debt is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from defirisk.contagion.valuation import Bools, holding_values
from defirisk.core.book import Book
from defirisk.core.holdings import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The borrowers of `deployment` who hold or owe something in deployment `other` as well.

    `owners` are all of them, `owing` those who also owe in the other one. `debt_usd` is what they
    owe in `deployment`, `debt_share` of all that is owed there.
    """

    deployment: int
    other: int
    owners: int
    owing: int
    debt_usd: float
    debt_share: float


def shared_borrowers(book: Book) -> tuple[Shared, ...]:
    """Every ordered pair of deployments; none where there is one deployment only."""
    where = book.unit_deployment[book.holding_unit]
    owner = book.unit_owner[book.holding_unit]
    held = book.holding_amount > 0
    debt = held & (book.holding_side == Side.DEBT)
    values = holding_values(book)
    priced = debt & ~np.isnan(values)

    def those(chosen: Bools) -> Bools:
        found = np.zeros(len(book.owners), dtype=np.bool_)
        found[owner[chosen]] = True
        return found

    def pair(deployment: int, other: int) -> Shared:
        here = where == deployment
        active, owing = (those(one & (where == other)) for one in (held, debt))
        borrowers = those(debt & here)
        total = float(values[priced & here].sum())
        part = float(values[priced & here & (borrowers & active)[owner]].sum())
        return Shared(
            deployment=deployment,
            other=other,
            owners=int((borrowers & active).sum()),
            owing=int((borrowers & owing).sum()),
            debt_usd=part,
            debt_share=part / total if total > 0 else np.nan,
        )

    return tuple(pair(*places) for places in permutations(range(len(book.deployments)), 2))
