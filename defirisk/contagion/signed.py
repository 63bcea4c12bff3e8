"""The book as the kernel reads it: one signed row per unit, sorted so that neighbours are alike.

A row holds a unit's pledged terms, then what it owes, then the holdings that decide nothing but
count in the contract's rounding. Rows are sorted by deployment and by how many terms there are of
either kind. Units that cannot be liquidated (no debt, or an unknown price) have no row.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from defirisk.contagion.edge import EDGE
from defirisk.contagion.valuation import Bools, ranges
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.holdings import Side

Words = npt.NDArray[np.uint32]

SLACK = 1e-6
"""By how much the kernel's edge is wider than EDGE, as a fraction of it: 1e-12 of the debt, which
is far more than its arithmetic and that of the sparse products can differ by."""
WIDER = EDGE * (1 + SLACK)


class SignedRows(NamedTuple):
    """R rows of T terms, in the kernel's order."""

    unit: Ints  # (R,), whose row it is
    deployment: Words  # (R,)
    first: Words  # (R + 1,), the row's first term
    pledged: Words  # (R,), how many terms are collateral
    owed: Words  # (R,), how many are debts; the rest decides nothing
    guard: Floats  # (R,), what the contract's rounding of values may amount to
    quote: Words  # (T,)
    weight: Floats  # (T,), amount times threshold, or minus the debt and its edge
    amount: Floats  # (T,), whole units of the quote: negative if pledged, positive if owed


def signed_rows(book: Book) -> SignedRows:
    """The rows of every unit that can be liquidated at some price."""
    kinds = _kinds(book)
    counts = np.stack(
        [np.bincount(book.holding_unit[kinds == k], minlength=len(book.units)) for k in range(3)]
    )
    units = np.flatnonzero((counts[1] > 0) & ~book.unpriced)
    order = np.lexsort((counts[1, units], counts[0, units], book.unit_deployment[units]))
    units = units[order]
    counts = counts[:, units]
    size = counts.sum(axis=0)
    first = np.concatenate([[0], np.cumsum(size)])
    own = _in_order(book, units, size, kinds)
    amount, kind = book.holding_amount[own], kinds[own]
    threshold = book.liquidation_threshold[book.holding_parameters[own]]
    weight = np.where(kind == 0, amount * threshold, -amount * (1 + WIDER))
    return SignedRows(
        unit=units,
        deployment=book.unit_deployment[units].astype(np.uint32),
        first=first.astype(np.uint32),
        pledged=counts[0].astype(np.uint32),
        owed=counts[1].astype(np.uint32),
        guard=size * book.resolution[units],
        quote=book.holding_quote[own].astype(np.uint32),
        weight=weight,
        amount=np.where(kind == 0, -amount, amount),
    )


def used_quotes(book: Book, rows: SignedRows) -> tuple[Bools, Bools]:
    """Which quotes rows hold at all, and which of them on a side that decides; (Q,) each."""
    held, decides = np.zeros((2, len(book.quote_asset)), dtype=np.bool_)
    can = np.zeros(len(book.units), dtype=np.bool_)
    can[rows.unit] = True
    staked = book.holding_side != Side.SUPPLY
    mine = can[book.holding_unit]
    held[book.holding_quote[mine]] = True
    decides[book.holding_quote[mine & staked]] = True
    return held, decides


def _kinds(book: Book) -> npt.NDArray[np.int8]:
    """0 collateral, 1 debt, 2 what decides nothing; (H,)."""
    side, something = book.holding_side, book.holding_amount > 0
    return np.where(
        something & (side == Side.COLLATERAL), 0, np.where(something & (side == Side.DEBT), 1, 2)
    ).astype(np.int8)


def _in_order(book: Book, units: Ints, size: Ints, kinds: npt.NDArray[np.int8]) -> Ints:
    """The holdings of these units, each unit's sorted by kind."""
    own = ranges(np.searchsorted(book.holding_unit, units), size)
    # Stable, so that equal kinds stay together by row: the key is the row, then the kind.
    row = np.repeat(np.arange(len(units)), size)
    return own[np.argsort(row * 3 + kinds[own], kind="stable")]
