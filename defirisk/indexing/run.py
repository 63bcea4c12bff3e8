"""One indexing run over one chain: gather logs, fold them, read what logs cannot say.

Every step is one transaction that is never open across a network call; a run that is cut off at
any point goes on from its last step.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from defirisk.chain.chains import chain_of
from defirisk.core.adapter import Deployment
from defirisk.core.errors import NodeBehind, NodeError, ReorgDetected, UsageError
from defirisk.core.evm import Block, BlockTag, ChainReader
from defirisk.indexing.audit.again import audit_again
from defirisk.indexing.audit.auditor import Auditor
from defirisk.indexing.audit.blooms import NEAR_HEAD
from defirisk.indexing.audit.conservation import Conservation
from defirisk.indexing.audit.keeping import keep_audits, note_catches, receipts_work
from defirisk.indexing.audit.settings import AuditSettings
from defirisk.indexing.codecs import Codecs
from defirisk.indexing.forks import find_fork, keep_recent
from defirisk.indexing.gathering import Gatherer
from defirisk.indexing.reading import Views
from defirisk.indexing.registering import registered, same_chain
from defirisk.indexing.replaying import replay
from defirisk.indexing.rewinding import replace_lost
from defirisk.indexing.same_genesis import same_genesis
from defirisk.indexing.source import Progress, silent
from defirisk.store.database import Store
from defirisk.store.leases import leased_while_waiting
from defirisk.store.registry import StoredChain, find_chain, put_chain
from defirisk.store.reorgs import count_reorgs, forget_empty_headers

MOST_REORGS = 5
"""Times that a run begins again because the chain changed under it."""
_PAUSE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What a run did. `reorg_depth`: blocks that were lost and read again. `unverified`: ranges in
    which logs may be missing, as audits found.
    """

    chain_id: int
    block: Block
    new_logs: int
    rows_written: int
    views_read: int
    reorg_depth: int
    unverified: int = 0


async def index(
    reader: ChainReader,
    store: Store,
    deployments: Sequence[Deployment],
    to_block: int | BlockTag = "safe",
    progress: Progress = silent,
    audit: AuditSettings = AuditSettings(),  # noqa: B008 (frozen)
) -> RunSummary:
    """Brings the deployments of one chain up to `to_block`, in the store.

    Errors: `UsageError` where the node serves another chain (or one of the same id, with another
    first block), `NodeError` where it fails,
    `FinalityBroken` where a block that was final is another one now, `LeaseHeld` where another
    run works on this chain of the store.
    """
    return await Indexer(reader, store, deployments, to_block, progress, audit).run()


class Indexer:
    """Runs over one chain, one after the other; what they need of code is made ready once."""

    def __init__(
        self,
        reader: ChainReader,
        store: Store,
        deployments: Sequence[Deployment],
        to_block: int | BlockTag = "safe",
        progress: Progress = silent,
        audit: AuditSettings = AuditSettings(),  # noqa: B008 (frozen)
    ) -> None:
        self._audit = audit
        self._reader = reader
        self._store = store
        self._deployments = deployments
        self._to_block = to_block
        self._progress = progress
        self._codecs: dict[str, Codecs] = {}
        self._last: Block | None = None
        self._lost = 0

    async def step(self) -> RunSummary | None:
        """A run, where the chain has moved since the last one; else None, with one request.

        None, too, where the node that answers lags behind what was read already. Errors as of
        `index`.
        """
        if self._last is not None and await self._reader.block(self._to_block) == self._last:
            return None
        try:
            return await self.run()
        except _LagsBehind:
            return None

    async def run(self) -> RunSummary:
        """Up to the block, whatever it is now. Errors as of `index`."""
        chain_id = await same_chain(self._reader, self._deployments)
        async with leased_while_waiting(self._store, f"chain {chain_id}"):
            await same_genesis(self._reader, self._store, chain_id)
            return await self._attempts(chain_id)

    async def _attempts(self, chain_id: int) -> RunSummary:
        self._lost = 0
        for attempt in range(MOST_REORGS):
            try:
                return await self._attempt(chain_id, again=attempt > 0)
            except ReorgDetected:
                if attempt + 1 == MOST_REORGS:
                    raise
                # Behind a balancer the nodes may need a moment to be of one opinion.
                await asyncio.sleep(_PAUSE * attempt)
        raise AssertionError("unreachable")

    async def _attempt(self, chain_id: int, *, again: bool) -> RunSummary:
        """Errors: `ReorgDetected` where the chain changed while it was read."""
        reader, store = self._reader, self._store
        target = await reader.block(self._to_block)
        head = target if self._to_block == "latest" else await reader.block("latest")
        final = await self._final(chain_id, head)
        await self._follow_reorg(chain_id, head, target, suspicious=again)
        self._not_backwards(chain_id, target)
        sources = registered(store, chain_id, target, self._deployments, self._codecs)
        views = Views(reader, store, chain_id, target)
        work = receipts_work(store, chain_id)
        near = max(final, target.number - NEAR_HEAD)
        auditor = Auditor(reader, self._audit, near, receipts_work=work)
        note_catches(store, chain_id, auditor)
        if self._audit.again and await audit_again(
            reader, store, chain_id, self._audit, self._progress
        ):
            auditor.catch()
        gatherer = Gatherer(reader, store, chain_id, target, self._progress, auditor)

        async def gather() -> int:
            new_logs = 0
            while True:
                new_logs += await gatherer.gather(sources)
                if not await views.discover(sources):
                    return new_logs

        async def fold() -> int:
            rows = sum(replay(store, source, target, self._progress) for source in sources)
            return rows + await views.observe(sources)

        new_logs = await gather()
        await keep_recent(reader, store, chain_id, target, final)
        rows = await fold()
        if auditor.asks is not None:
            conservation = Conservation(auditor.asks, store, chain_id, target, auditor)
            rows += await conservation.hold(sources, gather, fold, gatherer.give_up)
        self._finish(chain_id, head, target, final)
        unverified = keep_audits(store, chain_id, auditor)
        return RunSummary(
            chain_id=chain_id,
            block=target,
            new_logs=new_logs,
            rows_written=rows,
            views_read=views.asked,
            reorg_depth=self._lost,
            unverified=unverified,
        )

    async def _final(self, chain_id: int, head: Block) -> int:
        """The last final block: as the node says, else by the chain's depth. It never goes back."""
        try:
            final = (await self._reader.block("finalized")).number
        except NodeError:
            final = max(0, head.number - chain_of(chain_id).finality_depth)
        with self._store.transaction() as connection:
            known = find_chain(connection, chain_id)
        return final if known is None or known.finalized is None else max(final, known.finalized)

    async def _follow_reorg(
        self, chain_id: int, head: Block, target: Block, *, suspicious: bool
    ) -> None:
        fork = await find_fork(self._reader, self._store, chain_id, head, suspicious=suspicious)
        if fork is not None:
            await replace_lost(self._reader, self._store, chain_id, fork, target)
            self._lost += fork.depth

    def _not_backwards(self, chain_id: int, target: Block) -> None:
        with self._store.transaction() as connection:
            known = find_chain(connection, chain_id)
        if known is None or target.number >= known.verified_to:
            return
        if isinstance(self._to_block, str):
            # Of several nodes behind one address any may lag, also the one that was asked for it.
            raise _LagsBehind(
                f"the node's {self._to_block} block is {target.number}, behind the store, which is "
                f"at {known.verified_to}: wait for it, or use another --rpc-url"
            )
        raise UsageError(
            f"the store is already at block {known.verified_to}, past {target.number}: "
            "older blocks can be asked for with --block, or index into another --db"
        )

    def _finish(self, chain_id: int, head: Block, target: Block, final: int) -> None:
        with self._store.transaction() as connection:
            known = find_chain(connection, chain_id)
            since = known.verified_to if known else 0
            forget_empty_headers(connection, chain_id, since, target.number)
            chain = StoredChain(
                chain_id=chain_id,
                verified_to=target.number,
                head=head.number,
                head_ts=head.timestamp,
                finalized=final,
                reorgs=known.reorgs if known else count_reorgs(connection, chain_id),
            )
            put_chain(connection, chain)
        self._last = target


class _LagsBehind(NodeBehind):
    """What the node has is below what was read already, and nothing shows that it was replaced."""
