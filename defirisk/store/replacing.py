"""Replaces all rows of a deployment at once, as an import does: history stays, by validity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, select

from defirisk.core.row import Key, Row, key_of
from defirisk.store.bulk import change_each, insert_rows, quoted
from defirisk.store.row_tables import row_table

_Values = tuple[Any, ...]


def replace_rows(
    connection: Connection,
    deployment_id: int,
    row_type: type[Row],
    rows: Iterable[Row],
    block: int,
) -> int:
    """Makes `rows` all that is valid from `block` on; returns how many versions were written.

    A row that is as it was stays the version it is; one that changed begins a new version, and one
    that is gone ends. No version may begin at `block` or later already.
    """
    table = row_table(row_type)
    names = [field.name for field in fields(row_type)]  # type: ignore[arg-type]
    before = _open_rows(connection, deployment_id, row_type, names)
    new: list[_Values] = []
    kept: set[Key] = set()
    for row in rows:
        values = tuple(getattr(row, name) for name in names)
        key = key_of(row)
        if before.get(key) == values:
            kept.add(key)
            continue
        new.append((deployment_id, block, *values))
    mine = [f"{quoted(table.name)}.{quoted(n)} = {{{n}}}" for n in ("deployment_id", *row_type.key)]
    change_each(
        connection,
        table,
        ("deployment_id", *row_type.key, "valid_to_block"),
        [(deployment_id, *key, block) for key in before if key not in kept],
        doing='SET "valid_to_block" = {valid_to_block}',
        where=" AND ".join([*mine, f'{quoted(table.name)}."valid_to_block" IS NULL']),
    )
    insert_rows(connection, table, ("deployment_id", "valid_from_block", *names), new)
    return len(new)


def _open_rows(
    connection: Connection, deployment_id: int, row_type: type[Row], names: list[str]
) -> dict[Key, _Values]:
    """The current rows as plain tuples: quicker to compare than to build again."""
    table = row_table(row_type)
    places = [names.index(name) for name in row_type.key]
    query = select(*(table.c[name] for name in names)).where(
        table.c.deployment_id == deployment_id, table.c.valid_to_block.is_(None)
    )
    found = (tuple(row) for row in connection.execute(query))
    return {tuple(row[at] for at in places): row for row in found}
