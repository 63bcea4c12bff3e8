"""A list of records as a report: how positions, status, verify and list print in every format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from defirisk.reports.model import Block, Column, Header, Note, Report, Table, Value


def records_report(
    title: str,
    header: Header,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Value]],
    *,
    name: str,
    data: Mapping[str, Any] | None = None,
    notes: Iterable[Note] = (),
    caption: str = "",
    empty: str = "none",
) -> Report:
    """One table, and `notes` above it.

    JSON says `data`, or else the records under `name`, with the keys of the columns.
    """
    table = Table(
        name=name,
        title="",
        columns=tuple(columns),
        rows=tuple(tuple(row) for row in rows),
        caption=caption,
        empty=empty,
    )
    keys = [column.key for column in table.columns]
    plain = {name: [dict(zip(keys, row, strict=True)) for row in table.rows]}
    lead: tuple[Block, ...] = (*notes, table)
    return Report(title=title, header=header, lead=lead, data=plain if data is None else data)


def rows_of(
    records: Iterable[Mapping[str, Any]], columns: Sequence[Column]
) -> tuple[tuple[Value, ...], ...]:
    """Each record as a row: what it says under the key of each column."""
    return tuple(tuple(one[column.key] for column in columns) for one in records)
