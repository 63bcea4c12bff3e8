"""What a range does when a node refuses, lags behind or answers nonsense."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from defirisk.chain.range_size import RangeSettings, RangeSize
from defirisk.chain.ranges import LogRanges
from defirisk.chain.transport import JsonRpcTransport
from defirisk.core.errors import NodeError
from defirisk.core.evm import LogQuery
from tests.unit.chain.fake_node import FAST, TOPIC, FakeNode, address, log_json, run, status
from tests.unit.chain.range_node import EMITTERS, check, read, some_logs


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
            sizes = RangeSettings(addresses_per_filter=50)
            check(node, await read(node, 0, 50, sizes, query=query), 0, 50)
            assert node.count("eth_getLogs") == 3
            assert node.count("eth_blockNumber") == len(node.requests) == 1

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
    assert size.blocks == 87
    size.answered(100, 60)
    assert size.blocks == 145
    size.answered(145, 14)
    assert size.blocks == 290


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
