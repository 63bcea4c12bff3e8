"""What a store says, without what says how it came about: equal for two ways to the same blocks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, select

from defirisk.core.plugins import adapters
from defirisk.store.base_tables import deployments, metadata
from defirisk.store.database import Store
from defirisk.store.row_tables import declare

OPERATIONAL = frozenset(
    {"leases", "endpoint_health", "audits", "reorgs", "reorged_blocks", "alerts"}
)
"""Tables on who works, how nodes behave, and what was replaced: no part of what a chain says."""
_ON_THE_WAY = {"chains": {"reorgs"}, "unverified_ranges": {"since_ts"}}
"""Columns on what happened on the way, by table."""

Dump = dict[str, list[tuple[Any, ...]]]


def logical_dump(store: Store, *, without: frozenset[str] = frozenset()) -> Dump:
    """The rows of every table by the table's name, as plain values, in an order of their own.

    Deployments go by their names, since their numbers depend on what was indexed first. `without`
    leaves out further tables. Equal on SQLite and PostgreSQL.
    """
    declare(adapters())
    left_out = OPERATIONAL | without
    with store.transaction() as connection:
        found = connection.execute(select(deployments.c.deployment_id, deployments.c.name))
        names = {row.deployment_id: row.name for row in found}
        return {
            table.name: _rows(connection, table, names)
            for table in metadata.sorted_tables
            if table.name not in left_out
        }


def differences(ours: Dump, theirs: Dump, most: int = 5) -> dict[str, Any]:
    """Per table that differs, a few rows of each side that the other lacks. Empty where equal."""
    found = {}
    for table in sorted(ours.keys() | theirs.keys()):
        left, right = ours.get(table, []), theirs.get(table, [])
        if left != right:
            found[table] = {
                "rows": (len(left), len(right)),
                "only ours": [row for row in left if row not in right][:most],
                "only theirs": [row for row in right if row not in left][:most],
            }
    return found


def _rows(connection: Connection, table: Table, names: dict[int, str]) -> list[tuple[Any, ...]]:
    columns = [c for c in table.columns if c.name not in _ON_THE_WAY.get(table.name, ())]
    at = next((place for place, c in enumerate(columns) if c.name == "deployment_id"), None)
    rows = [tuple(row) for row in connection.execute(select(*columns))]
    if at is not None:
        rows = [(*row[:at], names[row[at]], *row[at + 1 :]) for row in rows]
    return sorted(rows, key=repr)
