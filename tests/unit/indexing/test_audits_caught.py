"""A catch is known from the moment that it is made, whatever becomes of the run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks.generated_chain import ChainShape, GeneratedChain, deployment, serve
from defirisk.chain.block_proofs import BlockLogs
from defirisk.core.errors import NodeError
from defirisk.core.evm import Block, LogPage, LogQuery, RawLog
from defirisk.indexing.audit.settings import AuditSettings
from defirisk.indexing.run import index
from defirisk.store.database import Store
from tests.onchain.dump import dump
from tests.unit.indexing.audited_chain import count, made
from tests.unit.indexing.forgetful import Forgetful

CHAIN = GeneratedChain(ChainShape(blocks=1_200, every=4, logs_per_block=3, tokens=2, seed=7))
THIRDS = ((0, 400), (401, 800), (801, 1_200))
UNSEEN = 203
"""A block of the first third that is not among those that sampling draws."""


class Killed(BaseException):
    """Nothing of ours catches it, as nothing would see a kill -9."""


class Thirds(Forgetful):
    """Gives a third of the chain at a time. After `life` proofs of blocks, it is killed."""

    life = 10**6

    async def logs(self, query: LogQuery, first: int, last: int) -> AsyncIterator[LogPage]:
        for start, end in THIRDS:
            if first <= end and start <= last:
                async for page in super().logs(query, max(start, first), min(end, last)):
                    yield page

    async def block_logs(self, blocks: Sequence[Block]) -> list[BlockLogs | NodeError | None]:
        self.life -= 1
        if self.life < 0:
            raise Killed
        return await super().block_logs(blocks)


def run(store: Store, reader: Forgetful) -> None:
    async def work() -> None:
        try:
            await index(reader, store, [deployment(CHAIN)], 1_200, audit=AuditSettings())
        finally:
            await reader.aclose()

    asyncio.run(work())


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr("defirisk.indexing.gathering.PAGES_PER_STEP", 1)
    with serve(CHAIN) as url:
        yield url


def unseen(log: RawLog) -> bool:
    return log.block_number == UNSEEN


def unseen_and_second_third(log: RawLog) -> bool:
    return unseen(log) or 401 <= log.block_number <= 800


def test_killed_after_a_catch_the_next_run_reads_again_what_was_only_sampled(
    url: str, tmp_path: Path
) -> None:
    with made(tmp_path / "fresh.db") as store:
        run(store, Thirds(url))
        fresh, honest = dump(store), count(store)
    with made(tmp_path / "sampled.db") as store:
        reader = Thirds(url)
        reader.drop = unseen
        run(store, reader)
        assert count(store) < honest  # a node that is not caught is believed

    with made(tmp_path / "killed.db") as store:
        reader = Thirds(url)
        reader.drop, reader.life = unseen_and_second_third, 1
        with pytest.raises(Killed):
            run(store, reader)
        assert 0 < count(store) < honest  # the first third is stored, the catch is not
        run(store, Thirds(url))
        assert dump(store) == fresh
