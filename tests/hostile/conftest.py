"""One bank with every hostile token and feed, indexed once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from defirisk.core.verdict import Verdict
from defirisk.store.database import Store
from tests.hostile.cast import pairs
from tests.hostile.piggy import Bank, new_store, registered


@dataclass(frozen=True)
class Indexed:
    """A chain, a store filled from it, and what the contracts said of our numbers."""

    bank: Bank
    store: Store
    folder: Path
    verdict: Verdict


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indexed]:
    """Every token with an honest feed, every feed with an ordinary token. To be read only."""
    folder = tmp_path_factory.mktemp("strange")
    with registered():
        bank = Bank.deploy()
        for token, feed in pairs():
            bank.list_asset(token, feed)
        store = new_store(folder)
        summary = bank.index(store)
        yield Indexed(bank, store, folder, bank.verify(store, summary))
        store.close()


@pytest.fixture
def bank() -> Iterator[Bank]:
    """An empty bank on a chain of its own."""
    with registered():
        yield Bank.deploy()


@pytest.fixture
def store(bank: Bank, tmp_path: Path) -> Iterator[Store]:
    """An empty store for it."""
    opened = new_store(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def database(strange: Indexed) -> str:
    """The address of the strange bank's store, for commands that only read."""
    return f"sqlite:///{strange.folder / 'bank.db'}"
