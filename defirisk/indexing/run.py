"""One indexing run over one chain: gather logs, fold them, read what logs cannot say.

Every step is one transaction that is never open across a network call; a run that is cut off at
any point goes on from its last step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from defirisk.core.adapter import Deployment
from defirisk.core.errors import NodeError, UsageError
from defirisk.core.evm import Block, BlockTag, ChainReader
from defirisk.core.plugins import adapters
from defirisk.core.sources import OracleAdapter, VenueAdapter, WrapperAdapter
from defirisk.indexing.codecs import Codecs
from defirisk.indexing.discovery import own_name, register
from defirisk.indexing.folding import fold_logs
from defirisk.indexing.gathering import Gatherer
from defirisk.indexing.reading import Views
from defirisk.indexing.rewinding import rewind_reorg
from defirisk.indexing.source import Progress, Source, silent
from defirisk.store.database import Store
from defirisk.store.raw import forget_verified, put_blocks
from defirisk.store.registry import (
    StoredChain,
    find_chain,
    put_chain,
    put_deployment,
    stored_deployments,
    watched,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What a run did."""

    chain_id: int
    block: Block
    new_logs: int
    rows_written: int
    views_read: int
    reorg_depth: int


async def index(
    reader: ChainReader,
    store: Store,
    deployments: Sequence[Deployment],
    to_block: int | BlockTag = "safe",
    progress: Progress = silent,
) -> RunSummary:
    """Brings the deployments of one chain up to `to_block`, in the store.

    Errors: `UsageError` where the node serves another chain, `NodeError` where it fails.
    """
    chain_id = await _same_chain(reader, deployments)
    target, head = await reader.block(to_block), await reader.block("latest")
    finalized = await _finalized(reader)
    reorg_depth = await rewind_reorg(reader, store, chain_id)
    _not_backwards(store, chain_id, target)
    sources = _register(store, chain_id, target, deployments)
    views = Views(reader, store, chain_id, target)
    gatherer = Gatherer(reader, store, chain_id, target, progress)
    new_logs = 0
    while True:
        new_logs += await gatherer.gather(sources)
        if not await views.discover(sources):
            break
    rows = sum(fold_logs(store, source, target, progress) for source in sources)
    rows += await views.observe(sources)
    with store.transaction() as connection:
        known = find_chain(connection, chain_id)
        put_chain(
            connection,
            StoredChain(
                chain_id=chain_id,
                verified_to=target.number,
                head=head.number,
                head_ts=head.timestamp,
                finalized=finalized,
                reorgs=(known.reorgs if known else 0) + (reorg_depth > 0),
            ),
        )
    return RunSummary(
        chain_id=chain_id,
        block=target,
        new_logs=new_logs,
        rows_written=rows,
        views_read=views.asked,
        reorg_depth=reorg_depth,
    )


async def _finalized(reader: ChainReader) -> int | None:
    """The last final block; None where the node does not know the tag."""
    try:
        return (await reader.block("finalized")).number
    except NodeError:
        return None


async def _same_chain(reader: ChainReader, deployments: Iterable[Deployment]) -> int:
    chain_id = await reader.chain_id()
    for deployment in deployments:
        if deployment.chain_id != chain_id:
            raise UsageError(
                f"the node serves chain {chain_id}, but {deployment.name} is on chain "
                f"{deployment.chain_id}: give --rpc-url of a node of that chain"
            )
    return chain_id


def _not_backwards(store: Store, chain_id: int, target: Block) -> None:
    with store.transaction() as connection:
        known = find_chain(connection, chain_id)
    if known is not None and target.number < known.verified_to:
        raise UsageError(
            f"the store is already at block {known.verified_to}, past {target.number}: "
            "older blocks can be asked for with --block, or index into another --db"
        )


def _register(
    store: Store, chain_id: int, target: Block, deployments: Sequence[Deployment]
) -> list[Source]:
    """Stores the deployments, those indexed before, and one per kind of source.

    Deployments of the chain that were not asked for go along: one block is verified for all.
    """
    known = adapters()
    with store.transaction() as connection:
        put_blocks(connection, chain_id, [target])
        wanted = {d.name: d for d in (*_made_here(chain_id), *deployments)}
        for stored in stored_deployments(connection):
            _refuse_change(stored.deployment, wanted.get(stored.deployment.name))
            if stored.deployment.chain_id == chain_id and stored.deployment.protocol in known:
                wanted.setdefault(stored.deployment.name, stored.deployment)
        sources = []
        for deployment in wanted.values():
            adapter = known[deployment.protocol]
            stored = put_deployment(connection, deployment, adapter.version)
            if stored.adapter_version != adapter.version:
                # The other version may have asked for fewer events.
                codecs = Codecs(adapter)
                mine = [c.address for c in watched(connection, stored.id) if codecs.emits(c)]
                forget_verified(connection, chain_id, mine)
            sources.append(Source(stored=stored, adapter=adapter, codecs=Codecs(adapter)))
        for source in sources:
            roots = source.adapter.roots(source.stored.deployment)
            register(connection, source.stored, roots, source.stored.deployment.first_block)
    return sources


def _refuse_change(stored: Deployment, now: Deployment | None) -> None:
    """What is stored under a name was read from those contracts, from that block on."""
    if now is None:
        return
    before, after = _facts(stored), _facts(now)
    changed = [fact for fact, value in before.items() if after.get(fact) != value]
    if changed:
        raise UsageError(
            f"{now.name} was indexed with another {changed[0]}: "
            "give the deployment another name, or index into another --db"
        )


def _facts(deployment: Deployment) -> dict[str, object]:
    return {
        "protocol": deployment.protocol,
        "chain_id": deployment.chain_id,
        "first_block": deployment.first_block,
        **deployment.contracts,
    }


def _made_here(chain_id: int) -> list[Deployment]:
    """What feeds, pools and wrapped tokens are indexed in, wherever they are wanted."""
    return [
        Deployment(name=own_name(adapter, chain_id), protocol=adapter.name, chain_id=chain_id)
        for adapter in adapters().values()
        if isinstance(adapter, OracleAdapter | VenueAdapter | WrapperAdapter)
    ]
