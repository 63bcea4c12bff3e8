"""The first block of each chain of a store: two chains may have one id."""

from __future__ import annotations

from sqlalchemy import Connection, select

from defirisk.core.evm import Hash
from defirisk.store.base_tables import genesis
from defirisk.store.bulk import upsert


def put_genesis(connection: Connection, chain_id: int, block_hash: Hash) -> None:
    """Remembers it, in place of another."""
    upsert(connection, genesis, ("chain_id", "block_hash"), [(chain_id, block_hash)])


def find_genesis(connection: Connection, chain_id: int) -> Hash | None:
    """The hash of block 0; None where no node has told it yet."""
    query = select(genesis.c.block_hash).where(genesis.c.chain_id == chain_id)
    found: Hash | None = connection.execute(query).scalar_one_or_none()
    return found
