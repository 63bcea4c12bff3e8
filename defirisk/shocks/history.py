"""`history:` prices move as a file recorded them: the columns of `defirisk import prices`."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.scenario import Moves, Shock, combine
from defirisk.imports.decimal_text import exact
from defirisk.imports.judging import Refused
from defirisk.imports.prices import PRICES, read_prices, time
from defirisk.imports.reading import read_sheet
from defirisk.protocols.oracles.imported_prices import ImportedPrice
from defirisk.shocks.target import family, find_asset, price_moves
from defirisk.shocks.value import factor

Prices = tuple[tuple[int, Fraction], ...]
"""Times and prices of one asset, in order of time."""


class History:
    """Every asset of the file moves by its last recorded price over its first one, or by that of
    a time over the first one: at market and in the oracles, with all that follows it.
    """

    name = "history"
    grammar = "history:prices.csv history:prices.csv=2024-03-12T00:00:00Z"
    summary = "assets move as a file recorded: its last price, or that of a time, over its first"

    def moves(self, book: Book, target: str, value: str) -> Moves:
        """TARGET is the file; VALUE the time, left out for each asset's last row.

        At a time before its first row an asset stays. A file states prices and not moves, so what
        follows another asset of the file moves by its own prices alone.
        """
        until = _until(value)
        paths = _of_assets(book, recorded(target))
        own = {a: _moved(name, path, until) for a, (name, path) in paths.items()}
        moves = [price_moves(book, a, _beyond(book, a, own, step)) for a, step in own.items()]
        return combine(moves)


def _of_assets(book: Book, found: Mapping[str, Prices]) -> dict[int, tuple[str, Prices]]:
    paths: dict[int, tuple[str, Prices]] = {}
    for name, path in found.items():
        other, _ = paths.setdefault(find_asset(book, name), (name, path))
        if other != name:
            raise UsageError(f"{other!r} and {name!r} are one asset: leave one of them")
    return paths


def times(file: str) -> list[int]:
    """Every time of a file at which some asset has a price, ascending: UTC seconds."""
    paths = recorded(file)
    return sorted({ts for path in paths.values() for ts, _ in path})


def recorded(file: str) -> Mapping[str, Prices]:
    """The price path of each asset of a file, which is read once until it changes.

    Errors: `UsageError` where it cannot be read, a row is refused, it is empty, or two sources
    state prices of one asset.
    """
    try:
        return _recorded(_Version(file, Path(file).stat().st_mtime_ns))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error


class _Version(NamedTuple):
    file: str
    changed: int


@lru_cache(maxsize=4)
def _recorded(version: _Version) -> Mapping[str, Prices]:
    file = version.file
    stated = read_prices([read_sheet(file, [PRICES], file)])
    if stated.refused:
        bad = stated.refused[0]
        raise UsageError(f"{bad.file}, line {bad.line}: {bad.reason}")
    found: dict[str, list[tuple[int, Fraction]]] = {}
    source_of: dict[str, str] = {}
    for source, rows in stated.rows().items():
        for row in rows.get(ImportedPrice, ()):
            assert isinstance(row, ImportedPrice)
            if source_of.setdefault(row.asset, source) != source:
                raise UsageError(
                    f"{file} has prices of {row.asset!r} from {source_of[row.asset]!r} and "
                    f"{source!r}: leave one source of each asset"
                )
            found.setdefault(row.asset, []).append((row.ts, exact(row.price_usd) or Fraction(0)))
    if not found:
        raise UsageError(f"{file} holds no price: add lines such as 2024-03-12T00:00:00Z,WETH,3980")
    return {asset: tuple(sorted(path)) for asset, path in found.items()}


def _until(text: str) -> int | None:
    if not text:
        return None
    try:
        return time(text)
    except Refused as reason:
        raise UsageError(str(reason)) from reason


def _moved(name: str, path: Prices, until: int | None) -> Fraction:
    first = path[0][1]
    if first == 0:
        raise UsageError(f"the first price of {name!r} is 0: nothing can be compared with it")
    prices = [price for ts, price in path if until is None or ts <= until]
    return factor(prices[-1] / first, f"{name}'s path") if prices else Fraction(1)


def _beyond(book: Book, asset: int, own: Mapping[int, Fraction], moved: Fraction) -> Fraction:
    """What is left of an asset's own move once what it follows has taken it along: the nearest
    asset of the file that it follows has, by then, moved by its own prices.
    """
    above = [other for other in own if other != asset and asset in family(book, other)]
    if not above:
        return moved
    nearest = max(above, key=lambda other: sum(other in family(book, one) for one in above))
    if own[nearest] == 0:
        if moved != 0:
            name = book.symbol(asset)
            raise UsageError(f"{name} keeps a price while what it follows falls to 0")
        return Fraction(1)
    return moved / own[nearest]


SHOCK: Shock = History()
