"""A table as CSV: raw values at full precision, text that no spreadsheet runs."""

from __future__ import annotations

import csv as writer
import io
import math
from dataclasses import replace

from defirisk.core.errors import UsageError
from defirisk.core.plugins import nearest
from defirisk.reports import escape
from defirisk.reports.model import Column, Kind, Report, Table, Value


def csv(report: Report, table: str = "") -> str:
    """One table of the report: the named one, or the one that the report prefers.

    Warnings of the report go into a last column, on every row: a file has no margin for them.
    """
    chosen = _choose(report, table or report.csv)
    warnings = " ".join(note.text for note in report.warnings())
    if warnings:
        chosen = replace(
            chosen,
            columns=(*chosen.columns, Column("warning", "Warning", "prose")),
            rows=tuple((*row, warnings) for row in chosen.rows),
        )
    return table_csv(chosen)


def _choose(report: Report, name: str) -> Table:
    tables = list(report.tables())
    if not tables:
        raise UsageError("this report has no table: use --format json")
    for table in tables:
        if name in ("", table.name):
            return table
    raise UsageError(f"no table {name!r}: {nearest(name, [one.name for one in tables])}")


def table_csv(table: Table) -> str:
    """Keys as the first line, then the rows; an unknown value is an empty field."""
    text = io.StringIO()
    lines = writer.writer(text, lineterminator="\n")
    lines.writerow([escape.csv(column.key) for column in table.columns])
    kinds = [column.kind for column in table.columns]
    for row in table.rows:
        lines.writerow([_field(value, kind) for value, kind in zip(row, kinds, strict=True)])
    return text.getvalue()


def _field(value: Value, kind: Kind) -> str | int | float:
    if isinstance(value, str):
        return escape.csv(value, escape.limit_of(kind))
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return value
