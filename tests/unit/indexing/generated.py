"""Stores of a small generated chain, as several files of tests need them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from benchmarks.generated_chain import ChainShape, GeneratedChain, deployment, serve
from defirisk.chain.rpc import RpcChainReader
from defirisk.core.evm import BlockTag
from defirisk.indexing.run import index
from defirisk.store.database import Store, open_store

SHAPE = ChainShape(blocks=80, every=3, logs_per_block=2, finalized_distance=30)


def index_to(chain: GeneratedChain, store: Store, *ends: int | BlockTag) -> None:
    """A run to each of these blocks, one after the other."""

    async def go(url: str) -> None:
        reader = RpcChainReader(url)
        try:
            for end in ends:
                await index(reader, store, [deployment(chain)], end)
        finally:
            await reader.aclose()

    with serve(chain) as url:
        asyncio.run(go(url))


def indexed_store(folder: Path, name: str, chain: GeneratedChain, *ends: int | BlockTag) -> Store:
    """A new store that such runs filled."""
    store = open_store(f"sqlite:///{folder / name}.db", create=True)
    index_to(chain, store, *ends)
    return store
