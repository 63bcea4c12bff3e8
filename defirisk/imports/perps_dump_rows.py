"""Reading the records of a dump, and collecting the rows that are made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

from defirisk.imports.decimal_text import exact
from defirisk.imports.perps_layouts import COLLATERAL, PERPS, TIERS
from defirisk.imports.reading import Cells, Layout, Sheet

DIGITS = 60
"""What has no end in decimals, such as a third, is cut after so many digits."""


class Malformed(Exception):
    """Why a dump is not what it should be."""


class Record:
    """An object of a dump. What is missing or of another kind is `Malformed`; it says where."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise Malformed(f"{where} is no object")
        self._value: dict[str, Any] = value
        self.where = where

    def __contains__(self, key: str) -> bool:
        return self._value.get(key) is not None

    def text(self, key: str, otherwise: str | None = None) -> str:
        """Text or a number as it was written."""
        value = self._value.get(key, otherwise)
        if isinstance(value, bool) or not isinstance(value, str):
            raise Malformed(f"{self.where} has no {key}")
        return value

    def flag(self, key: str) -> bool:
        """True, false, or false where it is missing."""
        value = self._value.get(key, False)
        if not isinstance(value, bool):
            raise Malformed(f"{self.where}: {key} is neither true nor false")
        return value

    def number(self, key: str, otherwise: str | None = None) -> Fraction:
        """A decimal number."""
        text = self.text(key, otherwise)
        value = exact(text)
        if value is None:
            raise Malformed(f"{self.where}: {key} {text[:60]!r} is no decimal number")
        return value

    def at(self, key: str) -> Record:
        """An object within."""
        return Record(self._value.get(key), f"{key} of {self.where}")

    def every(self, key: str) -> Iterator[Record]:
        """The objects of a list; none where it is missing."""
        for place, one in enumerate(self.items(key), start=1):
            yield Record(one, f"{key} {place} of {self.where}")

    def items(self, key: str) -> list[Any]:
        """A list as it is; empty where it is missing."""
        value = self._value.get(key, [])
        if not isinstance(value, list):
            raise Malformed(f"{self.where}: {key} is no list")
        return value

    def named(self, key: str) -> Iterator[tuple[str, Record]]:
        """The objects of an object, by name."""
        for name, one in self.at(key)._value.items():
            yield name, Record(one, f"{key} of {name[:60]!r}")


def decimal_text(value: Fraction) -> str:
    """The number as plain decimal text, cut after `DIGITS` digits."""
    context = Context(prec=DIGITS)
    return f"{context.divide(Decimal(value.numerator), Decimal(value.denominator)):f}"


@dataclass(kw_only=True)
class Dumped:
    """The rows of one dump. An asset is priced once: at the first price that is stated of it."""

    protocol: str
    rows: dict[str, list[Cells]] = field(default_factory=dict)
    prices: dict[str, Fraction] = field(default_factory=dict)

    def add(self, layout: Layout, **cells: str | Fraction) -> None:
        """One row; the protocol is put before it."""
        texts = {
            name: cell if isinstance(cell, str) else decimal_text(cell)
            for name, cell in {"protocol": self.protocol, **cells}.items()
        }
        row = tuple(texts[column] for column in layout.columns)
        self.rows.setdefault(layout.name, []).append(row)

    def price(self, asset: str, price: Fraction) -> Fraction:
        """The price of an asset, this one if there was none."""
        return self.prices.setdefault(asset, price)

    def sheets(self, file: str) -> list[Sheet]:
        """As if read from three files; lines count the rows of each."""
        return [
            Sheet(
                file=f"{file} ({layout.name})",
                layout=layout,
                rows=list(enumerate(self.rows.get(layout.name, ()), start=1)),
                refused=[],
            )
            for layout in (PERPS, TIERS, COLLATERAL)
        ]
