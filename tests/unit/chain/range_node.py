"""Logs for a node to serve, and the check that pages hold them all, once, in order."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

from defirisk.chain.range_size import RangeSettings
from defirisk.chain.ranges import LogRanges
from defirisk.chain.transport import JsonRpcTransport
from defirisk.core.evm import LogPage, LogQuery
from tests.unit.chain.fake_node import FAST, FakeNode, address, log_json

EMITTERS = tuple(address(n) for n in range(1, 4))


def some_logs(head: int, count: int, seed: int, emitters: tuple[str, ...]) -> list[dict[str, Any]]:
    """Logs bunched in a few blocks, as real ones are."""
    rng = random.Random(seed)
    blocks = sorted(int(head * rng.random() ** 3) for _ in range(count))
    return [log_json(b, i, rng.choice(emitters)) for i, b in enumerate(blocks)]


async def read(
    node: FakeNode,
    first: int,
    last: int,
    sizes: RangeSettings | None = None,
    query: LogQuery | None = None,
) -> list[LogPage]:
    transport = JsonRpcTransport(node.url, FAST)
    ranges = LogRanges(transport, sizes or RangeSettings())
    try:
        query = query or LogQuery(addresses=EMITTERS)
        return [page async for page in ranges.pages(query, first, last)]
    finally:
        await transport.aclose()


def check(node: FakeNode, pages: list[LogPage], first: int, last: int) -> None:
    """The pages cover the range without gap, and hold exactly the chain's logs, in order."""
    assert pages[0].first_block == first
    assert pages[-1].last_block == last
    for before, after in pairwise(pages):
        assert after.first_block == before.last_block + 1
    for page in pages:
        assert all(page.first_block <= x.block_number <= page.last_block for x in page.logs)
    got = [(x.block_number, x.log_index, x.address) for page in pages for x in page.logs]
    expected = [
        (int(x["blockNumber"], 16), int(x["logIndex"], 16), x["address"])
        for x in node.logs
        if first <= int(x["blockNumber"], 16) <= last
    ]
    assert got == sorted(expected)
