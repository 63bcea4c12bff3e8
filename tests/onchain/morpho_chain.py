"""A chain with Morpho Blue on it, and what its tests ask of a store and of the contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from defirisk.core.adapter import Deployment, Question, Snapshot
from defirisk.core.book import Book
from defirisk.core.plugins import adapter
from defirisk.core.row import Row
from defirisk.core.verdict import Verdict
from defirisk.indexing.codecs import Codecs
from defirisk.indexing.source import Source
from defirisk.indexing.verify import verify
from defirisk.store.database import Store
from defirisk.store.frames import load_book
from defirisk.store.row_tables import row_table
from defirisk.store.snapshots import snapshot, stored_block
from tests.devnet.build import Devnet
from tests.devnet.record import deployments
from tests.onchain.markets import stored, with_reader

MORPHO_BLUE = adapter("morpho-blue")


@dataclass(frozen=True)
class Lived:
    """A small chain with all its history, and a store of it."""

    devnet: Devnet
    store: Store
    deployment: Deployment

    def verdict(self, number: int | None = None) -> Verdict:
        """What the contracts say of our numbers at a block; None for the last."""
        of = stored(self.store, self.deployment)
        with self.store.transaction() as connection:
            block = stored_block(connection, self.deployment.chain_id, number)
        return with_reader(self.devnet.url, lambda reader: verify(reader, self.store, of, block))

    def rows(self, row_type: type[Row]) -> list[Any]:
        """The current rows as they are stored."""
        table = row_table(row_type)
        with self.store.engine.connect() as connection:
            query = select(table).where(table.c.valid_to_block.is_(None))
            return list(connection.execute(query).mappings())

    def source(self) -> Source:
        return Source(
            stored=stored(self.store, self.deployment),
            adapter=MORPHO_BLUE,
            codecs=Codecs(MORPHO_BLUE),
        )

    def snapshot(self) -> Snapshot:
        """At the last block. Its rows can be read once the connection is gone."""
        with self.store.transaction() as connection:
            block = stored_block(connection, self.deployment.chain_id, None)
            found = snapshot(connection, stored(self.store, self.deployment), block)
            for row_type in MORPHO_BLUE.rows:
                found.rows.all(row_type)
        return found

    def book(self) -> Book:
        with self.store.transaction() as connection:
            block = stored_block(connection, self.deployment.chain_id, None)
            return load_book(connection, [stored(self.store, self.deployment)], block)


def morpho(described: dict[str, Any]) -> Deployment:
    return next(one for one in deployments(described) if one.protocol == "morpho-blue")


def questions_at(at: Snapshot) -> list[Question]:
    return list(MORPHO_BLUE.questions(at))  # type: ignore[attr-defined]
