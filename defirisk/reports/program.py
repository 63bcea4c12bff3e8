"""What a price is made of, as lines of a table: the chain of sources behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from defirisk.core.book import Book
from defirisk.core.evm import Address
from defirisk.core.quote import (
    Clamp,
    Constant,
    Conversion,
    Cut,
    Feed,
    Leaf,
    Market,
    Median,
    Product,
    Program,
    Rate,
    Ratio,
    Root,
    Spot,
    Sum,
    Twap,
    exact,
    parts,
)
from defirisk.reports.labels import token_label
from defirisk.reports.model import Column, Value
from defirisk.reports.value import plural, show

COLUMNS = (
    Column("what", "Made of", "prose"),
    Column("value", "Value", "number"),
    Column("address", "Address", "address", absent=""),
)
INDENT = "· "


@dataclass(frozen=True, slots=True)
class Line:
    """One step: how deep it is, what it is in words, its value today, the contract it is read
    from (empty: none).
    """

    level: int
    what: str
    value: float | None
    address: Address = ""

    @property
    def row(self) -> tuple[Value, ...]:
        """As a row under `COLUMNS`."""
        return (INDENT * self.level + self.what, self.value, self.address or None)


def lines(book: Book, program: Program, level: int = 0) -> Iterator[Line]:
    """The program and all its parts, from the outside in."""
    value = exact(program)
    number = None if value is None else float(value)
    if isinstance(program, Leaf):
        yield Line(level, _leaf(book, program), number, _address(program))
        return
    yield Line(level, _node(program), number)
    for part in parts(program):
        yield from lines(book, part, level + 1)


def _node(program: Program) -> str:
    match program:
        case Product():
            return "the product of"
        case Sum():
            return "the sum of"
        case Ratio():
            return "the ratio of"
        case Median():
            return "the median of"
        case Root():
            return "the square root of"
        case Cut(decimals=decimals):
            return f"rounded down to {plural(decimals, 'decimal')}:"
        case Twap(window_seconds=window):
            return f"the mean over {show(window, 'seconds')} of"
        case Clamp(low=low, high=high):
            bounds = [
                f"{word} {float(limit):g}"
                for word, limit in (("not below", low), ("not above", high))
                if limit is not None
            ]
            return f"{' and '.join(bounds)}:"
    raise AssertionError(program)


def _leaf(book: Book, leaf: Leaf) -> str:
    match leaf:
        case Feed():
            return "a feed"
        case Spot(base=base, quote=quote):
            return f"a pool: {token_label(book, base)} in {token_label(book, quote)}, right now"
        case Conversion(token=token):
            return f"what a share of {token_label(book, token)} converts to"
        case Market(asset=asset):
            return f"the market price of {token_label(book, asset)}"
        case Rate(name=name):
            return f"the market's own books: {name.rpartition('/')[2].replace('_', ' ')}"
        case Constant():
            return "a constant"


def _address(leaf: Leaf) -> Address:
    match leaf:
        case Feed(address=address) | Spot(venue=address) | Conversion(token=address):
            return address
        case Market(asset=address):
            return address
    return ""
