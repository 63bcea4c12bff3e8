"""Which deployments a run advances: those asked for, those indexed before, and kinds of sources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from defirisk.core.adapter import Deployment
from defirisk.core.errors import UsageError
from defirisk.core.evm import Block, ChainReader
from defirisk.core.plugins import adapters
from defirisk.core.sources import OracleAdapter, VenueAdapter, WrapperAdapter
from defirisk.indexing.codecs import Codecs
from defirisk.indexing.discovery import own_name, register
from defirisk.indexing.source import Source
from defirisk.store.database import Store
from defirisk.store.ranges import forget_verified
from defirisk.store.raw import put_blocks
from defirisk.store.registry import put_deployment, stored_deployments, watched


async def same_chain(reader: ChainReader, deployments: Iterable[Deployment]) -> int:
    """The node's chain. Errors: `UsageError` where a deployment is on another one."""
    chain_id = await reader.chain_id()
    for deployment in deployments:
        if deployment.chain_id != chain_id:
            raise UsageError(
                f"the node serves chain {chain_id}, but {deployment.name} is on chain "
                f"{deployment.chain_id}: give --rpc-url of a node of that chain"
            )
    return chain_id


def registered(
    store: Store,
    chain_id: int,
    target: Block,
    deployments: Sequence[Deployment],
    codecs: dict[str, Codecs],
) -> list[Source]:
    """Stores the deployments, those indexed before, and one per kind of source.

    Deployments of the chain that were not asked for go along: one block is verified for all.
    `codecs` keeps those that are compiled, by the adapter's name.
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
            its = codecs.setdefault(adapter.name, Codecs(adapter))
            if stored.adapter_version != adapter.version:
                # The other version may have asked for fewer events.
                mine = [c.address for c in watched(connection, stored.id) if its.emits(c)]
                forget_verified(connection, chain_id, mine)
            sources.append(Source(stored=stored, adapter=adapter, codecs=its))
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
