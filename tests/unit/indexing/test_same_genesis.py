"""A store of one chain is not gone on with from another chain of the same id."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.generated_chain import (
    ChainShape,
    GeneratedChain,
    Node,
    application,
    deployment,
    served,
)
from defirisk.chain.rpc import RpcChainReader
from defirisk.core.errors import UsageError
from defirisk.indexing.run import RunSummary, index
from defirisk.store.database import Store, open_store
from defirisk.store.genesis import find_genesis, put_genesis
from tests.logical_dump import differences, logical_dump

CHAIN = GeneratedChain(ChainShape(blocks=120, every=10, seed=1))
OTHER = GeneratedChain(ChainShape(blocks=200, every=10, seed=2))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(f"sqlite:///{tmp_path / 'a.db'}", create=True)
    yield made
    made.close()


def run(chain: GeneratedChain, store: Store, node: Node | None = None) -> RunSummary:
    async def go(url: str) -> RunSummary:
        reader = RpcChainReader(url)
        try:
            return await index(reader, store, [deployment(CHAIN)], "latest")
        finally:
            await reader.aclose()

    with served(application(node or Node(chain))) as url:
        return asyncio.run(go(url))


def test_another_chain_of_the_same_id_is_refused_and_nothing_changes(store: Store) -> None:
    run(CHAIN, store)
    before = logical_dump(store)
    with pytest.raises(UsageError) as caught:
        run(OTHER, store)
    said = str(caught.value).splitlines()
    assert len(said) == 2
    assert OTHER.hash(0, OTHER.tip) in said[0]
    assert CHAIN.hash(0, CHAIN.tip) in said[0]
    assert "--rpc-url" in said[1]
    assert differences(logical_dump(store), before) == {}
    assert run(CHAIN, store).new_logs == 0


def test_a_node_that_has_what_was_read_is_believed(store: Store) -> None:
    """Some local nodes make a first block of their own when they are started again."""
    run(CHAIN, store)
    with store.transaction() as connection:
        put_genesis(connection, CHAIN.shape.chain_id, "0x" + "ab" * 32)
    run(CHAIN, store)
    with store.transaction() as connection:
        assert find_genesis(connection, CHAIN.shape.chain_id) == CHAIN.hash(0, CHAIN.tip)


def test_the_first_block_costs_no_request(store: Store) -> None:
    run(CHAIN, store)
    node = Node(CHAIN)

    async def ask(url: str) -> None:
        reader = RpcChainReader(url)
        assert await reader.chain_id() == CHAIN.shape.chain_id
        assert await reader.genesis() == CHAIN.hash(0, CHAIN.tip)
        await reader.aclose()

    with served(application(node)) as url:
        asyncio.run(ask(url))
    assert node.exchanges == 1
