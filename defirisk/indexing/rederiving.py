"""Makes everything derived again from what was read, without a node.

A deployment whose rows are not all made again says so by how far it is folded: it is not read until
the next run, or the next time, has completed it. All rows of a deployment are made by one version
of its adapter, which stands with the deployment, so rows need not state it.
"""

from __future__ import annotations

from collections.abc import Sequence

from defirisk.core.errors import UsageError
from defirisk.core.evm import Block
from defirisk.core.plugins import adapters
from defirisk.indexing.codecs import Codecs
from defirisk.indexing.rediscovering import rediscover
from defirisk.indexing.replaying import replay, replay_to
from defirisk.indexing.source import Progress, Source, silent
from defirisk.store.database import Store
from defirisk.store.derived import undo_after
from defirisk.store.leases import leased
from defirisk.store.registry import set_folded, stored_chains, stored_deployments
from defirisk.store.snapshots import stored_block

NOTHING = -1
"""The block before the first one."""
IMPORTED_CHAIN = 0
"""What was imported from files has no logs to be derived from."""


def rederive(store: Store, names: Sequence[str] = (), progress: Progress = silent) -> int:
    """Makes the rows of these deployments again; of all, with what they watch, if none is named.

    Returns how many rows were written. Errors: `UsageError` where a name is none of a deployment
    that was indexed from a chain, `LeaseHeld` where a run works on the chain.
    """
    chosen = _chosen(store, names)
    rows = 0
    for chain_id in dict.fromkeys(s.stored.deployment.chain_id for s in chosen):
        mine = [s for s in chosen if s.stored.deployment.chain_id == chain_id]
        with leased(store, f"chain {chain_id}"):
            with store.transaction() as connection:
                end = stored_block(connection, chain_id, None)
            rows += rederive_chain(store, mine, end, progress, whole=not names)
    return rows


def rederive_chain(
    store: Store,
    sources: Sequence[Source],
    end: Block,
    progress: Progress = silent,
    *,
    whole: bool = True,
) -> int:
    """Rows of deployments of one chain up to `end`; returns how many were written.

    `whole`: these are all deployments of the chain, and so decide what is watched.
    """
    if whole:
        with store.transaction() as connection:
            rediscover(connection, sources, end)
    return sum(_rows(store, source, end, progress) for source in sources)


def _rows(store: Store, source: Source, end: Block, progress: Progress) -> int:
    stored, version = source.stored, source.adapter.version
    with store.transaction() as connection:
        undo_after(connection, source.adapter, stored.id, NOTHING)
        set_folded(connection, stored.id, NOTHING, version)
    rows = replay(store, source, end, progress)
    return rows + replay_to(store, source, end, progress)


def _chosen(store: Store, names: Sequence[str]) -> list[Source]:
    with store.transaction() as connection:
        chains = {chain.chain_id for chain in stored_chains(connection)} - {IMPORTED_CHAIN}
        stored = [
            one
            for one in stored_deployments(connection)
            if one.deployment.chain_id in chains and one.deployment.protocol in adapters()
        ]
    for name in names:
        if not any(name in (s.deployment.name, s.deployment.protocol) for s in stored):
            raise UsageError(f"nothing called {name!r} was indexed: see defirisk status")
    if not stored:
        raise UsageError("nothing was indexed from a chain yet: run defirisk index first")
    chosen = []
    for one in stored:
        if not names or one.deployment.name in names or one.deployment.protocol in names:
            adapter = adapters()[one.deployment.protocol]
            chosen.append(Source(stored=one, adapter=adapter, codecs=Codecs(adapter)))
    return chosen
