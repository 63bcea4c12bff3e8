"""Stores in each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from defirisk.store.database import Store, open_store
from tests.databases import BOTH, Kind, database_url


@pytest.fixture(params=BOTH)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each database, whatever the suite is run on."""
    found: Kind = request.param
    return found


@pytest.fixture
def store(kind: Kind, tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    made = open_store(database_url(tmp_path / "store.db", kind), create=False)
    yield made
    made.close()


@pytest.fixture
def again(kind: Kind, tmp_path: Path, store: Store) -> Iterator[Store]:
    """The same store, as another process opens it."""
    made = open_store(database_url(tmp_path / "store.db", kind), create=False)
    yield made
    made.close()
