"""Logs that a node leaves out are found again, or the range is marked: never lost in silence."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from benchmarks.generated_chain import ChainShape, GeneratedChain, deployment, serve
from defirisk.chain.rpc import RpcChainReader
from defirisk.core.evm import LogQuery, RawLog
from defirisk.core.status import ChainStatus
from defirisk.indexing.audit.blooms import UNUSED
from defirisk.indexing.audit.settings import AuditMode, AuditSettings
from defirisk.indexing.run import RunSummary, index
from defirisk.indexing.status import read_status
from defirisk.store.base_tables import raw_logs
from defirisk.store.database import Store, open_store
from tests.unit.indexing.forgetful import Drop, Forgetful

SHAPE = ChainShape(blocks=400, every=4, logs_per_block=3, tokens=2, seed=7)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(CHAIN) as url:
        yield url


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


@pytest.fixture(scope="module")
def honest(url: str, tmp_path_factory: pytest.TempPathFactory) -> int:
    with made(tmp_path_factory.mktemp("honest") / "h.db") as store:
        assert run(store, Forgetful(url), "sample").unverified == 0
        assert status(store).unverified == ()
        return count(store)


def in_blocks(first: int, last: int) -> Drop:
    return lambda log: first <= log.block_number <= last


ALL = frozenset(range(1_000))


@pytest.mark.parametrize("mode", ["sample", "bloom", "receipts"])
def test_an_answer_without_its_logs_is_found_out(
    url: str, honest: int, tmp_path: Path, mode: AuditMode
) -> None:
    with made(tmp_path / "a.db") as store:
        reader = Forgetful(url)
        reader.drop = in_blocks(100, 300)
        assert run(store, reader, mode).unverified == 0
        assert count(store) == honest
        assert sum(gained(store).values()) >= 100


def test_without_audits_the_same_answer_is_believed(url: str, honest: int, tmp_path: Path) -> None:
    with made(tmp_path / "a.db") as store:
        reader = Forgetful(url)
        reader.drop = in_blocks(100, 300)
        run(store, reader, "none")
        assert count(store) < honest
        assert status(store).audits == ()


def test_a_node_that_keeps_silent_is_asked_until_it_speaks(
    url: str, honest: int, tmp_path: Path
) -> None:
    with made(tmp_path / "a.db") as store:
        reader = Forgetful(url)
        reader.drop, reader.patience, reader.cut = in_blocks(100, 300), 12, ALL
        assert run(store, reader).unverified == 0
        assert count(store) == honest


def test_receipts_settle_what_answers_do_not(url: str, honest: int, tmp_path: Path) -> None:
    with made(tmp_path / "a.db") as store:
        reader = Forgetful(url)
        reader.drop, reader.patience = in_blocks(EVENTFUL, EVENTFUL), 10**6
        assert run(store, reader).unverified == 0
        assert count(store) == honest


def test_what_nobody_can_prove_is_marked_and_cleared_by_an_honest_run(
    url: str, honest: int, tmp_path: Path
) -> None:
    with made(tmp_path / "a.db") as store:
        reader = Forgetful(url)
        reader.drop, reader.patience, reader.cut = (
            in_blocks(EVENTFUL, EVENTFUL),
            10**6,
            frozenset({EVENTFUL}),
        )
        assert run(store, reader, "receipts", 300).unverified == 1
        (mark,) = status(store).unverified
        assert (mark.first_block, mark.last_block, mark.audit) == (EVENTFUL, EVENTFUL, "receipts")
        assert "receiptsRoot" in mark.reason
        assert status(store).unverified_ranges == ((EVENTFUL, EVENTFUL),)
        before = mark.since_ts

        reader = Forgetful(url)
        reader.drop, reader.patience, reader.cut = (
            in_blocks(EVENTFUL, EVENTFUL),
            10**6,
            frozenset({EVENTFUL}),
        )
        assert run(store, reader, "receipts", 301).unverified == 1
        assert status(store).unverified[0].since_ts == before
        assert run(store, Forgetful(url), "sample", 302).unverified == 1

        assert run(store, Forgetful(url), "receipts").unverified == 0
        assert (count(store), status(store).unverified_ranges) == (honest, ())


def inside(log: RawLog) -> bool:
    """One of three logs in a block, of whose kind there is another."""
    return (log.block_number, log.log_index) in INSIDE


def test_a_loss_inside_a_block_is_seen_by_receipts_only(
    url: str, honest: int, tmp_path: Path
) -> None:
    modes: list[tuple[AuditMode, int]] = [("bloom", len(INSIDE)), ("receipts", 0)]
    for mode, lost in modes:
        with made(tmp_path / f"{mode}.db") as store:
            reader = Forgetful(url)
            reader.drop = inside
            assert run(store, reader, mode).unverified == 0
            assert honest - count(store) == lost
            assert gained(store) == ({} if lost else {"receipts": len(INSIDE)})


def test_a_second_endpoint_sees_what_the_first_leaves_out(
    url: str, honest: int, tmp_path: Path
) -> None:
    with made(tmp_path / "a.db") as store:
        reader = Forgetful(url)
        reader.drop, reader.other = inside, Forgetful(url)
        assert run(store, reader, "sample").unverified == 0
        assert count(store) == honest
        assert gained(store) == {"second-endpoint": len(INSIDE)}


def test_a_chain_without_blooms_switches_that_audit_off_and_says_so(
    url: str, honest: int, tmp_path: Path
) -> None:
    with made(tmp_path / "a.db") as store:
        reader = Forgetful(url)
        reader.blind = True
        assert run(store, reader).unverified == 0
        bloom = next(one for one in status(store).audits if one.audit == "bloom")
        assert (bloom.note, bloom.unseen) == (UNUSED, 1.0)
        assert count(store) == honest


@pytest.mark.parametrize("pruned", [0, 399])
def test_totals_find_a_lost_mint_and_where_it_was(
    url: str, honest: int, tmp_path: Path, pruned: int
) -> None:
    with made(tmp_path / "a.db") as store:
        reader = Forgetful(url)
        reader.blind, reader.pruned = True, pruned
        reader.drop, reader.ranges = (lambda log: log in MINTS), 4
        assert run(store, reader, "sample").unverified == 0
        assert count(store) == honest
        assert gained(store)["conservation"] == len(MINTS)


def test_totals_that_never_agree_are_marked(url: str, honest: int, tmp_path: Path) -> None:
    with made(tmp_path / "a.db") as store:
        reader = Forgetful(url)
        reader.blind, reader.drop = True, lambda log: log in MINTS
        assert run(store, reader, "sample").unverified >= 1
        mark = status(store).unverified[0]
        assert mark.audit == "conservation"
        assert "the logs make" in mark.reason
        assert mark.first_block <= MINTS[0].block_number <= mark.last_block

        assert run(store, Forgetful(url), "sample").unverified == 0
        assert (count(store), status(store).unverified_ranges) == (honest, ())


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
