"""Several endpoints of one chain, some of which misbehave."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from defirisk.chain.counts import RequestBudget, RequestBudgetSpent
from defirisk.chain.health import BreakerState
from defirisk.chain.range_size import RangeSettings
from defirisk.chain.rpc import EndpointsReader, RpcChainReader
from defirisk.chain.transport import TransportSettings
from defirisk.core.errors import NodeBehind, NodeError, UsageError
from defirisk.core.evm import Call, LogPage
from tests.unit.chain.fake_node import FakeNode, address, run, status
from tests.unit.chain.range_node import check
from tests.unit.chain.several_nodes import QUERY, asked, at, chain, endpoints, names, serving


def test_each_shows_its_chain_before_it_is_used_and_then_never_again() -> None:
    async def scenario() -> None:
        one, two = chain()
        async with serving(one, two) as reader:
            for _ in range(30):
                await reader.block("latest")
            for node in (one, two):
                assert [call["method"] for call in node.requests[0]] == [
                    "eth_chainId",
                    "eth_getBlockByNumber",
                ]
                assert node.count("eth_chainId") == 1
                assert asked(node) > 0, "the load is shared"

    run(scenario())


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: FakeNode(chain_id=5), "serves chain 5, not chain 31337"),
        (lambda: FakeNode(genesis="0x" + "ee" * 32), "its first block differs"),
    ],
)
def test_one_that_serves_another_chain_is_left_out_loudly(
    wrong: Callable[[], FakeNode], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        good, other = FakeNode(), wrong()
        async with serving(good, other) as reader:
            for _ in range(10):
                await reader.block("latest")
                await reader.calls([Call(address(1), b"abcd")], at(50))
            assert asked(other) == 0
            assert reader.second() is None

    with caplog.at_level(logging.WARNING):
        run(scenario())
    (record,) = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert says in record.getMessage()
    assert "http://127.0.0.1" in record.getMessage()
    assert "SECRETKEY" not in record.getMessage()


def test_the_wanted_chain_decides_and_not_the_order() -> None:
    async def scenario() -> None:
        wrong, good = FakeNode(chain_id=5, head=7), FakeNode(head=9)
        async with serving(wrong, good, chain_id=31337) as reader:
            assert (await reader.block("latest")).number == 9
        wrong, worse = FakeNode(chain_id=5), FakeNode(chain_id=6)
        async with serving(wrong, worse, chain_id=31337) as reader:
            with pytest.raises(NodeError, match="serves chain 5, not chain 31337"):
                await reader.block("latest")

    run(scenario())


def test_one_that_is_down_at_first_is_checked_before_it_is_used_later() -> None:
    async def scenario() -> None:
        good, late = FakeNode(head=100), FakeNode(chain_id=5, head=200)
        late.faults.extend([status(500)] * 4)
        async with serving(good, late) as reader:
            for _ in range(6):
                assert (await reader.block("latest")).number == 100
            health = endpoints(reader).nodes[1].transport.health
            health.breaker.succeeded()
            late.faults.clear()
            for _ in range(20):
                assert (await reader.block("latest")).number == 100
            assert endpoints(reader).nodes[1].banned is not None

    run(scenario())


def test_one_that_hangs_at_the_start_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("defirisk.chain.endpoints._PATIENCE", 0.1)

    async def scenario() -> None:
        silent = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
        port = silent.sockets[0].getsockname()[1]
        async with FakeNode(head=100) as good:
            urls = [f"http://127.0.0.1:{port}", good.url]
            reader = RpcChainReader(urls, transport=TransportSettings(timeout=60.0))
            start = time.perf_counter()
            assert (await reader.block("latest")).number == 100
            assert time.perf_counter() - start < 5
            await reader.aclose()
        silent.close()

    run(scenario())


@pytest.mark.parametrize("fault", [status(500), status(429), status(401)])
def test_another_answers_where_one_fails(fault: Any) -> None:
    async def scenario() -> None:
        good, bad = chain()
        async with serving(good, bad, ranges=RangeSettings(first_blocks=40)) as reader:
            await reader.block("latest")
            bad.faults.extend([fault] * 10_000)
            pages = [page async for page in reader.logs(QUERY, 0, 400)]
            check(good, pages, 0, 400)
            assert len(await reader.blocks(range(300))) == 300
            assert len(await reader.calls([Call(address(1), b"abcd")], at(50))) == 1
            breaker = endpoints(reader).nodes[1].transport.health.breaker
            for _ in range(500):
                assert (await reader.block(3)).number == 3
                if breaker.state is BreakerState.OPEN:
                    break
            assert breaker.state is BreakerState.OPEN
            before = len(bad.requests)
            for _ in range(50):
                await reader.block(3)
            assert len(bad.requests) == before, "it is left alone"

    run(scenario())


def test_where_all_fail_the_last_error_is_raised_without_any_key() -> None:
    async def scenario() -> None:
        one, two = chain()
        async with serving(one, two) as reader:
            await reader.block("latest")
            one.faults.extend([status(500)] * 100)
            two.faults.extend([status(503)] * 100)
            with pytest.raises(NodeError, match="HTTP 50") as caught:
                await reader.blocks([1, 2])
            assert "SECRETKEY" not in str(caught.value)
            one.faults.clear()
            assert (await reader.block(3)).number == 3, "one that is back is found"

    run(scenario())


def test_a_head_that_goes_back_is_a_lagging_node_and_no_rewind() -> None:
    async def scenario() -> None:
        good, lagging = chain(head=100)
        async with serving(good, lagging) as reader:
            await reader.block("latest")
            lagging.head = 40
            health = endpoints(reader).nodes[1].transport.health
            for _ in range(500):
                assert (await reader.block("latest")).number == 100
                if health.lagging:
                    break
            assert health.lagging
            before = asked(lagging)
            for _ in range(40):
                assert (await reader.block("latest")).number == 100
            assert asked(lagging) - before <= 20

    run(scenario())


def test_a_single_endpoint_that_goes_back_is_asked_again_and_then_believed() -> None:
    async def scenario() -> None:
        fake = FakeNode(head=100)
        async with serving(fake) as reader:
            assert (await reader.block("latest")).number == 100
            heads = iter([90, 90, 100])
            honest = fake.eth_getBlockByNumber

            def lagging(ref: str, full: bool) -> Any:
                fake.head = next(heads, fake.head)
                return honest(ref, full)

            fake.eth_getBlockByNumber = lagging  # type: ignore[assignment,method-assign]
            assert (await reader.block("latest")).number == 100
            assert len(fake.requests) == 4
            fake.head = 90
            assert (await reader.block("latest")).number == 90
            assert len(fake.requests) == 7

    run(scenario())


def test_logs_come_from_a_node_that_has_them() -> None:
    async def scenario() -> None:
        good, lagging = chain()
        async with serving(good, lagging, ranges=RangeSettings(first_blocks=50)) as reader:
            lagging.head = 120
            pages = [page async for page in reader.logs(QUERY, 0, 400)]
            check(good, pages, 0, 400)
            with pytest.raises(NodeBehind):
                await reader.block(401)

    run(scenario())


def test_requests_and_calls_are_counted_by_endpoint() -> None:
    async def scenario() -> None:
        one, two = chain()
        async with serving(one, two) as reader:
            await reader.blocks(range(250))
            [page async for page in reader.logs(QUERY, 0, 400)]
            for node, counts in zip((one, two), reader.counts.values(), strict=True):
                flat = [c for r in node.requests for c in (r if isinstance(r, list) else [r])]
                assert (counts.requests, counts.calls) == (len(node.requests), len(flat))
            assert reader.asked.requests == len(one.requests) + len(two.requests)

    run(scenario())


def test_a_budget_stops_all_endpoints_together() -> None:
    async def scenario() -> None:
        one, two = chain()
        budget = RequestBudget(7)
        sizes = RangeSettings(first_blocks=10, max_blocks=10)
        async with serving(one, two, budget=budget, ranges=sizes) as reader:
            pages: list[LogPage] = []
            with pytest.raises(RequestBudgetSpent, match="limit of 7 requests"):
                await collect(reader, pages)
            assert budget.spent == len(one.requests) + len(two.requests) == 7
            assert pages, "what was read before is given"
            check_prefix(one, pages)

    run(scenario())


async def collect(reader: EndpointsReader, pages: list[LogPage]) -> None:
    async for page in reader.logs(QUERY, 0, 400):
        pages += [page]


def check_prefix(node: FakeNode, pages: list[LogPage]) -> None:
    last = pages[-1].last_block
    node.logs = [log for log in node.logs if int(log["blockNumber"], 16) <= last]
    check(node, pages, 0, last)


def test_endpoints_of_one_host_share_a_bucket_and_get_numbers() -> None:
    async def scenario() -> None:
        reader = RpcChainReader(["http://a.example/k1", "http://a.example/k2", "http://b.example"])
        assert names(reader) == ["http://a.example", "http://a.example (no. 2)", "http://b.example"]
        buckets = [node.transport.bucket for node in endpoints(reader).nodes]
        assert buckets[0] is buckets[1]
        assert buckets[0] is not buckets[2]
        assert "k1" not in repr(reader)
        with pytest.raises(UsageError):
            RpcChainReader([])

    run(scenario())


def test_the_same_url_twice_is_one_endpoint() -> None:
    async def scenario() -> None:
        assert names(RpcChainReader(["http://a/k", " http://a/k "])) == ["http://a"]

    run(scenario())
