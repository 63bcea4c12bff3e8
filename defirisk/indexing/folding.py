"""Folds stored logs into rows, step by step, each of which is one transaction.

From step to step the current rows are remembered, as far as memory bears it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import islice, takewhile

from sqlalchemy import Connection

from defirisk.core.adapter import Contract
from defirisk.core.evm import Block
from defirisk.indexing.codecs import by_address
from defirisk.indexing.rewinding import rewind_deployment
from defirisk.indexing.source import Progress, Source
from defirisk.store.database import Store
from defirisk.store.derived import FoldState, Held
from defirisk.store.raw import StoredLog, logs_of
from defirisk.store.registry import find_deployment, set_all_folded, set_folded, watched

BATCH_LOGS = 5_000
"""Logs that are decoded at a time, once the rows that they touch are loaded."""
BATCHES_PER_STEP = 5
"""The longer a step, the fewer rows it leaves open for a later one to end."""


def fold_logs(
    store: Store,
    source: Source,
    target: Block,
    progress: Progress,
    finish: Callable[[Connection], None] | None = None,
) -> int:
    """Folds everything up to `target` that is not folded yet; returns the rows written.

    `finish` is called in the transaction in which the last log is folded. Nobody else may write
    rows of the deployment meanwhile: the lease of its chain sees to that.
    """
    stored = source.stored
    rewind_outdated(store, source)
    held: Held = defaultdict(dict)
    rows = 0
    while True:
        with store.transaction() as connection:
            state = FoldState(connection, stored.id, stored.deployment.first_block, held)
            folded_to = _fold_step(connection, source, target, state)
            rows += state.write()
            set_folded(connection, stored.id, folded_to, source.adapter.version)
            if finish is not None and folded_to >= target.number:
                finish(connection)
        progress(f"fold {stored.deployment.name}", folded_to, target.number)
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


def _fold_step(connection: Connection, source: Source, target: Block, state: FoldState) -> int:
    """Folds the next logs, cut behind a block; returns the block up to which all are folded."""
    stored = find_deployment(connection, source.stored.deployment.name)
    assert stored is not None
    emitting = by_address(c for c in watched(connection, stored.id) if source.codecs.emits(c))
    first, chain_id = stored.folded_to + 1, stored.deployment.chain_id
    logs = logs_of(connection, chain_id, list(emitting), first, target.number)
    last = first
    for _ in range(BATCHES_PER_STEP):
        batch = list(islice(logs, BATCH_LOGS))
        _fold(source, emitting, batch, state)
        if len(batch) < BATCH_LOGS:
            return target.number
        last = batch[-1].block_number
    _fold(source, emitting, takewhile(lambda log: log.block_number == last, logs), state)
    return last


def _fold(
    source: Source,
    emitting: dict[str, list[Contract]],
    batch: Iterable[StoredLog],
    state: FoldState,
) -> None:
    logs = [
        log
        for log in source.codecs.decode_all(emitting, batch)
        if log.block_number >= log.contract.first_block
    ]
    touches, fold = source.adapter.touches, source.adapter.fold
    state.prefetch(key for log in logs for key in touches(log))
    for log in logs:
        state.at = log.block_number
        fold(log, state)
