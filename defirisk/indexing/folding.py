"""Folds stored logs into rows, batch by batch; nothing survives in memory between batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from sqlalchemy import Connection

from defirisk.core.adapter import Log
from defirisk.core.evm import Block
from defirisk.indexing.codecs import by_address
from defirisk.indexing.rewinding import rewind_deployment
from defirisk.indexing.source import Progress, Source
from defirisk.store.database import Store
from defirisk.store.derived import FoldState
from defirisk.store.raw import StoredLog, logs_of
from defirisk.store.registry import find_deployment, set_all_folded, set_folded, watched

BATCH_LOGS = 5_000


def fold_logs(
    store: Store,
    source: Source,
    target: Block,
    progress: Progress,
    finish: Callable[[Connection], None] | None = None,
) -> int:
    """Folds everything up to `target` that is not folded yet; returns the rows written.

    `finish` is called in the transaction in which the last log is folded.
    """
    name = source.stored.deployment.name
    rewind_outdated(store, source)
    rows = 0
    while True:
        with store.transaction() as connection:
            stored = find_deployment(connection, name)
            assert stored is not None
            contracts = by_address(
                c for c in watched(connection, stored.id) if source.codecs.emits(c)
            )
            first = stored.folded_to + 1
            logs = logs_of(
                connection,
                stored.deployment.chain_id,
                list(contracts),
                first,
                target.number,
            )
            batch, folded_to = _whole_blocks(logs, target.number)
            state = FoldState(connection, stored.id, stored.deployment.first_block)
            wanted = [
                log
                for log in source.codecs.decode_all(contracts, batch)
                if log.block_number >= log.contract.first_block
            ]
            rows += _fold(source, wanted, state)
            set_folded(connection, stored.id, folded_to, source.adapter.version)
            if finish is not None and folded_to >= target.number:
                finish(connection)
        progress(f"fold {name}", folded_to, target.number)
        if folded_to >= target.number:
            return rows


def rewind_outdated(store: Store, source: Source) -> None:
    """Rows that another version of the adapter made are made again from the first log, and those
    after the first log of a contract that was not known when they were made.
    """
    with store.transaction() as connection:
        stored = find_deployment(connection, source.stored.deployment.name)
        assert stored is not None
        late = watched(connection, stored.id, folded=False)
        starts = [c.first_block for c in late if source.codecs.emits(c)]
        if stored.adapter_version != source.adapter.version:
            rewind_deployment(connection, stored, -1)
        elif starts and min(starts) <= stored.folded_to:
            rewind_deployment(connection, stored, min(starts) - 1)
        set_all_folded(connection, stored.id)


def _whole_blocks(logs: Iterator[StoredLog], last_block: int) -> tuple[list[StoredLog], int]:
    """The next logs, cut behind a block, and the block up to which they are complete."""
    batch = list(islice(logs, BATCH_LOGS))
    if len(batch) < BATCH_LOGS:
        return batch, last_block
    for log in logs:
        if log.block_number != batch[-1].block_number:
            break
        batch.append(log)
    return batch, batch[-1].block_number


def _fold(source: Source, logs: list[Log], state: FoldState) -> int:
    state.prefetch(key for log in logs for key in source.adapter.touches(log))
    for log in logs:
        state.at = log.block_number
        source.adapter.fold(log, state)
    return state.write()
