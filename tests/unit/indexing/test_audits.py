"""Logs that a node leaves out are found again, or the range is marked: never lost in silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from benchmarks.generated_chain import serve
from defirisk.core.errors import NodeError
from defirisk.core.evm import LogPage, LogQuery, RawLog
from defirisk.indexing.audit.blooms import CAUGHT, UNUSED
from defirisk.indexing.audit.settings import AuditMode
from defirisk.indexing.gathering import PAGES_PER_STEP
from tests.unit.indexing.audited_chain import (
    ALL,
    CHAIN,
    EVENTFUL,
    INSIDE,
    MINTS,
    count,
    gained,
    in_blocks,
    made,
    run,
    status,
)
from tests.unit.indexing.forgetful import Forgetful


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(CHAIN) as url:
        yield url


@pytest.fixture(scope="module")
def honest(url: str, tmp_path_factory: pytest.TempPathFactory) -> int:
    with made(tmp_path_factory.mktemp("honest") / "h.db") as store:
        assert run(store, Forgetful(url), "sample").unverified == 0
        assert status(store).unverified == ()
        return count(store)


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


def test_a_node_that_wants_an_address_must_have_receipts(
    url: str, honest: int, tmp_path: Path
) -> None:
    for cut, marked in [(frozenset[int](), 0), (ALL, 1)]:
        with made(tmp_path / f"{marked}.db") as store:
            reader = Forgetful(url)
            reader.drop, reader.picky, reader.cut = in_blocks(EVENTFUL, EVENTFUL), True, cut
            run(store, reader)
            assert (count(store) < honest) == marked
            marks = status(store).unverified
            assert {(mark.first_block, mark.last_block) for mark in marks} == (
                {(EVENTFUL, EVENTFUL)} if marked else set()
            )
            assert all("without an address" in mark.reason for mark in marks)


def test_a_false_positive_is_cleared_by_proof_only(url: str, honest: int, tmp_path: Path) -> None:
    """A bloom with more bits than its block's logs set is no proof of anything, nor is silence."""
    with made(tmp_path / "a.db") as store:
        reader = Forgetful(url)
        reader.crowded = frozenset(range(101, 104))
        assert run(store, reader).unverified == 0
        assert count(store) == honest
    with made(tmp_path / "b.db") as store:
        reader = Forgetful(url)
        reader.crowded, reader.cut = frozenset(range(101, 104)), ALL
        assert run(store, reader).unverified == len({101, 102, 103})
        assert count(store) == honest


class Broken(Forgetful):
    """Breaks off after its first answer was audited."""

    async def logs(self, query: LogQuery, first: int, last: int) -> AsyncIterator[LogPage]:
        for _ in range(PAGES_PER_STEP):
            async for page in super().logs(query, first, last):
                yield page
        await asyncio.sleep(0.5)
        raise NodeError("no more")


def test_the_next_run_knows_that_the_node_was_caught(url: str, honest: int, tmp_path: Path) -> None:
    def sampled(path: Path) -> int:
        with made(path) as store:
            reader = Forgetful(url)
            reader.drop = in_blocks(EVENTFUL, EVENTFUL)
            assert run(store, reader, "sample").unverified == 0
            bloom = next(one for one in status(store).audits if one.audit == "bloom")
            if bloom.unseen == 0:
                assert bloom.note == CAUGHT
                assert bloom.population == bloom.checked == bloom.always == 401
            else:
                assert bloom.unseen is not None
                assert 0 < bloom.unseen < 1
            return honest - count(store)

    assert sampled(tmp_path / "fresh.db") > 0
    broken = Broken(url)
    broken.drop = in_blocks(0, 400)
    with made(tmp_path / "broken.db") as store, pytest.raises(NodeError):
        run(store, broken, "sample")
    assert sampled(tmp_path / "broken.db") == 0


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
