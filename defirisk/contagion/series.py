"""Quotes that move together, priced once: a series is the price of a whole token to some quotes.

Rates do not move with scenarios, so quotes of one asset that read the same feeds differ by a
constant factor however these move: an Aave market has two quotes of each asset, and ten deployments
on the same feeds have twenty. The kernel keeps amounts in whole tokens and one price for all of
them, which is what lets a block's prices stay in the cache nearest to the processor.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from defirisk.contagion.signed import Columns, Words
from defirisk.contagion.valuation import sums
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.quote import Product, Program, Rate
from defirisk.core.scenario import Scenario


class Series(NamedTuple):
    """P prices and the columns that they are for."""

    of: Words  # (C,), each column's series
    quote: Ints  # (P,), a quote that has this price times its rate
    rate: Floats  # (P,), that rate
    backing: Floats  # (P,), whole tokens pledged times their thresholds


def families(book: Book, quotes: Ints) -> Ints:
    """Numbers the quotes (C,) alike where they are one asset through the same leaves but rates.

    A quote whose rate is 0 is on its own: nothing can be told from its price.
    """

    def key(quote: int) -> Hashable:
        if not 0 < book.quote_rate[quote] < np.inf:
            return quote
        return int(book.quote_asset[quote]), _priced(book.quote_program[quote])

    return _numbered(key(int(quote)) for quote in quotes)


def _priced(program: Program) -> tuple[Program, ...]:
    """What the price of a whole token is the product of: the program without its own rates."""
    if isinstance(program, Product):
        return tuple(inner for part in program.parts for inner in _priced(part))
    return () if isinstance(program, Rate) else (program,)


def series_of(columns: Columns, kin: Ints, scenarios: Sequence[Scenario]) -> Series:
    """One for each of the `families` (C,); but quotes that scenarios move singly are apart."""
    moved: dict[int, list[tuple[int, Fraction]]] = {}
    for s, scenario in enumerate(scenarios):
        for quote, factor in scenario.moves.quotes.items():
            moved.setdefault(quote, []).append((s, factor))
    of = kin
    if moved:
        of = _numbered(
            (int(family), tuple(moved.get(int(quote), ())))
            for family, quote in zip(kin, columns.quote, strict=True)
        )
    first = np.unique(of, return_index=True)[1]
    return Series(
        of=of.astype(np.uint32),
        quote=columns.quote[first],
        rate=columns.rate[first],
        backing=sums(of, columns.backing, len(first)),
    )


def _numbered(keys: Iterable[Hashable]) -> Ints:
    """0 for the first key and what equals it, 1 for the next one, …"""
    seen: dict[Hashable, int] = {}
    return np.array([seen.setdefault(key, len(seen)) for key in keys], dtype=np.int64)
