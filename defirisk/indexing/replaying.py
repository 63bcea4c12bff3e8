"""Rows from the base layer alone: logs in chain order, and what views answered where runs ended.

So rows do not depend on what was known when: a contract that is found late has its logs folded
between the answers of earlier runs, as if it had been known.
"""

from __future__ import annotations

from sqlalchemy import Connection

from defirisk.core.adapter import AsksOfRows
from defirisk.core.evm import Block
from defirisk.indexing.folding import fold_logs, rewind_outdated
from defirisk.indexing.garbage import rarely_collected
from defirisk.indexing.source import Progress, Source, silent
from defirisk.store.answers import answers_at, run_ends
from defirisk.store.database import Store
from defirisk.store.derived import FoldState, StoredRows
from defirisk.store.registry import find_chain, find_deployment, watched


def replay(store: Store, source: Source, target: Block, progress: Progress = silent) -> int:
    """Folds what is not folded yet, with the answers of the runs that ended before `target`.

    Returns the rows written. Each answer is observed in the transaction that folds the last log
    before it. Answers at `target` itself are left to the caller.
    """
    rewind_outdated(store, source)
    with rarely_collected():
        earlier = _earlier_runs(store, source, target)
        rows = sum(replay_to(store, source, block, progress) for block in earlier)
        return rows + fold_logs(store, source, target, progress)


def replay_to(store: Store, source: Source, block: Block, progress: Progress = silent) -> int:
    """Folds up to a block where a run ended, and observes what views answered there."""
    observed = 0

    def observe(connection: Connection) -> None:
        nonlocal observed
        observed = _observe(connection, source, block)

    return fold_logs(store, source, block, progress, observe) + observed


def _earlier_runs(store: Store, source: Source, target: Block) -> list[Block]:
    """Where runs ended after what is folded, and before `target`.

    What is folded up to the very end of a run that was cut off is not observed yet.
    """
    chain_id = source.stored.deployment.chain_id
    with store.transaction() as connection:
        stored = find_deployment(connection, source.stored.deployment.name)
        chain = find_chain(connection, chain_id)
        assert stored is not None
        complete = chain is not None and stored.folded_to == chain.verified_to
        after = stored.folded_to if complete else stored.folded_to - 1
        return run_ends(connection, chain_id, after, target.number - 1)


def _observe(connection: Connection, source: Source, block: Block) -> int:
    """As `Views.observe`, with the answers that are stored; returns the rows written."""
    stored = source.stored
    state = FoldState(connection, stored.id, stored.deployment.first_block)
    state.at = block.number
    contracts = watched(connection, stored.id, discovered_to=block.number)
    known = [c for c in contracts if c.role in source.adapter.interfaces]
    views = list(source.adapter.views(known))
    if isinstance(source.adapter, AsksOfRows):
        folded = StoredRows(connection, stored.id, block.number)
        views += source.adapter.views_of_rows(contracts, folded)
    asked = [(view, source.codecs.call(view)) for view in views]
    chain_id = stored.deployment.chain_id
    answers = answers_at(connection, chain_id, block.number, [call for _, call in asked])
    for view, call in asked:
        if call in answers:
            answer = source.codecs.answer(view, answers[call])
            source.adapter.observe(view, answer, block, state)
    return state.write()
