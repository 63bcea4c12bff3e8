"""Fixtures of the command line and of the recorded demo chain."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from defirisk.core.book import Book
from defirisk.store.database import Store, open_store

from .command import CommandLine
from .demo import NAME, demo_book, index_demo


@pytest.fixture
def cli(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> CommandLine:
    """The command line, in an empty folder."""
    return CommandLine(monkeypatch, capsys, tmp_path)


@pytest.fixture(scope="session")
def demo_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The indexed demo chain. To be read only."""
    return index_demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture
def demo_copy(demo_database: Path, tmp_path: Path) -> Iterator[Store]:
    """The indexed demo chain, to be changed at will."""
    store = open_store(f"sqlite:///{shutil.copy(demo_database, tmp_path / NAME)}", create=False)
    yield store
    store.close()


@pytest.fixture(scope="session")
def recorded_book(demo_database: Path) -> Book:
    """The book of the demo chain at its last block."""
    store = open_store(f"sqlite:///{demo_database}", create=False)
    try:
        return demo_book(store)
    finally:
        store.close()
