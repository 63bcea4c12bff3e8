"""Going back: a reorg, or a contract that should have been watched earlier, is an undo.

What replaces lost blocks is fetched before anything of them is dropped: a node that cannot serve
it any more would otherwise leave less than there was.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from defirisk.core.errors import ReorgDetected
from defirisk.core.evm import Block, ChainReader, LogQuery, RawLog
from defirisk.core.plugins import adapter
from defirisk.indexing.forks import MOST_RECENT, Fork, first_unlinked
from defirisk.store.asked import asked_beyond
from defirisk.store.database import Store
from defirisk.store.derived import undo_after
from defirisk.store.raw import forget_after, put_blocks, put_logs
from defirisk.store.registry import (
    StoredDeployment,
    find_chain,
    forget_tokens_after,
    forget_watched_after,
    put_chain,
    set_folded,
    stored_deployments,
)
from defirisk.store.reorgs import Reorg, forget_recent, put_recent, put_reorg
from defirisk.store.unverified import forget_unverified_after
from defirisk.store.verifications import forget_verdicts_after


def rewind_deployment(connection: Connection, stored: StoredDeployment, block: int) -> None:
    """Takes the rows of one deployment back to what they were after `block`."""
    undo_after(connection, adapter(stored.deployment.protocol), stored.id, block)
    forget_verdicts_after(connection, stored.id, block)
    set_folded(connection, stored.id, min(block, stored.folded_to), stored.adapter_version)


@dataclass(frozen=True, slots=True)
class _Replacement:
    """Headers from the ancestor on, and the logs of those after it that were asked for."""

    headers: Sequence[Block]
    logs: Sequence[RawLog]


async def replace_lost(
    reader: ChainReader, store: Store, chain_id: int, fork: Fork, target: Block
) -> None:
    """Puts what the node has now in the place of lost blocks, in one transaction.

    The new blocks do not count as verified: the run that follows asks for them as for any others,
    with all its audits. Errors: `ReorgDetected` where the chain changed again while it was read.
    """
    new = await _replacement(reader, store, chain_id, fork, target)
    with store.transaction() as connection:
        _rewind(connection, chain_id, fork)
        put_recent(connection, chain_id, new.headers)
        with_logs = {log.block_number for log in new.logs}
        kept = [h for h in new.headers if h.number == fork.ancestor or h.number in with_logs]
        put_blocks(connection, chain_id, kept)
        put_logs(connection, chain_id, new.logs)


async def _replacement(
    reader: ChainReader, store: Store, chain_id: int, fork: Fork, target: Block
) -> _Replacement:
    last = min(target.number, max(fork.lost))
    if fork.ancestor >= last:
        return _Replacement(await _headers(reader, [fork.ancestor]), [])
    with store.transaction() as connection:
        groups = asked_beyond(connection, chain_id, fork.ancestor)
    logs: dict[tuple[int, int], RawLog] = {}
    for addresses, topics in groups:
        query = LogQuery(addresses=addresses, topics0=topics)
        async for page in reader.logs(query, fork.ancestor + 1, last):
            logs |= {(log.block_number, log.log_index): log for log in page.logs}
    eventful = {log.block_number for log in logs.values()}
    recent = range(max(fork.ancestor, last - MOST_RECENT), last + 1)
    headers = await _headers(reader, sorted({fork.ancestor, *eventful, *recent} - {-1}))
    hashes = {header.number: header.hash for header in headers}
    for log in logs.values():
        if hashes[log.block_number] != log.block_hash:
            raise _again(log.block_number)
    return _Replacement(headers, list(logs.values()))


async def _headers(reader: ChainReader, numbers: Sequence[int]) -> list[Block]:
    headers = await reader.blocks([number for number in numbers if number >= 0])
    if (broken := first_unlinked(headers)) is not None:
        raise _again(broken)
    return headers


def _again(number: int) -> ReorgDetected:
    return ReorgDetected(f"block {number} was replaced while it was read: run the command again")


def _rewind(connection: Connection, chain_id: int, fork: Fork) -> None:
    """Drops what was read of lost blocks and all that was made of it, and remembers which."""
    ancestor = fork.ancestor
    for stored in stored_deployments(connection):
        if stored.deployment.chain_id == chain_id:
            rewind_deployment(connection, stored, ancestor)
            forget_watched_after(connection, stored.id, ancestor)
    forget_after(connection, chain_id, ancestor)
    forget_recent(connection, chain_id, after=ancestor)
    forget_tokens_after(connection, chain_id, ancestor)
    forget_unverified_after(connection, chain_id, ancestor)
    reorg = Reorg(
        chain_id=chain_id,
        detected_ts=int(time.time()),
        ancestor=ancestor,
        depth=fork.depth,
        block_number=fork.first,
        old_hash=fork.lost[fork.first],
        new_hash=fork.new_hash,
    )
    put_reorg(connection, reorg, fork.lost)
    chain = find_chain(connection, chain_id)
    if chain is not None:
        verified_to = min(chain.verified_to, ancestor)
        put_chain(connection, chain._replace(verified_to=verified_to, reorgs=chain.reorgs + 1))
