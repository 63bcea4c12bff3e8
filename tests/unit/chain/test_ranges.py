"""Adaptive eth_getLogs: nothing lost, nothing twice, whatever the node allows."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from defirisk.chain.range_size import RangeSettings, RangeSize
from defirisk.chain.ranges import LogRanges
from defirisk.chain.transport import JsonRpcTransport
from defirisk.core.errors import NodeBehind, NodeError
from defirisk.core.evm import LogPage, LogQuery
from tests.unit.chain.fake_node import FAST, TOPIC, FakeNode, address, log_json, run, status

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
        async with FakeNode(head=1_000, logs=some_logs(1_000, 50, 1, EMITTERS)) as node:
            check(node, await read(node, 0, 1_000), 0, 1_000)
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


def test_what_cannot_be_had_by_hash_either_is_an_error() -> None:
    async def scenario() -> None:
        async with FakeNode(head=10) as node:

            def refuse(requests: Any) -> web.Response | None:
                if "eth_getLogs" not in str(requests):
                    return None
                error = {"code": -32000, "message": "no"}
                calls = requests if isinstance(requests, list) else [requests]
                answers = [
                    {"id": c["id"], "error": error}
                    if c["method"] == "eth_getLogs"
                    else node._one(c)
                    for c in calls
                ]
                return web.json_response(answers if isinstance(requests, list) else answers[0])

            node.faults.extend([refuse] * 100)
            with pytest.raises(NodeError, match="eth_getLogs: no"):
                await read(node, 0, 10)

    run(scenario())


def test_a_wrong_key_fails_at_once() -> None:
    async def scenario() -> None:
        async with FakeNode(head=100_000) as node:
            node.faults.extend([status(401)] * 100)
            with pytest.raises(NodeError, match="refuses the key"):
                await read(node, 0, 100_000)
            assert len(node.requests) == 1

    run(scenario())


def _with(**changes: object) -> Callable[[dict[str, Any]], None]:
    return lambda log: log.update(changes)


@pytest.mark.parametrize(
    "spoil",
    [
        _with(removed=True),
        _with(blockNumber="0x63"),
        _with(blockNumber=None),
        _with(address=address(99)),
        _with(topics=["0x" + "11" * 32]),
        _with(topics=[]),
        _with(topics=["0x11"]),
        _with(data="0xabc"),
        _with(blockHash="0x" + "cd" * 32),
        _with(logIndex="0x2"),
        _with(logIndex="nonsense"),
        lambda log: log.pop("transactionHash"),
    ],
)
@pytest.mark.parametrize("times", [1, 99])
def test_unsound_answers_are_asked_again_and_then_refused(
    spoil: Callable[[dict[str, Any]], object], times: int
) -> None:
    query = LogQuery(addresses=EMITTERS, topics0=(TOPIC,))

    async def scenario() -> None:
        logs = [log_json(5, i, EMITTERS[0]) for i in range(4)]
        async with FakeNode(head=10, logs=logs) as node:

            def unsound(requests: Any) -> web.Response | None:
                if not isinstance(requests, list):
                    return None
                answers = [node._one(call) for call in requests]
                answers[1]["result"] = [dict(x) for x in answers[1]["result"]]
                spoil(answers[1]["result"][-1])
                return web.json_response(answers)

            node.faults.extend([unsound] * times)
            if times == 1:
                check(node, await read(node, 5, 5, query=query), 5, 5)
                return
            # Asked by hash at the end, which this server answers soundly.
            check(node, await read(node, 5, 5, query=query), 5, 5)
            assert any("blockHash" in str(request) for request in node.requests)

    run(scenario())


def test_many_addresses_are_split_and_asked_once_each() -> None:
    emitters = tuple(address(n) for n in range(1, 131))

    async def scenario() -> None:
        async with FakeNode(head=50, logs=some_logs(50, 200, 4, emitters)) as node:
            query = LogQuery(addresses=(*emitters, emitters[0].upper().replace("X", "x")))
            check(node, await read(node, 0, 50, query=query), 0, 50)
            assert node.count("eth_getLogs") == 3
            assert node.count("eth_blockNumber") == 3

    run(scenario())


def test_a_query_without_addresses_is_refused() -> None:
    async def scenario() -> None:
        async with FakeNode() as node:
            with pytest.raises(ValueError, match="without addresses"):
                await read(node, 0, 10, query=LogQuery(addresses=()))

    run(scenario())


def test_a_reader_that_stops_early_leaves_nothing_running() -> None:
    async def scenario() -> None:
        async with FakeNode(head=1_000) as node:
            transport = JsonRpcTransport(node.url, FAST)
            pages = LogRanges(transport, RangeSettings(first_blocks=10, max_blocks=10)).pages(
                LogQuery(addresses=EMITTERS), 0, 1_000
            )
            async for page in pages:
                if page.first_block >= 50:
                    break
            await pages.aclose()  # type: ignore[attr-defined]
            await transport.aclose()
            assert node.count("eth_getLogs") < 20

    run(scenario())


def test_dense_pages_make_the_next_ones_smaller() -> None:
    size = RangeSize(RangeSettings(first_blocks=1_000, target_logs=100))
    size.answered(1_000, 1_000)
    assert size.blocks == 100
    size.answered(100, 60)
    assert size.blocks == 100
    size.answered(100, 10)
    assert size.blocks == 200


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 10_000), st.integers(-5, 5_000)), max_size=60)
)
def test_the_size_stays_within_bounds_and_a_refusal_always_shrinks(
    steps: list[tuple[bool, int, int]],
) -> None:
    limits = replace(RangeSettings(), max_blocks=4_000)
    size = RangeSize(limits)
    for refused, logs, hint in steps:
        width = size.blocks
        if refused and width > 1:
            assert 1 <= size.refused(width, hint) < width
        else:
            size.answered(width, logs)
        assert 1 <= size.blocks <= limits.max_blocks
