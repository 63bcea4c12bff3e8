"""Reads CSV and parquet files into rows of text; what each file is, its header says.

Numbers stay text: nothing here passes through a float.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from defirisk.core.errors import UsageError
from defirisk.core.importing import Refusal
from defirisk.core.plugins import nearest
from defirisk.imports.csv_file import csv_rows
from defirisk.imports.parquet_file import is_parquet, parquet_rows

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A kind of file: its columns, and those of them that may be missing.

    In `exact` columns, a parquet file may not hold floating point numbers. Of a `loose` file, other
    columns are passed over: what an API gives has many.
    """

    name: str
    columns: tuple[str, ...]
    optional: frozenset[str] = frozenset()
    exact: frozenset[str] = frozenset()
    loose: bool = False

    def fits(self, header: Sequence[str]) -> tuple[bool, int]:
        """How well a header fits: whether it has all of a loose layout, and how much of any."""
        shared = set(self.columns) & set(header)
        return self.loose and set(self.columns) - self.optional <= shared, len(shared)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The rows of one file with their lines. Cells are stripped and in the layout's order; a
    missing optional column is empty. `read` counts refused rows, too.
    """

    file: str
    layout: Layout
    rows: list[tuple[int, Cells]]
    refused: list[Refusal]

    @property
    def read(self) -> int:
        """How many rows the file has."""
        return len(self.rows) + len(self.refused)


def read_sheet(path: str, layouts: Sequence[Layout], file: str) -> Sheet:
    """One file, called `file`. Errors: `UsageError` where it cannot be read or its header is that
    of no layout.

    A row that cannot be read is refused and the reading goes on.
    """
    exact = {column for layout in layouts for column in layout.exact}
    try:
        lines: Iterator[tuple[int, list[str] | str]] = (
            parquet_rows(path, exact, file) if is_parquet(path) else csv_rows(path)
        )
        return _sheet(file, lines, layouts)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from error


def _sheet(
    file: str, lines: Iterator[tuple[int, list[str] | str]], layouts: Sequence[Layout]
) -> Sheet:
    number, header = next(lines, (1, []))
    if isinstance(header, str):
        raise UsageError(f"{file}, line {number}: {header}")
    layout = _layout_of(file, number, header, layouts)
    order = [header.index(name) if name in header else -1 for name in layout.columns]
    width = len(header)
    rows: list[tuple[int, Cells]] = []
    refused: list[Refusal] = []
    for line, cells in lines:
        if isinstance(cells, str):
            refused.append(Refusal(file=file, line=line, reason=cells))
        elif len(cells) != width:
            reason = f"has {len(cells)} values, the header has {width}"
            refused.append(Refusal(file=file, line=line, reason=reason))
        else:
            rows.append((line, tuple(cells[at].strip() if at >= 0 else "" for at in order)))
    return Sheet(file=file, layout=layout, rows=rows, refused=refused)


def _layout_of(file: str, line: int, header: list[str], layouts: Sequence[Layout]) -> Layout:
    """The layout that shares most columns with the header, if it is that one."""
    header[:] = [name.strip() for name in header]
    kinds = "; or ".join(f"{','.join(layout.columns)} ({layout.name})" for layout in layouts)
    if not any(header):
        raise UsageError(f"{file} is empty: its first line must be {kinds}")
    layout = max(layouts, key=lambda one: one.fits(header))
    where = f"{file}, line {line}"
    if not set(layout.columns) & set(header):
        raise UsageError(f"{where}: this is no header that is known: write {kinds}")
    unknown = [name for name in header if name not in layout.columns]
    if unknown and not layout.loose:
        offer = nearest(unknown[0], set(layout.columns) - set(header) or layout.columns)
        raise UsageError(f"{where}: unknown column {_listed(unknown)}: {offer}")
    if twice := sorted({n for n in header if header.count(n) > 1 and n in layout.columns}):
        raise UsageError(f"{where}: column {_listed(twice)} is there twice")
    missing = [n for n in layout.columns if n not in header and n not in layout.optional]
    if missing:
        raise UsageError(
            f"{where}: column {_listed(missing)} is missing: "
            f"a file of {layout.name} has {','.join(layout.columns)}"
        )
    return layout


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
