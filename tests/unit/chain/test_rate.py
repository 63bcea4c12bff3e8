"""The token bucket: it finds a provider's rate, obeys Retry-After, and is shared by processes."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from defirisk.chain.rate import TokenBucket
from defirisk.chain.rate_state import MemoryShelf, RateState, Row, refuse, reserve
from defirisk.chain.retry import RetryPolicy
from defirisk.chain.transport import JsonRpcTransport, TransportSettings
from defirisk.store.database import Store, open_store
from defirisk.store.endpoint_health import EndpointHealth
from tests.unit.chain.fake_node import FakeNode, run, status


def test_a_provider_that_never_refused_has_no_limit() -> None:
    state = reserve(RateState(), now=5.0, slots=3)
    assert state == RateState()


def test_slots_are_spaced_by_the_rate() -> None:
    state = RateState(rate=10.0, raised_at=100.0)
    state = reserve(state, now=100.0, slots=5)
    assert state.next_free == pytest.approx(100.5)
    state = reserve(state, now=100.0, slots=5)
    assert state.next_free == pytest.approx(101.0)


def test_one_burst_of_refusals_lowers_the_rate_once_and_a_second_one_more() -> None:
    state = refuse(RateState(), now=100.0, wished=0.0, seen=30.0)
    assert state.rate == pytest.approx(27.0)
    state = refuse(state, now=100.5, wished=0.0, seen=30.0)
    assert state.rate == pytest.approx(27.0)
    state = refuse(state, now=102.0, wished=0.0, seen=20.0)
    assert state.rate == pytest.approx(18.9)
    state = refuse(state, now=110.0, wished=0.0, seen=14.0)
    assert state.rate == pytest.approx(17.01)


def test_retry_after_holds_even_in_a_burst() -> None:
    state = refuse(RateState(), now=100.0, wished=0.0, seen=30.0)
    state = refuse(state, now=100.1, wished=7.0, seen=30.0)
    assert reserve(state, now=100.2, slots=1).next_free >= 107.1


class Server:
    """A provider that grants `rate` requests a second from a bucket of `burst`, in model time."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst = rate, burst
        self.tokens, self.last = burst, 0.0

    def grants(self, now: float) -> bool:
        self.tokens = min(self.burst, self.tokens + (now - self.last) * self.rate)
        self.last = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@pytest.mark.parametrize("rate", [2.0, 5.0, 25.0, 90.0])
@pytest.mark.parametrize("clients", [1, 3])
def test_the_rate_that_is_allowed_is_used(rate: float, clients: int) -> None:
    """A minute of model time: nearly all that is granted is used, and few requests are refused."""
    server, shelf, rng = Server(rate, burst=rate), MemoryShelf(), random.Random(7)
    queue = [(0.0, n) for n in range(8 * clients)]
    granted, refused, done = 0, 0, [list[float]() for _ in range(clients)]
    while queue:
        queue.sort()
        now, worker = queue.pop(0)
        if now > 60.0:
            break
        mine = done[worker % clients]
        if server.grants(now):
            granted += now > 10.0
            mine.append(now)
        else:
            refused += now > 10.0
            seen = float(max(1, sum(t > now - 1.0 for t in mine)))
            change = lambda row, now=now, seen=seen: refuse(RateState(*row), now, 0.0, seen)  # noqa: E731
            shelf.update("x", change)

        def take(row: Row, now: float = now) -> Row:
            return reserve(RateState(*row), now, 1)

        after = RateState(*shelf.update("x", take))
        slot = after.next_free - 1 / after.rate if after.rate else now
        queue.append((max(now, slot) + 0.1 + rng.uniform(0, 0.01), worker))
    offered = 50 * min(rate, 8 * clients / 0.105)
    assert granted >= (0.95 if rate >= 25 else 0.75) * offered
    # Where 24 requests wait for a turn at 2 a second, a rate that is too high is felt late.
    assert refused <= (0.2 if rate > 2 else 0.25) * granted


def test_a_rate_that_sank_for_nothing_doubles_in_ten_seconds() -> None:
    now, state = 100.0, RateState(rate=1.0, step=0.04, refused_at=100.0, raised_at=100.0)
    while now < 110.0:
        state = reserve(state, now, 1)
        now = max(now, state.next_free - 0.01)
    assert 2.0 <= state.rate <= 2.5
    while now < 160.0:
        state = reserve(state, now, 1)
        now = max(now, state.next_free - 0.01)
    assert state.rate >= 20.0


def test_a_429_holds_all_requests_to_that_provider_back() -> None:
    async def scenario() -> None:
        async with FakeNode() as node:
            settings = TransportSettings(retry=RetryPolicy(first_delay=0.001))
            transport = JsonRpcTransport(node.url, settings)
            node.faults.append(status(429, Retry_After="0.3"))
            start = time.perf_counter()
            first = asyncio.ensure_future(transport.request("eth_chainId"))
            await asyncio.sleep(0.1)
            await transport.request("eth_blockNumber")
            assert time.perf_counter() - start >= 0.28
            await first
            assert (transport.counts.requests, transport.counts.refused) == (3, 1)
            await transport.aclose()

    run(scenario())


def test_retry_after_may_be_a_date() -> None:
    async def scenario() -> None:
        async with FakeNode() as node:
            transport = JsonRpcTransport(node.url, TransportSettings())
            node.faults.append(status(429, Retry_After=formatdate(time.time() + 2, usegmt=True)))
            start = time.time()
            await transport.request("eth_chainId")
            assert 0.9 <= time.time() - start <= 6
            await transport.aclose()

    run(scenario())


def _send_for_two_seconds(url: str, ready: Barrier, sent: Queue[int]) -> None:
    """What one process does with the shared bucket."""

    async def work() -> int:
        bucket = TokenBucket("https://node", EndpointHealth(Store(create_engine(url))))
        ready.wait(30)
        end, count = time.time() + 2.0, 0
        while time.time() < end:
            await bucket.take()
            count += time.time() < end
        return count

    sent.put(asyncio.run(work()))


def test_two_processes_share_one_bucket_through_the_store(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    shelf = EndpointHealth(open_store(url, create=True))
    # A step of zero: the rate stays what it is.
    shelf.update("https://node", lambda _: (20.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    fork = multiprocessing.get_context("fork")
    ready, sent = fork.Barrier(2), fork.Queue()
    processes = [
        fork.Process(target=_send_for_two_seconds, args=(url, ready, sent)) for _ in range(2)
    ]
    for process in processes:
        process.start()
    counts = [sent.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(60)
    assert all(count >= 5 for count in counts)
    # Two seconds at 20 a second, and the lease of a quarter of a second that each may hold.
    assert 20 <= sum(counts) <= 52


def test_no_change_of_a_shared_rate_gets_lost(tmp_path: Path) -> None:
    shelf = EndpointHealth(open_store(f"sqlite:///{tmp_path / 'cas.db'}", create=True))

    def count(_: int) -> None:
        done = False
        while not done:
            try:
                shelf.update("p", lambda row: (row[0] + 1, *row[1:]))
                done = True
            except TimeoutError:
                pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(40)))
    assert shelf.update("p", lambda row: row)[0] == 40.0


def test_a_locked_store_stops_no_request(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'locked.db'}", create=True)
    shelf = EndpointHealth(store)
    shelf.update("https://node", lambda _: (50.0, 0.0, 0.0, 0.0, 0.0, 0.0))

    async def scenario() -> None:
        bucket = TokenBucket("https://node", shelf)
        await bucket.take()
        with store.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            start = time.perf_counter()
            for _ in range(13):
                await bucket.take()
            assert time.perf_counter() - start < 5
            connection.exec_driver_sql("ROLLBACK")

    run(scenario())
