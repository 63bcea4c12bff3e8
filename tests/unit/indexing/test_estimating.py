"""Estimates against the run that follows, and runs that stop at their limit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.generated_chain import ChainShape, GeneratedChain, deployment, serve
from defirisk.chain.counts import RequestBudget, RequestBudgetSpent
from defirisk.chain.provider_units import provider_units
from defirisk.chain.rpc import RpcChainReader
from defirisk.core.estimate import Estimate
from defirisk.indexing.audit.settings import AuditSettings
from defirisk.indexing.estimating import SAMPLES, WIDTH, estimate, spread
from defirisk.indexing.run import RunSummary, index
from defirisk.store.database import Store, open_store

CHAIN = GeneratedChain(ChainShape(blocks=6_000, every=5, logs_per_block=2, seed=3))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(CHAIN) as url:
        yield url


def estimated(url: str, store: Store | None, audit: AuditSettings) -> tuple[Estimate, int]:
    async def work() -> tuple[Estimate, int]:
        reader = RpcChainReader(url)
        found = await estimate(reader, store, [deployment(CHAIN)], "latest", audit)
        requests = reader.asked.requests
        await reader.aclose()
        return found.deployments[0], requests

    return asyncio.run(work())


def indexed(url: str, store: Store, limit: int | None = None) -> tuple[RunSummary, int, int]:
    async def work() -> tuple[RunSummary, int, int]:
        reader = RpcChainReader(url, budget=RequestBudget(limit))
        try:
            summary = await index(reader, store, [deployment(CHAIN)], "latest")
            return summary, reader.asked.requests, reader.asked.calls
        finally:
            await reader.aclose()

    return asyncio.run(work())


def test_an_estimate_asks_little_and_is_near(url: str, tmp_path: Path) -> None:
    first, asked = estimated(url, None, AuditSettings())
    assert asked <= SAMPLES + 5
    store = open_store(f"sqlite:///{tmp_path / 'a.db'}", create=True)
    summary, requests, calls = indexed(url, store)
    assert first.logs == pytest.approx(summary.new_logs, rel=0.1)
    assert first.requests == pytest.approx(requests, rel=0.5)
    assert sum(first.calls.values()) == pytest.approx(calls, rel=0.5)
    later, _ = estimated(url, store, AuditSettings())
    assert (later.blocks, later.logs) == (0, 0)
    store.close()


def test_audits_cost_what_the_estimate_says() -> None:
    with serve(CHAIN) as url:
        modes = [
            estimated(url, None, AuditSettings(mode=mode))[0]
            for mode in ("sample", "bloom", "receipts")
        ]
    headers = [one.calls["eth_getBlockByNumber"] for one in modes]
    assert headers[0] < headers[1] == headers[2]
    assert modes[2].calls["eth_getBlockReceipts"] == modes[2].event_blocks
    for provider in provider_units():
        costs = [one.units[provider.name] for one in modes]
        assert costs == sorted(costs)
        assert provider.cost({"eth_call": 2, "eth_unheard": 1}) == (
            2 * provider.prices["eth_call"] + provider.default
        )


def test_a_run_stops_at_its_limit_and_goes_on_from_there(url: str, tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'a.db'}", create=True)
    with pytest.raises(RequestBudgetSpent, match="run the same command to go on") as stopped:
        indexed(url, store, limit=20)
    assert stopped.value.exit_code == 1
    kept = estimated(url, store, AuditSettings())[0].blocks
    for _ in range(10):
        with suppress(RequestBudgetSpent):
            assert indexed(url, store, limit=20)[0].unverified == 0
            break
    assert (kept, estimated(url, store, AuditSettings())[0].blocks) == (kept, 0)
    assert kept <= 6_001
    store.close()


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 3_000)), max_size=5))
def test_ranges_are_spread_over_the_gaps_and_nowhere_else(pairs: list[tuple[int, int]]) -> None:
    gaps, at = [], 0
    for skip, length in pairs:
        gaps.append((at + skip + 1, at + skip + 1 + length))
        at = gaps[-1][1] + 1
    for first, last in spread(gaps, SAMPLES, WIDTH):
        assert any(start <= first <= last <= end for start, end in gaps)
    if sum(end - start + 1 for start, end in gaps) > SAMPLES * WIDTH:
        assert len(spread(gaps, SAMPLES, WIDTH)) == SAMPLES
