"""Adaptive eth_getLogs: nothing lost, nothing twice, whatever the node allows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defirisk.chain.range_size import RangeSettings
from defirisk.core.errors import NodeBehind
from tests.unit.chain.fake_node import FakeNode, log_json, run
from tests.unit.chain.range_node import EMITTERS, check, read, some_logs


def hint_alchemy(first: int, last: int) -> str:
    middle = (first + last) // 2
    return f"Log response size exceeded. this block range should work: [{first:#x}, {middle:#x}]"


def hint_useless(first: int, last: int) -> str:
    return f"Try with this block range [{first:#x}, {last:#x}]."


MESSAGES: list[Callable[[int, int], str]] = [
    lambda *_: "query returned more than 40 results",
    lambda *_: "Entschuldigung, das geht so nicht",
    lambda *_: "block range is too wide",
    hint_alchemy,
    hint_useless,
]


@settings(max_examples=30, deadline=None)
@given(
    head=st.integers(1, 400),
    count=st.integers(0, 120),
    max_logs=st.one_of(st.none(), st.integers(1, 60)),
    max_blocks=st.one_of(st.none(), st.integers(1, 300)),
    message=st.sampled_from(MESSAGES),
    first_blocks=st.integers(1, 600),
    target=st.integers(1, 400),
    per_filter=st.integers(1, 3),
    reads=st.integers(1, 5),
    seed=st.integers(0, 9),
)
def test_no_log_is_lost_or_doubled(
    head: int,
    count: int,
    max_logs: int | None,
    max_blocks: int | None,
    message: Callable[[int, int], str],
    first_blocks: int,
    target: int,
    per_filter: int,
    reads: int,
    seed: int,
) -> None:
    async def scenario() -> None:
        node = FakeNode(
            head=head,
            logs=some_logs(head, count, seed, EMITTERS),
            max_logs=max_logs,
            max_blocks=max_blocks,
            message=message,
        )
        sizes = RangeSettings(
            first_blocks=first_blocks,
            target_logs=target,
            addresses_per_filter=per_filter,
            pages_ahead=reads,
        )
        async with node:
            first = head // 5
            check(node, await read(node, first, head, sizes), first, head)

    run(scenario())


@pytest.mark.parametrize("message", MESSAGES)
def test_it_converges_in_few_requests(message: Callable[[int, int], str]) -> None:
    async def scenario() -> None:
        async with FakeNode(head=100_000, max_blocks=1_000, message=message) as node:
            sizes = RangeSettings(first_blocks=8_000, pages_ahead=1)
            check(node, await read(node, 0, 100_000, sizes), 0, 100_000)
            # 101 are needed; halving 8,000 takes 3 more, closing in on the limit a few.
            assert node.count("eth_getLogs") <= 101 * 8 // 7 + 12

    run(scenario())


def test_a_stated_limit_is_used_at_once() -> None:
    async def scenario() -> None:
        says = "eth_getLogs is limited to a 1,000 range"
        async with FakeNode(head=20_000, max_blocks=1_000, message=lambda *_: says) as node:
            pages = await read(node, 1, 20_000, RangeSettings(first_blocks=16_000, pages_ahead=1))
            check(node, pages, 1, 20_000)
            assert node.count("eth_getLogs") == 21

    run(scenario())


def test_one_request_where_the_node_has_no_limits() -> None:
    async def scenario() -> None:
        async with FakeNode(head=400, logs=some_logs(400, 50, 1, EMITTERS)) as node:
            check(node, await read(node, 0, 400), 0, 400)
            assert len(node.requests) == 1
            assert [call["method"] for call in node.requests[0]] == [
                "eth_blockNumber",
                "eth_getLogs",
            ]

    run(scenario())


def test_a_lagging_node_is_waited_for_and_never_believed() -> None:
    async def scenario() -> None:
        async with FakeNode(logs=some_logs(100, 80, 2, EMITTERS), lagging_answers=2) as node:
            check(node, await read(node, 0, 100), 0, 100)
        async with FakeNode(logs=some_logs(100, 80, 2, EMITTERS), lagging_answers=999) as node:
            with pytest.raises(NodeBehind, match="block 50, before the block 100"):
                await read(node, 0, 100)

    run(scenario())


def test_it_works_without_batches() -> None:
    async def scenario() -> None:
        async with FakeNode(logs=some_logs(100, 80, 3, EMITTERS), batches=False) as node:
            check(node, await read(node, 0, 100, RangeSettings(first_blocks=20)), 0, 100)
            singles = [r["method"] for r in node.requests if isinstance(r, dict)]
            assert singles[0] == "eth_blockNumber"

    run(scenario())


def test_a_single_block_over_the_limit_is_asked_by_hash() -> None:
    async def scenario() -> None:
        logs = [log_json(7, i, EMITTERS[0]) for i in range(30)] + [log_json(9, 30, EMITTERS[1])]
        async with FakeNode(head=10, logs=logs, max_logs=10) as node:
            check(node, await read(node, 0, 10), 0, 10)
            assert any("blockHash" in str(request) for request in node.requests)

    run(scenario())
