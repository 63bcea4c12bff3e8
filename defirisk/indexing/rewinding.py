"""Going back: a reorg, or a contract that should have been watched earlier, is an undo."""

from __future__ import annotations

from sqlalchemy import Connection

from defirisk.core.evm import ChainReader
from defirisk.core.plugins import adapter
from defirisk.store.database import Store
from defirisk.store.derived import undo_after
from defirisk.store.raw import forget_after, last_block
from defirisk.store.registry import (
    StoredDeployment,
    find_chain,
    forget_tokens_after,
    forget_watched_after,
    put_chain,
    set_folded,
    stored_deployments,
)
from defirisk.store.verifications import forget_verdicts_after


def rewind_deployment(connection: Connection, stored: StoredDeployment, block: int) -> None:
    """Takes the rows of one deployment back to what they were after `block`."""
    undo_after(connection, adapter(stored.deployment.protocol), stored.id, block)
    forget_verdicts_after(connection, stored.id, block)
    set_folded(connection, stored.id, min(block, stored.folded_to), stored.adapter_version)


async def rewind_reorg(reader: ChainReader, store: Store, chain_id: int) -> int:
    """Drops blocks of the store that the node no longer has; returns how many were lost.

    Blocks beyond the verified ones count, too: a run that was cut off has left them.
    """
    with store.transaction() as connection:
        at = last_block(connection, chain_id)
    if at is None:
        return 0
    start = at.number
    while at is not None and (await reader.block(at.number)).hash != at.hash:
        with store.transaction() as connection:
            at = last_block(connection, chain_id, before=at.number)
    ancestor = at.number if at is not None else -1
    if ancestor == start:
        return 0
    with store.transaction() as connection:
        for stored in stored_deployments(connection):
            if stored.deployment.chain_id == chain_id:
                rewind_deployment(connection, stored, ancestor)
                forget_watched_after(connection, stored.id, ancestor)
        forget_after(connection, chain_id, ancestor)
        forget_tokens_after(connection, chain_id, ancestor)
        chain = find_chain(connection, chain_id)
        if chain is not None and chain.verified_to > ancestor:
            put_chain(connection, chain._replace(verified_to=ancestor))
    return start - ancestor
