"""JSON-RPC against a server that misbehaves."""

from __future__ import annotations

import time
from typing import Any

import pytest
from aiohttp import web

from defirisk.chain.answers import Request
from defirisk.chain.node_errors import NodeUnavailable
from defirisk.chain.retry import RetryPolicy
from defirisk.chain.transport import JsonRpcTransport, TransportSettings
from defirisk.core.errors import NodeError, RangeTooLarge, RetryableNodeError
from tests.unit.chain.fake_node import FAST, FakeNode, Fault, body, run, status

TRUNCATED = '[{"jsonrpc":"2.0","id":1,"resu'


def headers(numbers: range) -> list[Request]:
    return [Request("eth_getBlockByNumber", [hex(number), False]) for number in numbers]


def numbers_of(answers: list[object]) -> list[int]:
    return [int(answer["number"], 16) for answer in answers if isinstance(answer, dict)]


async def ask(
    node: FakeNode, requests: list[Request], settings: TransportSettings = FAST
) -> list[object]:
    transport = JsonRpcTransport(node.url, settings)
    try:
        return await transport.batch(requests)
    finally:
        await transport.aclose()


@pytest.mark.parametrize(
    "fault",
    [
        status(429),
        status(500),
        status(503, Retry_After="0"),
        body(TRUNCATED),
        body("null"),
        body(""),
        body("[]"),
        body("[null, null, null]"),
        body('[{"id": 1}, {"id": 2}]'),
        body('{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"rate limit"}}'),
        body('{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"try again later"}}', 503),
        body('{"error": "upstream is down"}', 502),
    ],
)
def test_what_may_pass_is_asked_again(fault: Fault) -> None:
    async def scenario() -> None:
        async with FakeNode() as node:
            node.faults.extend([fault, fault])
            assert numbers_of(await ask(node, headers(range(5)))) == [0, 1, 2, 3, 4]
            assert len(node.requests) == 3

    run(scenario())


def test_a_connection_that_breaks_is_tried_again() -> None:
    async def scenario() -> None:
        async with FakeNode() as node:

            def cut_off(_: Any) -> web.Response:
                response = web.Response(text="{}" * 10)
                response.content_length = 10_000
                return response

            node.faults.append(cut_off)
            assert numbers_of(await ask(node, headers(range(2)))) == [0, 1]

    run(scenario())


def test_retry_after_is_honoured_and_bounded() -> None:
    async def took(wish: str, most: float) -> float:
        async with FakeNode() as node:
            node.faults.append(status(429, Retry_After=wish))
            policy = RetryPolicy(first_delay=0.001, max_retry_after=most)
            start = time.perf_counter()
            await ask(node, headers(range(1)), TransportSettings(retry=policy))
            return time.perf_counter() - start

    assert run(took("0.2", 120.0)) >= 0.2
    assert run(took("3600", 0.05)) < 5
    assert run(took("Wed, 21 Oct 2015 07:28:00 GMT", 120.0)) < 5


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (status(429), NodeUnavailable),
        (status(500), NodeError),
        (body(TRUNCATED), NodeError),
        (status(401), NodeUnavailable),
        (body('{"id":1,"error":{"code":-32601,"message":"no such method"}}'), NodeUnavailable),
    ],
)
def test_the_last_error_names_host_method_and_what_to_do(
    fault: Fault, kind: type[NodeError]
) -> None:
    async def scenario() -> None:
        async with FakeNode() as node:
            node.faults.extend([fault] * 10)
            transport = JsonRpcTransport(node.url, FAST)
            with pytest.raises(NodeError) as caught:
                await transport.request("eth_chainId")
            await transport.aclose()
            assert type(caught.value) is kind
            assert not isinstance(caught.value, RetryableNodeError)
            assert "http://127.0.0.1" in str(caught.value)
            assert "eth_chainId" in str(caught.value)

    run(scenario())


def test_a_time_out_is_a_node_error_after_the_retries() -> None:
    async def scenario() -> None:
        settings = TransportSettings(
            timeout=0.05, retry=RetryPolicy(attempts=2, first_delay=0.001, max_delay=0.001)
        )
        async with FakeNode() as node:

            def sleepy(_: Any) -> None:
                time.sleep(0.2)

            node.faults.extend([sleepy, sleepy])
            (answer,) = await ask(node, headers(range(1)), settings)
            assert type(answer) is NodeError
            assert "0.05 s" in str(answer)

    run(scenario())


def test_answers_in_any_order_find_their_requests() -> None:
    async def scenario() -> None:
        async with FakeNode() as node:

            def reversed_order(requests: Any) -> web.Response:
                return web.json_response([node._one(call) for call in reversed(requests)])

            node.faults.append(reversed_order)
            assert numbers_of(await ask(node, headers(range(7)))) == list(range(7))

    run(scenario())


def test_answers_without_ids_are_taken_in_order() -> None:
    async def scenario() -> None:
        async with FakeNode() as node:

            def without_ids(requests: Any) -> web.Response:
                answers = [node._one(call) for call in requests]
                return web.json_response([{"result": answer["result"]} for answer in answers])

            node.faults.append(without_ids)
            assert numbers_of(await ask(node, headers(range(4)))) == list(range(4))

    run(scenario())


def test_only_the_requests_without_an_answer_are_asked_again() -> None:
    async def scenario() -> None:
        async with FakeNode() as node:

            def half(requests: Any) -> web.Response:
                return web.json_response([node._one(call) for call in requests[::2]])

            node.faults.append(half)
            assert numbers_of(await ask(node, headers(range(6)))) == list(range(6))
            assert [len(r) for r in node.requests] == [6, 3]

    run(scenario())


def test_requests_that_belong_together_are_asked_again_together() -> None:
    async def scenario() -> None:
        async with FakeNode() as node:

            def half(requests: Any) -> web.Response:
                return web.json_response([node._one(call) for call in requests[::2]])

            node.faults.append(half)
            transport = JsonRpcTransport(node.url, FAST)
            await transport.batch(headers(range(6)), together=True)
            await transport.aclose()
            assert [len(r) for r in node.requests] == [6, 6]

    run(scenario())


def test_one_error_among_answers_is_one_items_error() -> None:
    async def scenario() -> None:
        async with FakeNode() as node:
            answers = await ask(
                node, [*headers(range(2)), Request("eth_nothing"), *headers(range(3))]
            )
            assert numbers_of(answers) == [0, 1, 0, 1, 2]
            assert isinstance(answers[2], NodeUnavailable)
            assert "eth_nothing" in str(answers[2])

    run(scenario())


def test_a_node_that_refuses_batches_gets_single_requests_from_then_on() -> None:
    async def scenario() -> None:
        async with FakeNode(batches=False) as node:
            transport = JsonRpcTransport(node.url, FAST)
            assert numbers_of(await transport.batch(headers(range(5)))) == list(range(5))
            assert numbers_of(await transport.batch(headers(range(5)))) == list(range(5))
            await transport.aclose()
            assert sum(isinstance(request, list) for request in node.requests) == 1

    run(scenario())


@pytest.mark.parametrize("code", [200, 400, 413])
def test_a_batch_that_is_too_large_is_halved(code: int) -> None:
    async def scenario() -> None:
        async with FakeNode() as node:

            def at_most_three(requests: Any) -> web.Response | None:
                if isinstance(requests, list) and len(requests) > 3:
                    error = {"code": -32600, "message": "batch too large"}
                    return web.json_response({"id": None, "error": error}, status=code)
                return None

            node.faults.extend([at_most_three] * 100)
            assert numbers_of(await ask(node, headers(range(20)))) == list(range(20))

    run(scenario())


def test_batches_are_bounded_and_parallel_requests_limited() -> None:
    async def scenario() -> None:
        async with FakeNode() as node:
            settings = TransportSettings(batch_size=7, concurrency=2)
            assert numbers_of(await ask(node, headers(range(30)), settings)) == list(range(30))
            assert sorted(len(request) for request in node.requests) == [2, 7, 7, 7, 7]

    run(scenario())


def test_413_for_logs_is_a_range_error() -> None:
    async def scenario() -> None:
        async with FakeNode() as node:
            node.faults.append(status(413))
            query = {"address": [], "fromBlock": "0x1", "toBlock": "0x9"}
            transport = JsonRpcTransport(node.url, FAST)
            with pytest.raises(RangeTooLarge):
                await transport.batch([Request("eth_blockNumber"), Request("eth_getLogs", [query])])
            await transport.aclose()
            assert len(node.requests) == 1

    run(scenario())


def test_the_transport_opens_again_after_it_was_closed() -> None:
    async def scenario() -> None:
        async with FakeNode() as node:
            transport = JsonRpcTransport(node.url, FAST)
            await transport.aclose()
            assert await transport.request("eth_chainId") == hex(31337)
            await transport.aclose()
            assert await transport.request("eth_chainId") == hex(31337)
            await transport.aclose()

    run(scenario())
