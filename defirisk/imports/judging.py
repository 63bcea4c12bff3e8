"""What every kind of import does with a row: take it, or say why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple, Protocol, TypeVar

from defirisk.core.importing import ImportedProtocol, Refusal
from defirisk.core.row import Row
from defirisk.imports.decimal_text import exact, to_raw
from defirisk.imports.reading import Cells, Layout, Sheet

MAX_NAME = 200
"""Characters of a name, which may become the name of a deployment."""
MAX_DECIMALS = 77  # 10^78 does not fit into 256 bits
MAX_RAW = 2**256
MAX_PRICE_USD = 10**30
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")

Rows = Mapping[type[Row], Sequence[Row]]
K = TypeVar("K")


class Refused(Exception):
    """Why a row is not taken."""


class Line(NamedTuple):
    """Where something was stated."""

    file: str
    line: int


class Found(Protocol):
    """What the files of an import state, judged."""

    @property
    def refused(self) -> Sequence[Refusal]: ...
    @property
    def rows_read(self) -> int: ...
    @property
    def cut_amounts(self) -> int: ...

    def rows(self) -> Mapping[str, Rows]:
        """What passed, by the deployment that it belongs to."""

    def protocols(self) -> tuple[ImportedProtocol, ...]:
        """How much of each deployment passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportKind:
    """A kind of import: its files, and the rows of which adapter it replaces. `also` are rows of
    other adapters that the same files state, by the adapters' names. `dump` makes sheets of a JSON
    file, by its path and name.
    """

    adapter: str
    layouts: tuple[Layout, ...]
    row_types: tuple[type[Row], ...]
    read: Callable[[Sequence[Sheet]], Found]
    also: Mapping[str, tuple[type[Row], ...]] = field(default_factory=dict)
    dump: Callable[[str, str], list[Sheet]] | None = None


@dataclass(kw_only=True)
class Statements:
    """`Found`, put together row by row. `counted` names what is counted, for the reader."""

    counted: Mapping[type[Row], str]
    passed: dict[str, dict[type[Row], list[Row]]] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)
    rows_read: int = 0
    cut_amounts: int = 0

    @classmethod
    def of(cls, sheets: Sequence[Sheet], counted: Mapping[type[Row], str]) -> Statements:
        """Nothing taken yet; what could not even be read is refused."""
        made = cls(counted=counted, rows_read=sum(sheet.read for sheet in sheets))
        made.refused += [refusal for sheet in sheets for refusal in sheet.refused]
        return made

    def add(self, deployment: str, row: Row) -> None:
        """Takes a row."""
        self.passed.setdefault(deployment, {}).setdefault(type(row), []).append(row)

    def refuse(self, where: Line, reason: object) -> None:
        """Leaves a row out, and says why."""
        self.refused.append(Refusal(file=where.file, line=where.line, reason=str(reason)))

    def sorted(self, sheets: Sequence[Sheet]) -> Statements:
        """Itself, the refusals in the order of the files and their lines."""
        order = {sheet.file: at for at, sheet in enumerate(sheets)}
        self.refused.sort(key=lambda refusal: (order[refusal.file], refusal.line))
        return self

    def rows(self) -> Mapping[str, Rows]:
        """What passed, by deployment."""
        return self.passed

    def protocols(self) -> tuple[ImportedProtocol, ...]:
        """How many rows of each kind passed."""
        return tuple(
            ImportedProtocol(
                protocol=name,
                counts={
                    word: len(rows.get(row_type, ())) for row_type, word in self.counted.items()
                },
            )
            for name, rows in self.passed.items()
        )


def stated(sheets: Iterable[Sheet], layout: Layout) -> Iterator[tuple[Line, dict[str, str]]]:
    """The rows of one layout with where they are, by column."""
    for sheet in sheets:
        if sheet.layout is layout:
            for line, cells in sheet.rows:
                yield Line(sheet.file, line), _named(layout, cells)


def _named(layout: Layout, cells: Cells) -> dict[str, str]:
    return dict(zip(layout.columns, cells, strict=True))


def first(seen: dict[K, Line], key: K, where: Line) -> None:
    """Refuses what an earlier row said already."""
    before = seen.setdefault(key, where)
    if before is not where:
        in_file = "" if before.file == where.file else f" of {before.file}"
        raise Refused(f"says again what line {before.line}{in_file} says: duplicate")


def name(column: str, text: str) -> str:
    """A name that is there and not too long."""
    if not text:
        raise Refused(f"{column} is empty")
    if len(text) > MAX_NAME:
        raise Refused(f"{column} has more than {MAX_NAME} characters")
    return text


def identity(text: str) -> str:
    """An address is the same in capitals; any other name is what it is."""
    return text.lower() if _ADDRESS.fullmatch(text) else text


def number(column: str, text: str, *, least: int | None = 0) -> Fraction:
    """A decimal number, not below `least`."""
    if not text:
        raise Refused(f"{column} is missing")
    value = exact(text)
    if value is None:
        raise Refused(f"{column} {shown(text)} is no decimal number")
    if least is not None and value < least:
        raise Refused(f"{column} {text} is {'negative' if least == 0 else f'below {least}'}")
    return value


def whole(column: str, text: str, *, least: int | None = 0) -> int:
    """A whole number, not below `least`."""
    value = number(column, text, least=least)
    if value.denominator != 1:
        raise Refused(f"{column} {text} is no whole number")
    if abs(value) >= MAX_RAW:
        raise Refused(f"{column} {shown(text)} does not fit into 256 bits")
    return int(value)


def amount(column: str, text: str, decimals: int) -> tuple[int, bool]:
    """Base units of an amount in whole tokens, and whether digits had to be cut for it."""
    in_units = to_raw(text, decimals)
    if in_units is None or text.startswith("-"):
        number(column, text)
    raw, cut = in_units or (0, False)
    if raw >= MAX_RAW:
        raise Refused(f"{column} {shown(text)} does not fit into 256 bits")
    return raw, cut


def price_usd(column: str, text: str) -> None:
    """A price in US dollars, if anything costs that much."""
    if number(column, text) > MAX_PRICE_USD:
        raise Refused(f"{column} is above {MAX_PRICE_USD:.0e}: mistyped?")


def shown(text: str) -> str:
    """Foreign text in a message: as it is, but not all of it."""
    return repr(text if len(text) <= 60 else text[:59] + "…")
