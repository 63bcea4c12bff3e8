"""Stores filled from the local chain, as the on-chain tests need them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from defirisk.chain.recorded import RecordedChainReader
from defirisk.chain.rpc import RpcChainReader
from defirisk.core.adapter import Deployment
from defirisk.core.evm import BlockTag, ChainReader
from defirisk.indexing.run import RunSummary, index
from defirisk.store.database import Store, open_store
from defirisk.store.registry import StoredDeployment, find_deployment
from tests.databases import database_url
from tests.demo import read_once

T = TypeVar("T")


def with_reader(url: str, work: Callable[[ChainReader], Awaitable[T]]) -> T:
    """Runs `work` with a reader of a live node, and closes the reader."""

    async def run() -> T:
        reader = RpcChainReader(url)
        try:
            return await work(reader)
        finally:
            await reader.aclose()

    return asyncio.run(run())


def new_store(folder: Path, name: str = "market.db") -> Store:
    """An empty store, in the database that the suite is run on (`tests.databases`)."""
    return open_store(database_url(folder / name), create=True)


def index_live(
    url: str, store: Store, market: Deployment, to: int | BlockTag = "latest"
) -> RunSummary:
    """One run against a live node."""
    return with_reader(url, lambda reader: index(reader, store, [market], to))


def index_recorded(recording: Path, store: Store, market: Deployment) -> RunSummary:
    """One run against a recording, up to its end."""
    reader = RecordedChainReader(read_once(recording))
    return asyncio.run(index(reader, store, [market], "finalized"))


def stored(store: Store, market: Deployment) -> StoredDeployment:
    """The deployment as the store holds it."""
    with store.transaction() as connection:
        found = find_deployment(connection, market.name)
    assert found is not None
    return found
