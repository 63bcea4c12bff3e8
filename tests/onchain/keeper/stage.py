"""Where cascades are executed: a copy of the shared chain, and the books of predictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from defirisk.core.book import Book
from defirisk.indexing.run import index
from defirisk.store.database import Store
from defirisk.store.frames import load_book
from defirisk.store.registry import find_deployment
from defirisk.store.snapshots import stored_block
from tests.devnet.build import Devnet
from tests.devnet.record import deployments
from tests.onchain.markets import new_store, with_reader

from .bot import Keeper
from .fork import copied, undone
from .record import Header, Record
from .windows import let_them_pass


@dataclass(frozen=True)
class Stage:
    """A chain whose averages have come to rest, indexed to its head."""

    devnet: Devnet
    store: Store

    def book(self, names: Sequence[str]) -> Book:
        """Of the deployments of these names, with all pools and feeds."""
        with self.store.transaction() as connection:
            stored = [find_deployment(connection, name) for name in names]
            block = stored_block(connection, self.devnet.deployment["chain_id"], None)
            return load_book(connection, [one for one in stored if one], block)

    def execute(self, header: Header) -> Record:
        """What the keeper does and finds; the chain is afterwards as it was."""
        with undone(self.devnet.chain):
            return Keeper.of(self.devnet, header).run()


@contextmanager
def staged(folder: Path, seed: int = 1) -> Iterator[Stage]:
    """A stage of one's own, with its database in `folder`."""
    with copied(seed) as devnet:
        let_them_pass(devnet)
        store = new_store(folder)
        every = deployments(devnet.deployment)
        with_reader(devnet.url, lambda reader: index(reader, store, every, "latest"))
        yield Stage(devnet, store)
        store.close()
