"""The pockets of a book as arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from defirisk.contagion.cascade.pockets.columns import (
    BASE,
    BORROW_RATE,
    BORROWED,
    CASH,
    DEBT_GROWTH,
    DEBT_SHARES,
    DEFICIT,
    ELAPSED,
    FIRST_DEBT_SHARE,
    FIRST_SUPPLY_SHARE,
    KINK,
    MODEL,
    RESERVE_FACTOR,
    RESERVES,
    SLOPE1,
    SLOPE2,
    STORED_BORROWED,
    STORED_DEBT_GROWTH,
    STORED_SUPPLIED,
    STORED_SUPPLY_GROWTH,
    STORED_SUPPLY_SHARES,
    SUPPLIED,
    SUPPLY_GROWTH,
    SUPPLY_RATE,
    SUPPLY_SHARES,
    WIDTH,
)
from defirisk.contagion.cascade.pockets.interest import KINKED_BLOCKS, accrue
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.liquidation import Model, Pocket


def pocket_table(book: Book) -> Floats:
    """Every pocket of the book as it is at the book's block, shape (K, WIDTH)."""
    return table_of(book.liquidation.pockets)


def table_of(pockets: Sequence[Pocket]) -> Floats:
    """As `pocket_table`."""
    table: Floats = np.array([_row(pocket) for pocket in pockets], dtype=np.float64)
    table = table.reshape(-1, WIDTH)
    for k in range(len(table)):
        if table[k, MODEL] == KINKED_BLOCKS:
            continue
        accrue(table, k, 0.0, 0.0)
        for growth, stored, first in (
            (SUPPLY_GROWTH, STORED_SUPPLY_GROWTH, FIRST_SUPPLY_SHARE),
            (DEBT_GROWTH, STORED_DEBT_GROWTH, FIRST_DEBT_SHARE),
        ):
            table[k, first] = table[k, growth]
            table[k, stored] = 1 / table[k, growth]
            table[k, growth] = 1.0
    return table


def pocket_of_quote(book: Book) -> Ints:
    """The pocket that moves each quote's rates, shape (Q,); -1 where nothing does."""
    found = np.full(len(book.quote_asset), -1, dtype=np.int64)
    for k, pocket in enumerate(book.liquidation.pockets):
        found[[pocket.supply_quote, pocket.debt_quote]] = k
    return found


def growth_of_quote(book: Book) -> Ints:
    """The column of a pocket by which a quote's rate has grown, shape (Q,)."""
    found = np.full(len(book.quote_asset), SUPPLY_GROWTH, dtype=np.int64)
    found[[pocket.debt_quote for pocket in book.liquidation.pockets]] = DEBT_GROWTH
    return found


def _row(pocket: Pocket) -> list[float]:
    interest = pocket.interest
    scale = 10**18 if interest.model in (Model.KINKED_BLOCKS, Model.LINEAR) else 1
    row = [0.0] * WIDTH
    for columns, value in (
        ((CASH,), pocket.cash_raw),
        ((BORROWED, STORED_BORROWED), pocket.borrowed_raw),
        ((SUPPLIED, STORED_SUPPLIED), pocket.supplied_raw),
        ((RESERVES,), pocket.reserves_raw),
        ((DEFICIT,), pocket.deficit_raw),
        ((SUPPLY_GROWTH, STORED_SUPPLY_GROWTH, FIRST_SUPPLY_SHARE), 1),
        ((DEBT_GROWTH, STORED_DEBT_GROWTH, FIRST_DEBT_SHARE), 1),
        ((DEBT_SHARES,), pocket.shares_raw),
        ((SUPPLY_SHARES, STORED_SUPPLY_SHARES), pocket.supply_shares_raw),
        ((BORROW_RATE,), interest.borrow_rate * scale),
        ((SUPPLY_RATE,), interest.supply_rate * scale),
        ((ELAPSED,), interest.elapsed),
        ((MODEL,), interest.model),
        ((BASE,), interest.base * scale),
        ((SLOPE1,), interest.slope1 * scale),
        ((SLOPE2,), interest.slope2 * scale),
        ((KINK,), interest.kink),
        ((RESERVE_FACTOR,), interest.reserve_factor),
    ):
        for column in columns:
            row[column] = float(value)
    return row
