"""Readers of several nodes of one chain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from defirisk.chain.endpoints import Endpoints
from defirisk.chain.rpc import EndpointsReader, RpcChainReader
from defirisk.core.evm import Block, LogQuery
from tests.unit.chain.fake_node import FAST, FakeNode, block_hash
from tests.unit.chain.range_node import EMITTERS, some_logs

QUERY = LogQuery(addresses=EMITTERS)


@asynccontextmanager
async def serving(*nodes: FakeNode, **kwargs: Any) -> AsyncIterator[RpcChainReader]:
    """A reader of all these nodes."""
    async with AsyncExitStack() as stack:
        for node in nodes:
            await stack.enter_async_context(node)
        reader = RpcChainReader([node.url for node in nodes], transport=FAST, **kwargs)
        try:
            yield reader
        finally:
            await reader.aclose()


def chain(head: int = 400, seed: int = 5) -> list[FakeNode]:
    """Two nodes with the same logs."""
    logs = some_logs(head, 120, seed, EMITTERS)
    return [FakeNode(head=head, logs=list(logs)) for _ in range(2)]


def endpoints(reader: EndpointsReader) -> Endpoints:
    return reader._endpoints


def asked(node: FakeNode) -> int:
    """Requests after the introduction."""
    return len(node.requests) - 1


def at(number: int) -> Block:
    return Block(
        number=number,
        hash=block_hash(number),
        parent_hash=block_hash(number - 1),
        timestamp=1_700_000_000 + 12 * number,
    )


def names(reader: EndpointsReader) -> list[str]:
    return [node.name for node in endpoints(reader).nodes]
