"""Calls that ride along with others where requests have to wait for their turn."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from aiohttp import web

from defirisk.chain.answers import Request
from defirisk.chain.rate_state import RateState
from defirisk.chain.transport import JsonRpcTransport
from defirisk.core.errors import NodeError
from tests.unit.chain.fake_node import FAST, FakeNode, Fault, block_hash, run, status

PAGE = [Request("eth_blockNumber"), Request("eth_chainId")]
HEADERS = [Request("eth_getBlockByNumber", [hex(number), False]) for number in range(1, 61)]


def limited(node: FakeNode, rate: float = 20.0) -> JsonRpcTransport:
    """To a provider that is known to bear so many requests a second, and the next one soon."""
    transport = JsonRpcTransport(node.url, FAST)
    now = time.time()
    transport.bucket.state = RateState(rate, now + 0.1, 0.0, now, now, rate)
    # The state lies on the shelf, as the bucket reads it from there.
    transport.bucket._shelf.update(transport.endpoint.host, lambda _: transport.bucket.state)
    return transport


async def page(transport: JsonRpcTransport) -> None:
    assert await transport.batch(PAGE, together=True) == ["0x64", "0x7a69"]


async def headers(transport: JsonRpcTransport) -> None:
    answers: list[Any] = list(await transport.batch(HEADERS))
    assert [answer["hash"] for answer in answers] == [block_hash(n) for n in range(1, 61)]


def test_headers_ride_along_with_requests_that_are_sent_anyway() -> None:
    async def scenario() -> None:
        async with FakeNode() as node:
            transport = limited(node)
            await asyncio.gather(page(transport), headers(transport), page(transport))
            assert len(node.requests) == 2
            assert len(node.requests[0]) == 62
            assert transport.counts.requests == 2
            await transport.aclose()

    run(scenario())


def test_what_has_no_room_goes_with_the_next_or_by_itself() -> None:
    async def scenario() -> None:
        async with FakeNode() as node:
            transport = limited(node)
            transport._batch_limit = 40
            await asyncio.gather(page(transport), headers(transport), page(transport))
            assert [len(request) for request in node.requests] in ([40, 24], [40, 22, 2])
            await transport.aclose()

    run(scenario())


def test_nothing_is_shared_where_no_limit_is_known() -> None:
    async def scenario() -> None:
        async with FakeNode() as node:
            transport = JsonRpcTransport(node.url, FAST)
            await asyncio.gather(page(transport), headers(transport))
            assert sorted(len(request) for request in node.requests) == [2, 60]
            await transport.aclose()

    run(scenario())


@pytest.mark.parametrize("fault", [status(503), status(413), status(429), status(400)])
def test_a_request_that_fails_with_what_rides_along_loses_nothing(fault: Fault) -> None:
    async def scenario() -> None:
        async with FakeNode() as node:
            transport = limited(node)
            node.faults.append(fault)
            await asyncio.gather(page(transport), headers(transport), page(transport))
            assert len(node.requests[0]) == 62
            assert node.count("eth_blockNumber") == 3
            await transport.aclose()

    run(scenario())


def test_after_three_failures_nothing_rides_any_more() -> None:
    def refuse(asked: Any) -> web.Response | None:
        return web.Response(status=503) if len(asked) > 60 else None

    async def scenario() -> None:
        async with FakeNode() as node:
            transport = limited(node, rate=100.0)
            node.faults.extend([refuse] * 100)
            for _ in range(5):
                await asyncio.gather(page(transport), headers(transport), page(transport))
            assert sum(len(request) > 60 for request in node.requests) == 3
            await transport.aclose()

    run(scenario())


def test_who_withdraws_takes_nobody_along() -> None:
    """The one that carries the headers is cancelled while it is under way."""

    async def scenario() -> None:
        async with FakeNode() as node:
            transport = limited(node)
            carrier = asyncio.ensure_future(page(transport))
            riders = asyncio.ensure_future(headers(transport))
            while not transport.counts.requests:
                await asyncio.sleep(0)
            carrier.cancel()
            await riders
            with pytest.raises(asyncio.CancelledError):
                await carrier
            assert transport.settings.concurrency == transport._slots._value
            await transport.aclose()

    run(scenario())


def test_who_rode_along_and_withdraws_is_not_sent_again() -> None:
    async def scenario() -> None:
        async with FakeNode() as node:
            transport = limited(node)
            node.faults.append(status(503))
            carrier = asyncio.ensure_future(page(transport))
            riders = asyncio.ensure_future(headers(transport))
            while not node.requests:
                await asyncio.sleep(0.001)
            riders.cancel()
            await carrier
            await page(transport)
            assert [len(request) for request in node.requests] == [62, 2, 2]
            await transport.aclose()

    run(scenario())


def test_an_error_of_the_carrier_is_its_own() -> None:
    async def scenario() -> None:
        async with FakeNode() as node:
            transport = limited(node)
            bad = transport.batch([Request("eth_nothing"), *PAGE], together=True)
            answers, _ = await asyncio.gather(bad, headers(transport))
            assert isinstance(answers[0], NodeError)
            assert answers[1:] == ["0x64", "0x7a69"]
            assert len(node.requests) == 1
            await transport.aclose()

    run(scenario())
