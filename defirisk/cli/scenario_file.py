"""Scenarios from a CSV file: columns name and shock, rows of one name combine."""

from __future__ import annotations

import csv
from pathlib import Path

from defirisk.core.errors import UsageError

_COLUMNS = ["name", "shock"]


def read_scenarios(file: str) -> list[tuple[str, list[str]]]:
    """Names with their shocks, in order of first mention; `UsageError` names a line."""
    found: dict[str, list[str]] = {}
    try:
        with Path(file).open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            if reader.fieldnames != _COLUMNS:
                stated = ",".join(reader.fieldnames or ["nothing"])
                raise UsageError(f"{file}: the first line must be name,shock and is {stated}")
            for row in reader:
                name, shock = (row["name"] or "").strip(), (row["shock"] or "").strip()
                if not name or not shock or None in row:
                    raise UsageError(f"{file}, line {reader.line_num}: needs a name and a shock")
                found.setdefault(name, []).append(shock)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{file} is no CSV file: {error}") from error
    if not found:
        raise UsageError(f"{file} holds no scenario: add lines such as crash,price:WETH=-40%")
    return list(found.items())
