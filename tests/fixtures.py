"""Fixtures of the command line and of the recorded demo chain."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from defirisk.core.book import Book
from defirisk.store.database import Store, open_store

from .command import CommandLine
from .demo import NAME, demo_book, index_demo
from .devnet.toolchain import make_once

TWO_MINUTES = 120


@pytest.fixture
def cli(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> CommandLine:
    """The command line, in an empty folder."""
    return CommandLine(monkeypatch, capsys, tmp_path)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run, the same in each of its processes."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def demo_database(shared: Path) -> Path:
    """The indexed demo chain. To be read only."""

    def fill(work: Path) -> None:
        index_demo(work)

    return make_once(shared / "demo", fill) / NAME


@pytest.fixture(scope="session")
def site(shared: Path) -> Path:
    """The folder that `defirisk demo` writes, which it must do within two minutes. Read only."""

    def write(work: Path) -> None:
        command = [sys.executable, "-m", "defirisk", "demo", "-o", str(work)]
        subprocess.run(command, check=True, capture_output=True, timeout=TWO_MINUTES)

    return make_once(shared / "site", write)


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
