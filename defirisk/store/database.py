"""Opening a store: the connection, its pragmas, and its schema by Alembic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError

from defirisk.core.errors import StoreError
from defirisk.core.plugins import adapters
from defirisk.resources import resource
from defirisk.store.base_tables import metadata
from defirisk.store.row_tables import declare


class Store:
    """A database whose schema is this version's. Use `open_store`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: all of it is stored, or nothing."""
        with self.engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Release the connections."""
        self.engine.dispose()


def open_store(url: str, *, create: bool) -> Store:
    """Opens the store, bringing its schema up to date; `create` allows a new one.

    `StoreError` where it does not exist, was written by a newer version, or is no store.
    """
    shown = shown_url(url)
    try:
        parsed = make_url(url)
        path = parsed.database if parsed.get_backend_name() == "sqlite" else None
        if path and path != ":memory:" and not create and not Path(path).exists():
            raise StoreError(f"there is no store at {shown}: index something first, or give --db")
        engine = create_engine(parsed, **_pool(parsed.get_backend_name(), path))
        if parsed.get_backend_name() == "sqlite":
            event.listen(engine, "connect", _sqlite_pragmas)
        upgrade(engine, shown)
        if parsed.get_backend_name() == "sqlite":
            _allow_reading_while_writing(engine)
    except (ArgumentError, NoSuchModuleError) as error:
        raise StoreError(
            "--db or DATABASE_URL is no database address: use sqlite:///file.db or "
            "postgresql+psycopg://…"
        ) from error
    except ModuleNotFoundError as error:
        raise StoreError(f"{shown} needs the Python package {error.name}: install it") from error
    except DatabaseError as error:
        raise StoreError(f"{shown} cannot be opened: {_first_line(error.orig or error)}") from error
    return Store(engine)


def shown_url(url: str) -> str:
    """A database address without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "the store"


def upgrade(engine: Engine, shown: str) -> None:
    """Runs the migrations that are missing, then makes the tables of foreign adapters."""
    declare(adapters())
    config = alembic_config()
    script = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        has_tables = bool(inspect(connection).get_table_names())
    if current is None and has_tables:
        raise StoreError(f"{shown} holds other tables: give --db the name of a new store")
    if current is not None and current not in {step.revision for step in script.walk_revisions()}:
        raise StoreError(
            f"{shown} was written by a newer defirisk (schema {current}): "
            "update with pip install --upgrade defirisk"
        )
    if current != script.get_current_head():
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    if missing := set(metadata.tables) - set(inspect(engine).get_table_names()):
        metadata.create_all(engine, tables=[metadata.tables[name] for name in missing])


def alembic_config() -> Config:
    """Alembic, pointed at the shipped migrations."""
    config = Config()
    config.set_main_option("file_template", "%%(rev)s")
    config.set_main_option("script_location", str(resource("migrations")).replace("%", "%%"))
    return config


def _pool(backend: str, path: str | None) -> dict[str, Any]:
    if backend == "sqlite" and path not in (None, ":memory:"):
        return {"connect_args": {"timeout": 30}}
    return {}


def _sqlite_pragmas(connection: Any, _record: Any) -> None:
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _allow_reading_while_writing(engine: Engine) -> None:
    """Stays with the file, which is ours by now; synchronous=NORMAL is only safe with it."""
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0]
