"""A generated chain, runs over it with audits, and what a store says of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.generated_chain import ChainShape, GeneratedChain, deployment, serve
from defirisk.chain.rpc import RpcChainReader
from defirisk.core.evm import LogQuery, RawLog
from defirisk.core.status import ChainStatus
from defirisk.indexing.audit.settings import AuditMode, AuditSettings
from defirisk.indexing.run import RunSummary, index
from defirisk.indexing.status import read_status
from defirisk.store.base_tables import raw_logs
from defirisk.store.database import Store, open_store
from tests.unit.indexing.forgetful import Drop, Forgetful

SHAPE = ChainShape(blocks=400, every=4, logs_per_block=3, tokens=2, seed=7)
CHAIN = GeneratedChain(SHAPE)


@contextmanager
def made(path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{path}", create=True)
    yield store
    store.close()


def run(store: Store, reader: Forgetful, mode: AuditMode = "bloom", to: int = 400) -> RunSummary:
    async def work() -> RunSummary:
        try:
            settings = AuditSettings(mode=mode, second_every=1)
            return await index(reader, store, [deployment(CHAIN)], to, audit=settings)
        finally:
            await reader.aclose()
            if reader.other is not None:
                await reader.other.aclose()

    return asyncio.run(work())


def count(store: Store) -> int:
    with store.transaction() as connection:
        return int(connection.execute(select(func.count()).select_from(raw_logs)).scalar_one())


def status(store: Store) -> ChainStatus:
    return read_status(store).chains[0]


def gained(store: Store) -> dict[str, int]:
    return {one.audit: one.gained for one in status(store).audits if one.gained}


def in_blocks(first: int, last: int) -> Drop:
    return lambda log: first <= log.block_number <= last


ALL = frozenset(range(1_000))


def logs_of_chain() -> list[RawLog]:
    """What the honest node says of the watched tokens."""
    with serve(CHAIN) as url:

        async def read() -> list[RawLog]:
            reader = RpcChainReader(url)
            query = LogQuery(addresses=tuple(CHAIN.tokens))
            logs = [log async for page in reader.logs(query, 0, 400) for log in page.logs]
            await reader.aclose()
            return logs

        return asyncio.run(read())


LOGS = logs_of_chain()
EVENTFUL = next(log.block_number for log in LOGS if log.block_number > 200)
MINTS = [
    log
    for log in LOGS
    if log.block_number > 100 and log.topics[1] == bytes(32) and log.data[0] == 0
][:2]
INSIDE = {
    (log.block_number, log.log_index)
    for log, before in zip(LOGS[1:], LOGS, strict=False)
    if log.block_number == before.block_number > 100
    and (log.address, log.topics[0]) == (before.address, before.topics[0])
    and bytes(32) not in log.topics
}
