"""Who can be liquidated, by the definition: plain loops in fractions of a book's own floats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np

from defirisk.core.book import Book, Recovery
from defirisk.core.holdings import Side
from defirisk.core.quote import Program, leaves


def falls(book: Book, unit: int, price: Callable[[int], Fraction]) -> bool:
    """Whether a unit can be liquidated at these prices of quotes: the definition, in fractions."""
    backing, pledged, owed = Fraction(0), Fraction(0), Fraction(0)
    for h in np.flatnonzero(book.holding_unit == unit):
        if book.holding_side[h] == Side.SUPPLY or book.holding_amount[h] == 0:
            continue
        value = Fraction(book.holding_amount[h]) * price(int(book.holding_quote[h]))
        if book.holding_side[h] == Side.COLLATERAL:
            parameters = int(book.holding_parameters[h])
            pledged += value
            backing += value * Fraction(book.liquidation_threshold[parameters])
        else:
            owed += value
    modes = [mode for mode in book.recovery if unit in mode.units]
    if any(len(mode.units) == 1 for mode in modes):
        return False
    if backing < owed + sum(_demands(book, unit, price)):
        return True
    return any(_by_mode(mode, pledged, owed, price) for mode in modes)


def _demands(book: Book, unit: int, price: Callable[[int], Fraction]) -> Iterator[Fraction]:
    of = book.requirements
    for r in np.flatnonzero(of.unit == unit):
        needed = Fraction(of.amount[r]) * Fraction(of.ratio[r]) * price(int(of.quote[r]))
        needed -= Fraction(of.offset[r])
        if np.isfinite(of.low[r]):
            needed = max(needed, Fraction(of.low[r]))
        if np.isfinite(of.high[r]):
            needed = min(needed, Fraction(of.high[r]))
        yield needed


def _by_mode(
    mode: Recovery, pledged: Fraction, owed: Fraction, price: Callable[[int], Fraction]
) -> bool:
    everything = Fraction(mode.collateral_amount) * price(mode.collateral)
    debts = Fraction(mode.debt_amount) * price(mode.debt)
    in_recovery = everything < Fraction(mode.critical_ratio) * debts
    below = pledged * debts < owed * everything
    absorbed = np.isinf(mode.absorbed) or owed <= Fraction(mode.absorbed) * price(mode.debt)
    return bool(in_recovery and below and absorbed)


def exact_price(program: Program) -> Fraction:
    """The product of a program's leaves, which must all be known."""
    price = Fraction(1)
    for leaf in leaves(program):
        assert leaf.value is not None
        price *= leaf.value
    return price
