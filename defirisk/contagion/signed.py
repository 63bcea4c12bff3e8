"""The book as the kernel reads it: one signed row per unit, sorted so that neighbours are alike.

A row holds a unit's pledged terms, then what it owes, then the holdings that decide nothing but
count in the contract's rounding. Rows are sorted by deployment and by how many terms there are of
either kind. Units that cannot be liquidated (no debt, or an unknown price) have no row. A column
is a quote as collateral, or a quote as debt: what is added up has one place for each.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from defirisk.contagion.edge import EDGE
from defirisk.contagion.valuation import ranges, sums
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.holdings import Side

Words = npt.NDArray[np.uint32]
Kinds = npt.NDArray[np.int8]

PLEDGED, OWED, IDLE = range(3)
SLACK = 1e-6
"""By how much the kernel's edge is wider than EDGE, as a fraction of it: 1e-12 of the debt, far
more than the kernel's arithmetic and that of the sparse products can differ by."""
WIDER = EDGE * (1 + SLACK)


class SignedRows(NamedTuple):
    """R rows of T terms, in the kernel's order."""

    unit: Ints  # (R,), whose row it is
    deployment: Words  # (R,)
    first: Words  # (R + 1,), the row's first term
    pledged: Words  # (R,), how many terms are collateral
    owed: Words  # (R,), how many are debts; the rest decides nothing
    guard: Floats  # (R,), what the contract's rounding of values may amount to
    column: Words  # (T,), or C + quote for terms that decide nothing
    weight: Floats  # (T,), amount times threshold, or minus the debt and its edge
    amount: Floats  # (T,), whole tokens: negative if pledged, positive if owed


class Columns(NamedTuple):
    """C quotes by side, in the order of quotes."""

    quote: Ints  # (C,)
    kind: Kinds  # (C,), PLEDGED or OWED
    deployment: Ints  # (C,)
    asset: Ints  # (C,)
    rate: Floats  # (C,), whole tokens in a whole unit of the quote
    backing: Floats  # (C,), whole tokens pledged times their thresholds


def signed_rows(book: Book) -> tuple[SignedRows, Columns]:
    """The rows of every unit that can be liquidated at some price, and their columns."""
    kinds = _kinds(book)
    counts = np.stack(
        [np.bincount(book.holding_unit[kinds == k], minlength=len(book.units)) for k in range(3)]
    )
    units = np.flatnonzero((counts[OWED] > 0) & ~book.unpriced)
    alike = (counts[OWED, units], counts[PLEDGED, units], book.unit_deployment[units])
    units = units[np.lexsort(alike)]
    counts = counts[:, units]
    size = counts.sum(axis=0)
    own = _in_order(book, units, counts, kinds)
    quote, kind = book.holding_quote[own], kinds[own]
    amount = book.holding_amount[own] * book.quote_rate[quote]
    threshold = book.liquidation_threshold[book.holding_parameters[own]]
    weight = np.where(kind == PLEDGED, amount * threshold, -amount * (1 + WIDER))
    column, columns = _columns(book, quote, kind, weight)
    rows = SignedRows(
        unit=units,
        deployment=book.unit_deployment[units].astype(np.uint32),
        first=np.concatenate([[0], np.cumsum(size)]).astype(np.uint32),
        pledged=counts[PLEDGED].astype(np.uint32),
        owed=counts[OWED].astype(np.uint32),
        guard=size * book.resolution[units],
        column=column,
        weight=weight,
        amount=np.where(kind == PLEDGED, -amount, amount),
    )
    return rows, columns


def _columns(book: Book, quote: Ints, kind: Kinds, weight: Floats) -> tuple[Words, Columns]:
    """Each term's column, and the columns."""
    key = 2 * quote + kind
    key[kind == IDLE] = -1
    there = np.zeros(2 * len(book.quote_asset), dtype=np.bool_)
    there[key[key >= 0]] = True
    used = np.flatnonzero(there)
    place = np.cumsum(there) - 1
    column = np.where(key >= 0, place[key], len(used) + quote) if len(used) else quote
    backing = sums(column, np.where(kind == PLEDGED, weight, 0), len(used))[: len(used)]
    quotes = used // 2
    return column.astype(np.uint32), Columns(
        quote=quotes,
        kind=(used % 2).astype(np.int8),
        deployment=book.quote_deployment[quotes],
        asset=book.quote_asset[quotes],
        rate=book.quote_rate[quotes],
        backing=backing,
    )


def _kinds(book: Book) -> Kinds:
    """What each holding is to the kernel; (H,)."""
    side, something = book.holding_side, book.holding_amount > 0
    kinds = np.full(len(side), IDLE, dtype=np.int8)
    kinds[something & (side == Side.COLLATERAL)] = PLEDGED
    kinds[something & (side == Side.DEBT)] = OWED
    return kinds


def _in_order(book: Book, units: Ints, counts: Ints, kinds: Kinds) -> Ints:
    """The holdings of these units, each unit's sorted by kind; counts by kind and unit (3, R)."""
    size = counts.sum(axis=0)
    own = ranges(np.searchsorted(book.holding_unit, units), size)
    kind = kinds[own]
    ends = np.cumsum(counts, axis=0) + (np.cumsum(size) - size)
    ordered = np.empty_like(own)
    for k in range(3):
        ordered[ranges(ends[k] - counts[k], counts[k])] = own[kind == k]
    return ordered
