"""Opening a store: the connection, its pragmas, and its schema by Alembic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError

from defirisk.core.errors import StoreError
from defirisk.core.plugins import adapters
from defirisk.resources import resource
from defirisk.store.base_tables import metadata
from defirisk.store.row_tables import declare

_BUSY_SECONDS = 30
_SCHEMA_LOCK = 0x64656669  # any number that other users of the server would not take
_VERSION_TABLE = (
    # As Alembic makes it, but with names as long as ours are, which PostgreSQL insists on.
    "CREATE TABLE alembic_version (version_num VARCHAR(200) NOT NULL, "
    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)


class Store:
    """A database whose schema is this version's. Use `open_store`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.guard: Callable[[Connection], None] | None = None
        """Looks at each transaction before it is committed (`store/leases.py`)."""

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: all of it is stored, or nothing.

        `StoreError` where the database is lost, full, or kept by another process for too long.
        """
        try:
            with self.engine.begin() as connection:
                yield connection
                if self.guard is not None:
                    self.guard(connection)
        except (OperationalError, self.engine.dialect.loaded_dbapi.OperationalError) as error:
            shown = self.engine.url.render_as_string(hide_password=True)
            said = _first_line(getattr(error, "orig", None) or error)
            raise StoreError(
                f"{shown} could not be used: {said}: run it again to go on with what is stored"
            ) from error

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
        upgrade(engine, shown, create=create)
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


def upgrade(engine: Engine, shown: str, *, create: bool = True) -> None:
    """Runs the migrations that are missing, then makes the tables of foreign adapters.

    All in one transaction that one process at a time is in: cut off, it leaves what was there.
    """
    declare(adapters())
    config = alembic_config()
    script = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        current = _revision(connection, script, shown, create)
        tables = set(inspect(connection).get_table_names())
    if current == script.get_current_head() and metadata.tables.keys() <= tables:
        return
    with engine.begin() as connection:
        _alone(connection)
        current = _revision(connection, script, shown, create)
        if current is None:
            connection.exec_driver_sql(_VERSION_TABLE)
        if current != script.get_current_head():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        if missing := metadata.tables.keys() - set(inspect(connection).get_table_names()):
            metadata.create_all(connection, tables=[metadata.tables[name] for name in missing])


def _revision(
    connection: Connection, script: ScriptDirectory, shown: str, create: bool
) -> str | None:
    """The schema of a store, None of one that is to be made."""
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None and inspect(connection).get_table_names():
        raise StoreError(f"{shown} holds other tables: give --db the name of a new store")
    if current is None and not create:
        raise StoreError(f"there is no store at {shown}: index something first, or give --db")
    if current is not None and current not in {step.revision for step in script.walk_revisions()}:
        raise StoreError(
            f"{shown} was written by a newer defirisk (schema {current}): "
            "update with pip install --upgrade defirisk"
        )
    return current


def _alone(connection: Connection) -> None:
    """The only one that changes the schema; by default sqlite3 changes it outside a transaction."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(select(func.pg_advisory_xact_lock(_SCHEMA_LOCK)))


def alembic_config() -> Config:
    """Alembic, pointed at the shipped migrations."""
    config = Config()
    config.set_main_option("file_template", "%%(rev)s")
    config.set_main_option("script_location", str(resource("migrations")).replace("%", "%%"))
    return config


def _pool(backend: str, path: str | None) -> dict[str, Any]:
    if backend == "sqlite" and path not in (None, ":memory:"):
        return {"connect_args": {"timeout": _BUSY_SECONDS}}
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
