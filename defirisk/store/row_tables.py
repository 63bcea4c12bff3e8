"""The derived layer: one table for each row type that an adapter declares.

A row is valid in [valid_from_block, valid_to_block); the current one has no valid_to_block.
"""

from __future__ import annotations

from typing import Annotated, Any, get_args, get_origin

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table

from defirisk.core.adapter import Adapter
from defirisk.core.row import Row, columns
from defirisk.store.base_tables import metadata
from defirisk.store.types import AnyText, WideInteger


def row_table(row_type: type[Row]) -> Table:
    """The table of a row type, in the metadata of the store."""
    if row_type.table in metadata.tables:
        return metadata.tables[row_type.table]
    typed = columns(row_type)
    keys = [
        Column(name, _sql_type(typed[name]), primary_key=True, autoincrement=False)
        for name in row_type.key
    ]
    values = [
        Column(name, _sql_type(hint), nullable=False)
        for name, hint in typed.items()
        if name not in row_type.key
    ]
    return Table(
        row_type.table,
        metadata,
        Column("deployment_id", Integer, ForeignKey("deployments.deployment_id"), primary_key=True),
        *keys,
        Column("valid_from_block", BigInteger, primary_key=True, autoincrement=False),
        Column("valid_to_block", BigInteger),
        *values,
        Index(None, "deployment_id", "valid_to_block"),
        Index(None, "deployment_id", "valid_from_block"),
    )


def declare(adapters: dict[str, Adapter]) -> None:
    """Makes the tables of all adapters known to the metadata."""
    for adapter in adapters.values():
        for row_type in adapter.rows:
            row_table(row_type)


def _sql_type(hint: Any) -> Any:
    if get_origin(hint) is Annotated and get_args(hint)[1] == "256 bit":
        return WideInteger()
    return {str: AnyText(), bool: Boolean(), int: BigInteger()}[hint]
