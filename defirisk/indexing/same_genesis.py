"""Whether a node serves the chain that a store was filled from, and not another of its id.

Two local chains usually have one id. What tells them apart is their first block.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from defirisk.core.errors import NodeError, UsageError
from defirisk.core.evm import ChainReader, Hash
from defirisk.store.database import Store
from defirisk.store.genesis import find_genesis, put_genesis
from defirisk.store.reorgs import stored_hashes


@runtime_checkable
class KnowsGenesis(Protocol):
    """A reader that is told the first block together with the chain's id."""

    async def genesis(self) -> Hash | None:
        """The hash of block 0; None where the node does not have it."""


async def same_genesis(reader: ChainReader, store: Store, chain_id: int) -> None:
    """Remembers the first block of the chain, or compares it with the one that is remembered.

    No request where they are equal. Errors: `UsageError` where the node's is another one, unless
    the node has the last block that was read (some local nodes make a first block when they start).
    """
    served = await reader.genesis() if isinstance(reader, KnowsGenesis) else None
    if served is None:
        return
    with store.transaction() as connection:
        known = find_genesis(connection, chain_id)
        read = stored_hashes(connection, chain_id, most=1)
    if known == served:
        return
    if known is not None and read and not await _has(reader, *read[0]):
        raise UsageError(
            f"the node serves another chain {chain_id}: its first block is {served}, that of the "
            f"store {known}\ngive --rpc-url of a node of the chain that was indexed, or index into "
            "another --db"
        )
    with store.transaction() as connection:
        put_genesis(connection, chain_id, served)


async def _has(reader: ChainReader, number: int, block_hash: Hash) -> bool:
    try:
        return (await reader.block(number)).hash == block_hash
    except NodeError:
        return False
