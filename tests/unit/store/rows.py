"""A small adapter's rows and a store for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Connection, select

from defirisk.core.adapter import Adapter, Deployment
from defirisk.core.plugins import adapter
from defirisk.core.row import Row
from defirisk.protocols.lending.aave_v3.rows import Account, UserReserve
from defirisk.store.database import Store, open_store
from defirisk.store.derived import FoldState
from defirisk.store.registry import put_deployment
from defirisk.store.row_tables import row_table

FIRST_BLOCK = 10
AAVE: Adapter = adapter("aave-v3")
__all__ = ["AAVE", "FIRST_BLOCK", "Account", "UserReserve"]


@dataclass
class Ledger:
    """One deployment in an empty store, within one transaction."""

    connection: Connection
    deployment_id: int

    def state(self) -> FoldState:
        """A new batch."""
        return FoldState(self.connection, self.deployment_id, FIRST_BLOCK)

    def versions(self, row_type: type[Row], *values: str) -> list[tuple[object, ...]]:
        """(key…, from, to, values…) of every stored version, in order."""
        table = row_table(row_type)
        names = [*row_type.key, "valid_from_block", "valid_to_block", *values]
        query = (
            select(*(table.c[name] for name in names))
            .where(table.c.deployment_id == self.deployment_id)
            .order_by(*(table.c[name] for name in row_type.key), table.c.valid_from_block)
        )
        return [tuple(row) for row in self.connection.execute(query)]


@lru_cache(maxsize=1)
def _memory() -> Store:
    return open_store("sqlite://", create=True)


@contextmanager
def emptied(store: Store | None = None) -> Iterator[Connection]:
    """A transaction in an empty store, of which nothing stays: stores are made once, not for each
    example.
    """
    with (store or _memory()).engine.connect() as connection:
        undone = connection.begin()
        try:
            yield connection
        finally:
            undone.rollback()


@contextmanager
def ledger(store: Store | None = None) -> Iterator[Ledger]:
    """A ledger; a second deployment stands beside it and must not be touched."""
    with emptied(store) as connection:
        ids = [
            put_deployment(
                connection,
                Deployment(name=name, protocol="aave-v3", chain_id=1, first_block=FIRST_BLOCK),
                AAVE.version,
            ).id
            for name in ("mine", "other")
        ]
        other = FoldState(connection, ids[1], FIRST_BLOCK)
        other.put(Account(account="0xaa", emode_category_id=99))
        other.write()
        yield Ledger(connection, ids[0])
        assert Ledger(connection, ids[1]).versions(Account, "emode_category_id") == [
            ("0xaa", FIRST_BLOCK, None, 99)
        ]
