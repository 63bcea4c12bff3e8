"""Estimates a run from a few ranges, spread evenly over the blocks that are still to be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from time import perf_counter

from defirisk.chain.block_proofs import BLOCKS_PER_REQUEST
from defirisk.chain.provider_units import provider_units
from defirisk.chain.range_size import RangeSettings
from defirisk.core.adapter import Contract, Deployment
from defirisk.core.errors import NodeError
from defirisk.core.estimate import Estimate, Estimates
from defirisk.core.evm import BlockTag, ChainReader, LogQuery
from defirisk.core.plugins import adapters
from defirisk.indexing.audit.blooms import PER_REQUEST
from defirisk.indexing.audit.settings import AuditSettings
from defirisk.indexing.codecs import Codecs
from defirisk.store.database import Store
from defirisk.store.ranges import joined, missing, verified
from defirisk.store.registry import find_deployment, watched

SAMPLES = 6
"""Ranges that are asked for, of each deployment."""
WIDTH = 200
"""Blocks in each."""
BYTES_PER_LOG, BYTES_PER_BLOCK = 900, 280
"""What a folded log and the header of its block take in SQLite, with their indexes."""
LOGS_PER_SECOND = 15_000
"""Folded and stored on one core."""
UNDER_WAY = 4
"""Requests at once."""
OF_A_RUN = {"eth_chainId": 1, "eth_getBlockByNumber": 4, "eth_call": 2}
"""What every run asks."""


@dataclass(slots=True)
class _Seen:
    """What the sampled ranges held."""

    blocks: int = 0
    logs: int = 0
    event_blocks: int = 0
    seconds: float = 0.0
    asked: int = 0


async def estimate(
    reader: ChainReader,
    store: Store | None,
    deployments: Sequence[Deployment],
    to_block: int | BlockTag,
    audit: AuditSettings,
) -> Estimates:
    """What `index` would cost. Nothing is stored. Errors: `NodeError` where the node fails."""
    target = await reader.block(to_block)
    found, asked = [], 0
    for deployment in deployments:
        codecs = Codecs(adapters()[deployment.protocol])
        contracts = _contracts(store, deployment, codecs)
        gaps = _gaps(store, deployment.chain_id, contracts, target.number)
        seen = await _sample(reader, contracts, codecs, gaps)
        asked += seen.asked
        found.append(_estimate(deployment, len(contracts), gaps, seen, audit))
    chain_id = await reader.chain_id()
    return Estimates(chain_id=chain_id, block=target.number, asked=asked, deployments=tuple(found))


def _contracts(store: Store | None, deployment: Deployment, codecs: Codecs) -> list[Contract]:
    """What is known to be watched: as the store knows it, else as the deployment's data says."""
    its = adapters()[deployment.protocol]
    known = [c for c in its.roots(deployment) if isinstance(c, Contract)]
    if store is not None:
        with store.transaction() as connection:
            stored = find_deployment(connection, deployment.name)
            known = watched(connection, stored.id) if stored else known
    return [contract for contract in known if codecs.emits(contract)]


def _gaps(
    store: Store | None, chain_id: int, contracts: Sequence[Contract], last: int
) -> list[tuple[int, int]]:
    gaps = []
    for contract in contracts:
        done: list[tuple[int, int]] = []
        if store is not None:
            with store.transaction() as connection:
                done = verified(connection, chain_id, contract.address)
        gaps += missing(done, contract.first_block, last)
    return joined(gaps)


async def _sample(
    reader: ChainReader,
    contracts: Sequence[Contract],
    codecs: Codecs,
    gaps: Sequence[tuple[int, int]],
) -> _Seen:
    seen = _Seen()
    query = LogQuery(
        addresses=tuple(sorted({contract.address for contract in contracts})),
        topics0=codecs.topics(contracts),
    )
    for first, last in spread(gaps, SAMPLES, WIDTH):
        began = perf_counter()
        try:
            logs = [log async for page in reader.logs(query, first, last) for log in page.logs]
        except NodeError:
            continue  # what a node no longer serves says nothing of the rest
        seen.seconds += perf_counter() - began
        seen.asked += 1
        seen.blocks += last - first + 1
        seen.logs += len(logs)
        seen.event_blocks += len({log.block_number for log in logs})
    return seen


def spread(gaps: Sequence[tuple[int, int]], count: int, width: int) -> list[tuple[int, int]]:
    """At most `count` ranges of `width` blocks, evenly over all gaps, the last at the very end."""
    total = sum(last - first + 1 for first, last in gaps)
    if total <= count * width:
        return list(gaps)
    starts = [round(at * (total - width) / (count - 1)) for at in range(count)]
    found = []
    for start in starts:
        for first, last in gaps:
            if start <= last - first:
                found.append((first + start, min(last, first + start + width - 1)))
                break
            start -= last - first + 1
    return found


def _estimate(
    deployment: Deployment,
    contracts: int,
    gaps: Sequence[tuple[int, int]],
    seen: _Seen,
    audit: AuditSettings,
) -> Estimate:
    blocks = sum(last - first + 1 for first, last in gaps)
    share = blocks / seen.blocks if seen.blocks else 0.0
    logs, event_blocks = round(seen.logs * share), round(seen.event_blocks * share)
    settings = RangeSettings()
    ranges = max(
        ceil(logs / settings.target_logs), ceil(blocks / settings.max_blocks), len(gaps)
    ) * max(1, ceil(contracts / settings.addresses_per_filter))
    headers = event_blocks + ranges * audit.sampled_per_range * (audit.mode == "sample")
    headers = blocks if audit.every_block else headers
    receipts = event_blocks if audit.mode == "receipts" else 0
    calls = dict(OF_A_RUN) | {"eth_blockNumber": ranges, "eth_getLogs": ranges}
    calls["eth_getBlockByNumber"] += headers
    calls["eth_getBlockReceipts"] = receipts
    requests = ranges + ceil(headers / PER_REQUEST) + ceil(receipts / BLOCKS_PER_REQUEST)
    requests += sum(OF_A_RUN.values())
    latency = seen.seconds / seen.asked if seen.asked else 0.0
    return Estimate(
        deployment=deployment.name,
        contracts=contracts,
        blocks=blocks,
        logs=logs,
        event_blocks=event_blocks,
        requests=requests,
        calls=calls,
        units={provider.name: provider.cost(calls) for provider in provider_units()},
        disk_bytes=logs * BYTES_PER_LOG + event_blocks * BYTES_PER_BLOCK,
        seconds=requests * latency / UNDER_WAY + logs / LOGS_PER_SECOND,
    )
