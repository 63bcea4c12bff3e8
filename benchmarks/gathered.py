"""Our base layer alone: logs, headers, ranges and their audit, by the steps that `index` takes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from defirisk.chain.rpc import RpcChainReader
from defirisk.core.adapter import Deployment
from defirisk.indexing.audit.auditor import Auditor
from defirisk.indexing.audit.settings import AuditSettings
from defirisk.indexing.gathering import Gatherer
from defirisk.indexing.registering import registered
from defirisk.indexing.source import silent
from defirisk.store.database import Store, open_store


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """How many logs came, by how many HTTP requests and JSON-RPC calls."""

    logs: int
    requests: int
    calls: int


def gather(url: str, deployment: Deployment, store: Store) -> Gathered:
    """Everything up to the head into an empty store, with the audits of a plain `index`."""
    return asyncio.run(_gather(url, deployment, store))


@contextmanager
def new_store(database: str) -> Iterator[Store]:
    """An empty store at this address. Making its tables is not part of any indexing."""
    store = open_store(database, create=True)
    try:
        yield store
    finally:
        store.close()


async def _gather(url: str, deployment: Deployment, store: Store) -> Gathered:
    reader = RpcChainReader(url)
    try:
        target, final = await reader.block("latest"), await reader.block("finalized")
        sources = registered(store, deployment.chain_id, target, [deployment], {})
        auditor = Auditor(reader, AuditSettings(), final.number)
        gatherer = Gatherer(reader, store, deployment.chain_id, target, silent, auditor)
        logs = await gatherer.gather(sources)
        return Gathered(logs=logs, requests=reader.asked.requests, calls=reader.asked.calls)
    finally:
        await reader.aclose()
