"""Alembic's entry: runs the migrations on the connection that the store hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from defirisk.core.plugins import adapters
from defirisk.store.base_tables import metadata
from defirisk.store.row_tables import declare
from defirisk.store.types import AnyText, WideInteger


def render_item(kind: str, item: Any, autogen: Any) -> str | Literal[False]:
    """Writes our own column types into a new migration: one by its name, one as the text it is."""
    if kind == "type" and isinstance(item, WideInteger):
        autogen.imports.add("from defirisk.store.types import WideInteger")
        return "WideInteger()"
    if kind == "type" and isinstance(item, AnyText):
        return "sa.Text()"
    return False


declare(adapters())
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
