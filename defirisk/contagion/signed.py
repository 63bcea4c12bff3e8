"""The book as the kernel reads it: one signed row per unit, sorted so that neighbours are alike.

A row holds a unit's pledged terms, then what it owes or must keep, then the holdings that decide
nothing but count in the contract's rounding. What it must keep has a weight and no amount: it
decides and is never added up. Rows are sorted by deployment and by how many terms there are of
either kind. Units that cannot be liquidated (no debt, or an unknown price) have no row. A column
is a quote as collateral, or a quote as debt: what is added up has one place for each.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from defirisk.contagion.edge import EDGE
from defirisk.contagion.margin import Bools, limited
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
    owed: Words  # (R,), how many are debts and requirements; the rest decides nothing
    guard: Floats  # (R,), what the contract's rounding of values may amount to
    column: Words  # (T,), or C + quote for terms that decide nothing
    weight: Floats  # (T,), amount times threshold, or minus what is owed or kept and its edge
    amount: Floats  # (T,), whole tokens: negative if pledged, positive if owed, 0 if to be kept


class Columns(NamedTuple):
    """C quotes by side, in the order of quotes."""

    quote: Ints  # (C,)
    kind: Kinds  # (C,), PLEDGED or OWED
    deployment: Ints  # (C,)
    asset: Ints  # (C,)
    rate: Floats  # (C,), whole tokens in a whole unit of the quote
    backing: Floats  # (C,), whole tokens pledged times their thresholds


class _Terms(NamedTuple):
    """What the rows are made of, by unit ascending: holdings and requirements, T of them."""

    unit: Ints
    quote: Ints
    kind: Kinds
    weight: Floats  # whole tokens times threshold or ratio, 0 or more
    amount: Floats  # whole tokens, 0 or more


def signed_rows(book: Book, taken: Bools | None = None) -> tuple[SignedRows, Columns]:
    """The rows of every unit that can be liquidated at some price, and their columns.

    Of the units in the mask `taken` (N,), or of all; their margins are linear in prices.
    """
    terms = _terms(book)
    counts = np.stack(
        [np.bincount(terms.unit[terms.kind == k], minlength=len(book.units)) for k in range(3)]
    )
    wanted = (counts[OWED] > 0) & ~book.unpriced
    units = np.flatnonzero(wanted if taken is None else wanted & taken)
    alike = (counts[OWED, units], counts[PLEDGED, units], book.unit_deployment[units])
    units = units[np.lexsort(alike)]
    counts = counts[:, units]
    size = counts.sum(axis=0)
    own = _in_order(terms, units, counts)
    quote, kind, amount = terms.quote[own], terms.kind[own], terms.amount[own]
    weight = np.where(kind == PLEDGED, terms.weight[own], -terms.weight[own] * (1 + WIDER))
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


def _terms(book: Book) -> _Terms:
    quote = book.holding_quote
    kind, amount = _kinds(book), book.holding_amount * book.quote_rate[quote]
    threshold = book.liquidation_threshold[book.holding_parameters]
    held = _Terms(
        unit=book.holding_unit,
        quote=quote,
        kind=kind,
        weight=np.where(kind == PLEDGED, amount * threshold, amount),
        amount=amount,
    )
    known = book.requirements
    linear = np.flatnonzero(limited(known)[0])
    if not len(linear):
        return held
    rate = book.quote_rate[known.quote[linear]]
    required = _Terms(
        unit=known.unit[linear],
        quote=known.quote[linear],
        kind=np.full(len(linear), OWED, dtype=np.int8),
        weight=known.amount[linear] * known.ratio[linear] * rate,
        amount=np.zeros(len(linear)),
    )
    unit = np.concatenate([held.unit, required.unit])
    order = np.argsort(unit, kind="stable")
    return _Terms(
        unit=unit[order],
        quote=np.concatenate([held.quote, required.quote])[order],
        kind=np.concatenate([held.kind, required.kind])[order],
        weight=np.concatenate([held.weight, required.weight])[order],
        amount=np.concatenate([held.amount, required.amount])[order],
    )


def _kinds(book: Book) -> Kinds:
    """What each holding is to the kernel; (H,)."""
    side, something = book.holding_side, book.holding_amount > 0
    kinds = np.full(len(side), IDLE, dtype=np.int8)
    kinds[something & (side == Side.COLLATERAL)] = PLEDGED
    kinds[something & (side == Side.DEBT)] = OWED
    return kinds


def _in_order(terms: _Terms, units: Ints, counts: Ints) -> Ints:
    """The terms of these units, each unit's sorted by kind; counts by kind and unit (3, R)."""
    size = counts.sum(axis=0)
    own = ranges(np.searchsorted(terms.unit, units), size)
    kind = terms.kind[own]
    ends = np.cumsum(counts, axis=0) + (np.cumsum(size) - size)
    ordered = np.empty_like(own)
    for k in range(3):
        ordered[ranges(ends[k] - counts[k], counts[k])] = own[kind == k]
    return ordered
