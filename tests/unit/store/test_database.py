"""Opening a store: its schema is the metadata's, and what is no store stays as it is."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from defirisk.core.errors import StoreError
from defirisk.core.plugins import adapters
from defirisk.store.base_tables import metadata
from defirisk.store.database import open_store
from defirisk.store.row_tables import declare


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def schema(path: Path) -> list[tuple[str, ...]]:
    with sqlite3.connect(path) as connection:
        found = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name")
        return found.fetchall()


def test_the_migrations_make_the_schema_that_the_code_states(tmp_path: Path) -> None:
    declare(adapters())
    store = open_store(url_of(tmp_path / "a.db"), create=True)
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    store.close()


def test_every_table_of_every_adapter_is_made_by_a_migration() -> None:
    """`open_store` makes tables of foreign adapters itself; ours must not rely on it."""
    steps = (Path(__file__).parents[3] / "migrations" / "versions").glob("*.py")
    written = "".join(step.read_text() for step in steps)
    for adapter in adapters().values():
        for row_type in adapter.rows:
            assert f'"{row_type.table}"' in written


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    open_store(url_of(path), create=True).close()
    first, content = schema(path), path.read_bytes()
    open_store(url_of(path), create=True).close()
    open_store(url_of(path), create=False).close()
    assert schema(path) == first
    assert path.read_bytes() == content


def test_a_store_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    store = open_store(url_of(tmp_path / "a.db"), create=True)
    again = open_store(url_of(tmp_path / "a.db"), create=False)
    with store.transaction() as writing:
        writing.execute(text("INSERT INTO chains VALUES (1, 2, 3, 4, NULL, 0)"))
        with again.transaction() as reading:
            assert reading.execute(text("SELECT count(*) FROM chains")).scalar_one() == 0
    with again.transaction() as reading:
        assert reading.execute(text("SELECT count(*) FROM chains")).scalar_one() == 1
    store.close()
    again.close()


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    store = open_store(url_of(tmp_path / "a.db"), create=True)
    insert = text("INSERT INTO chains VALUES (1, 2, 3, 4, NULL, 0)")
    with contextlib.suppress(IntegrityError), store.transaction() as connection:
        connection.execute(insert)
        connection.execute(insert)
    with store.transaction() as connection:
        assert connection.execute(text("SELECT count(*) FROM chains")).scalar_one() == 0
    store.close()


def test_a_missing_store_is_only_made_when_that_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store at"):
        open_store(url_of(tmp_path / "a.db"), create=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("create", [True, False])
def test_a_store_of_a_newer_version_is_refused_and_untouched(tmp_path: Path, create: bool) -> None:
    path = tmp_path / "a.db"
    open_store(url_of(path), create=True).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"was written by a newer defirisk .*from_the_future"):
        open_store(url_of(path), create=create)
    assert path.read_bytes() == before


@pytest.mark.parametrize("create", [True, False])
def test_somebody_elses_database_is_refused_and_untouched(tmp_path: Path, create: bool) -> None:
    path = tmp_path / "theirs.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE addresses (name TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="holds other tables"):
        open_store(url_of(path), create=create)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["theirs.db"]


@pytest.mark.parametrize("content", [b"no database at all\n" * 300, b"SQLite format 3\x00" + b"x"])
def test_a_file_that_is_no_database_is_refused_and_untouched(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(url_of(path), create=True)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense", "is no database address"),
        ("", "is no database address"),
        ("oracle9://x", "is no database address"),
        ("sqlite:////nowhere/at/all.db", "cannot be opened"),
    ],
)
def test_an_address_that_cannot_be_opened_is_refused(url: str, says: str) -> None:
    with pytest.raises(StoreError, match=says):
        open_store(url, create=True)


def test_a_password_in_the_address_is_never_shown() -> None:
    address = "postgresql+psycopg://somebody:p4ssw0rd@127.0.0.1:1/risk"
    with pytest.raises(StoreError) as refused:
        open_store(address, create=True)
    assert "p4ssw0rd" not in str(refused.value)
