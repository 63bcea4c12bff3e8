"""Alembic's entry: runs the migrations on the connection that the store hands over."""

from __future__ import annotations

from alembic import context

from defirisk.core.plugins import adapters
from defirisk.store.base_tables import metadata
from defirisk.store.row_tables import declare

declare(adapters())
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
