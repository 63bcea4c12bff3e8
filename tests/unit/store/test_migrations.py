"""A filled store of the release before becomes one of today, and says what it said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine, inspect, select
from sqlalchemy.engine import make_url

from defirisk.core.plugins import adapters
from defirisk.indexing.run import index
from defirisk.store.base_tables import metadata
from defirisk.store.bulk import insert_rows
from defirisk.store.database import _VERSION_TABLE, Store, alembic_config, open_store
from defirisk.store.row_tables import declare
from tests.databases import Kind, bare_url
from tests.demo import CHAIN_ID, demo_book, demo_markets, demo_reader
from tests.logical_dump import differences, logical_dump

PREVIOUS = "20261121_imported_perps"
"""The schema of the release before."""


@pytest.fixture
def demo(demo_database: Path) -> Iterator[Store]:
    """The demo chain as today's code indexes it. To be read only."""
    store = open_store(f"sqlite:///{demo_database}", create=False)
    yield store
    store.close()


@pytest.fixture
def old_url(kind: Kind, tmp_path: Path, demo: Store) -> str:
    """A store with the schema of the release before and the rows of the demo chain."""
    path = tmp_path / "old.db"
    url = f"sqlite:///{path}" if kind == "sqlite" else bare_url(path)
    declare(adapters())
    engine = create_engine(make_url(url))
    config = alembic_config()
    with engine.begin() as connection:
        connection.exec_driver_sql(_VERSION_TABLE)
        config.attributes["connection"] = connection
        command.upgrade(config, PREVIOUS)
    with engine.begin() as connection, demo.transaction() as source:
        there = inspect(connection)
        for table in metadata.sorted_tables:
            if there.has_table(table.name):
                columns = [column["name"] for column in there.get_columns(table.name)]
                rows = source.execute(select(*(table.c[name] for name in columns)))
                insert_rows(connection, table, columns, list(map(tuple, rows)))
        assert not there.has_table("leases")
    engine.dispose()
    return url


def test_what_was_stored_stays_and_can_be_read_and_gone_on_with(old_url: str, demo: Store) -> None:
    store = open_store(old_url, create=False)
    whole = logical_dump(demo)
    held = logical_dump(store)
    new = frozenset(name for name, rows in held.items() if not rows and whole[name])
    assert new <= {"recent_blocks"}, "tables that the release before did not have"
    assert differences(held, {name: whole[name] for name in held} | {n: [] for n in new}) == {}
    assert len(held["raw_logs"]) > 20_000
    with demo.transaction() as connection:
        assert inspect(connection).has_table("leases")

    ours, theirs = demo_book(store), demo_book(demo)
    assert ours.units == theirs.units
    assert list(ours.holding_amount) == list(theirs.holding_amount)
    summary = asyncio.run(index(demo_reader(), store, demo_markets(), "finalized"))
    assert (summary.chain_id, summary.new_logs) == (CHAIN_ID, 0)
    assert differences(logical_dump(store), whole) == {}
    store.close()
