"""The token bucket: it finds a provider's rate, obeys Retry-After, and is shared by processes."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from itertools import pairwise
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from defirisk.chain.rate import TokenBucket
from defirisk.chain.rate_state import (
    CATCH_UP,
    RateState,
    Seen,
    Tally,
    Turn,
    first_slot,
    refuse,
    reserve,
)
from defirisk.chain.retry import RetryPolicy
from defirisk.chain.transport import JsonRpcTransport, TransportSettings
from defirisk.store.database import Store, open_store
from defirisk.store.endpoint_health import EndpointHealth
from tests.unit.chain.fake_node import FakeNode, run, status


def test_a_provider_that_never_refused_has_no_limit() -> None:
    state = reserve(RateState(), now=5.0, slots=3)
    assert state == RateState()


def test_slots_are_spaced_by_the_rate() -> None:
    state = RateState(rate=10.0, next_free=100.0, raised_at=100.0, refused=10.0)
    state = reserve(state, now=100.0, slots=5)
    assert state.next_free == pytest.approx(100.5)
    state = reserve(state, now=100.0, slots=5)
    assert state.next_free == pytest.approx(101.0)


def _refused(state: RateState, now: float, **changed: object) -> RateState:
    """After a refusal of a request that was sent by what is known now."""
    said: dict[str, object] = {
        "turn": Turn(state.rate, state.refused_at),
        "pause": 0.0,
        "seen": Seen(),
        "tally": Tally(served=50, refused=1),
    }
    return refuse(state, now, **(said | changed))  # type: ignore[arg-type]


def test_the_first_refusal_says_how_much_is_borne_at_least() -> None:
    assert _refused(RateState(), 100.0, seen=Seen(30.0)).rate == 30.0
    assert _refused(RateState(), 100.0, seen=Seen(3.0)).rate == 16.0


def test_requests_that_were_sent_before_the_rate_was_lowered_do_not_lower_it_again() -> None:
    state = RateState(rate=25.0, refused_at=50.0, refused=25.0)
    lowered = _refused(state, 100.0)
    assert lowered.rate == pytest.approx(23.0)
    late = _refused(lowered, 105.0, turn=Turn(25.0, 50.0))
    assert late == lowered
    assert _refused(lowered, 105.0).rate < lowered.rate


def test_where_refusals_go_on_what_was_served_meanwhile_is_the_limit() -> None:
    state = RateState(rate=25.0, refused_at=100.0, refused=27.0)
    assert _refused(state, 101.5, tally=Tally(served=20, refused=10)).rate == pytest.approx(50 / 3)
    # At least what went well in the last second, and half of what was sent.
    assert _refused(state, 101.5, seen=Seen(20.0), tally=Tally(served=20, refused=10)).rate == 20.0
    assert _refused(state, 101.5, tally=Tally(served=1, refused=30)).rate == 12.5
    # One refusal after a long time tells nothing but that.
    assert _refused(state, 200.0, tally=Tally(served=20, refused=10)).rate == pytest.approx(23.0)


def test_a_stray_refusal_does_not_lower_the_rate_below_what_was_borne() -> None:
    state = RateState(rate=21.0, refused_at=100.0, refused=23.0)
    assert _refused(state, 110.0, seen=Seen(20.0, 22.0)).rate == pytest.approx(22.0 * 0.92)
    often = Tally(served=20, refused=10)
    assert _refused(state, 110.0, seen=Seen(20.0, 22.0), tally=often).rate == pytest.approx(19.32)


def test_what_is_refused_at_once_again_is_not_yet_the_rate() -> None:
    """A provider that counts by the second refuses until the second is over."""
    state = RateState(rate=25.0, refused_at=100.0, refused=27.0)
    assert _refused(state, 100.4, tally=Tally(served=2, refused=5)).rate == 25.0


def test_retry_after_holds_even_for_requests_that_were_sent_before() -> None:
    state = _refused(RateState(), 100.0, seen=Seen(30.0))
    state = _refused(state, 100.1, turn=Turn(), pause=7.0)
    assert reserve(state, now=100.2, slots=1).next_free >= 107.1


def test_the_rate_rises_slowly_about_what_was_refused_and_only_where_it_is_used() -> None:
    held = RateState(rate=23.0, refused=25.0, next_free=100.01, raised_at=100.0)
    steps = [held.rate]
    for _ in range(100):
        held = reserve(held._replace(next_free=100.01), 100.0, 1, served=1)
        steps.append(held.rate)
    gained = [after - before for before, after in pairwise(steps)]
    least = gained.index(min(gained))
    assert steps[least] == pytest.approx(25.0, rel=0.01)
    assert gained[0] > 5 * gained[least] < gained[-1]
    idle = RateState(rate=23.0, refused=25.0, next_free=90.0, raised_at=100.0)
    assert reserve(idle, 100.0, 1, served=1).rate == 23.0


def test_what_was_learned_an_hour_ago_is_a_first_guess() -> None:
    state = RateState(rate=23.0, refused=25.0, next_free=100.0, raised_at=100.0)
    assert reserve(state, 2_000.0, 1).refused == 25.0
    assert reserve(state, 4_000.0, 1).refused == 0.0


def test_turns_that_were_missed_for_a_moment_are_had_at_once() -> None:
    state = RateState(rate=20.0, next_free=100.0, raised_at=100.0, refused=20.0)
    assert first_slot(state, 100.05) == 100.0
    assert first_slot(state, 101.0) == pytest.approx(101.0 - CATCH_UP)


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
    # Nothing is said to go well, so the rate stays what it is.
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
