"""What some owners do that makes them worth a node of their own: loops, and debts in many places.

Unit: USD at market prices. NaN policy: units with an unknown price are in `book.unpriced` and form
no loop; debts of unknown price still count as debts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from defirisk.contagion.valuation import Bools, unit_collateral, unit_debt
from defirisk.core.book import Book
from defirisk.core.holdings import Side
from defirisk.graph.claims import Claims, behind
from defirisk.graph.standing import Positions, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """A unit that has pledged claims on the very asset it owes: what it borrowed can be wrapped
    and pledged again. `assets_usd` is all its collateral, `equity_usd` that less all its debts.
    """

    unit: int
    owner: int
    collateral: int
    debt: int
    assets_usd: float
    equity_usd: float


def loops(book: Book, claims: Claims) -> tuple[Loop, ...]:
    """Every loop; a unit may be in several of them, by pairs of collateral and debt."""
    return tuple(_loops(book, claims))


def _loops(book: Book, claims: Claims) -> Iterator[Loop]:
    asset, held = book.quote_asset[book.holding_quote], book.holding_amount > 0
    pledged, owed = (held & (book.holding_side == side) for side in (Side.COLLATERAL, Side.DEBT))
    assets, debts = unit_collateral(book), unit_debt(book)
    place = {one.address: number for number, one in enumerate(book.assets)}
    for number, one in enumerate(book.assets):
        under = {place[base] for base in behind(claims.followed, one.address) if base in place}
        for debt in sorted(under):
            wrapped = _units(book, pledged & (asset == number))
            borrowed = _units(book, owed & (asset == debt))
            for unit in np.flatnonzero(wrapped & borrowed).tolist():
                equity = float(assets[unit] - debts[unit])
                if not math.isnan(equity):
                    yield Loop(
                        unit=unit,
                        owner=int(book.unit_owner[unit]),
                        collateral=number,
                        debt=debt,
                        assets_usd=float(assets[unit]),
                        equity_usd=equity,
                    )


def _units(book: Book, chosen: Bools) -> Bools:
    """Whether a unit has any of the `chosen` holdings (H,), shape (N,)."""
    found = np.zeros(len(book.units), dtype=np.bool_)
    found[book.holding_unit[chosen]] = True
    return found


def shared(rows: Sequence[Row], held: Positions) -> dict[int, float]:
    """What every owner owes who has debts in more than one deployment; 0 of unknown price."""
    where: dict[int, set[int]] = {}
    owed: dict[int, float] = {}
    for owner, row, value in _debts(held):
        where.setdefault(owner, set()).add(rows[row].facts.deployment)
        owed[owner] = owed.get(owner, 0.0) + (0.0 if math.isnan(value) else value)
    return {owner: owed[owner] for owner, places in where.items() if len(places) > 1}


def _debts(held: Positions) -> Iterator[tuple[int, int, float]]:
    own = held.side == Side.DEBT
    return zip(
        held.owner[own].tolist(), held.row[own].tolist(), held.value[own].tolist(), strict=True
    )
