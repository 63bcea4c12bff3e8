"""CSV (RFC 4180, UTF-8) with the line of every record, also of those that cannot be read."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import IO


def csv_rows(path: str) -> Iterator[tuple[int, list[str] | str]]:
    """Each record with the line it begins on: its cells, or why it cannot be read.

    Blank lines are passed over. Errors: `OSError`, also where a .gz file cannot be unpacked.
    """
    # Bytes that are no UTF-8 come as lone surrogates, so that their line can still be named.
    with _opened(path) as lines:
        reader = csv.reader(lines, strict=True)
        while True:
            first = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield first, _unreadable(error, first, reader.line_num)
                continue
            if cells:
                yield first, _text_or_reason(cells)


def _opened(path: str) -> IO[str]:
    """The file as text; one that is called .gz is unpacked."""
    if path.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")
    return Path(path).open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def _unreadable(error: csv.Error, first: int, last: int) -> str:
    """A quote that is never closed swallows lines: they are named, too."""
    swallowed = f", nor can what follows up to line {last}" if last > first else ""
    return f"cannot be read ({error}){swallowed}"


def _text_or_reason(cells: list[str]) -> list[str] | str:
    text = "".join(cells)
    if text.isascii() and "\0" not in text:
        return cells
    if "\0" in text:
        return "cannot be read (it contains a NUL character)"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "cannot be read (it is not UTF-8 text)"
    return cells
