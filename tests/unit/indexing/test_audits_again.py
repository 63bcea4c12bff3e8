"""What an earlier run took for complete is audited again, and healed as a first run would have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select

from benchmarks.generated_chain import serve
from defirisk.core.errors import FinalityBroken, NodeError, UsageError
from defirisk.core.evm import Block, LogPage, LogQuery
from defirisk.indexing.audit.again import LOST, audit_again, stretches
from defirisk.indexing.audit.doubts import REFUTED
from defirisk.indexing.audit.given import Range
from defirisk.indexing.audit.settings import AuditMode, AuditSettings
from defirisk.indexing.source import silent
from defirisk.store.asked import AskedRange
from defirisk.store.base_tables import blocks, raw_logs
from defirisk.store.database import Store, open_store
from defirisk.store.ranges import joined
from tests.command import CommandLine
from tests.databases import database_url
from tests.demo import demo_reader
from tests.onchain.dump import dump
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

Dump = dict[str, list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(CHAIN) as url:
        yield url


@pytest.fixture(scope="module")
def fresh(url: str, tmp_path_factory: pytest.TempPathFactory) -> Dump:
    with made(tmp_path_factory.mktemp("fresh") / "f.db") as store:
        assert run(store, Forgetful(url), "sample").unverified == 0
        return dump(store)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with made(tmp_path / "a.db") as store:
        yield store


def lose(store: Store, *places: tuple[int, int]) -> None:
    """Deletes logs; what was made of them stays, as after a bad disk or a careless hand."""
    with store.transaction() as connection:
        for number, index in places:
            mine = raw_logs.c.block_number == number, raw_logs.c.evt_index == index
            assert connection.execute(delete(raw_logs).where(*mine)).rowcount == 1


def lose_block(store: Store, number: int) -> None:
    with store.transaction() as connection:
        query = select(raw_logs.c.evt_index).where(raw_logs.c.block_number == number)
        places = [(number, index) for (index,) in connection.execute(query)]
    assert places
    lose(store, *places)


def unseen(store: Store, audit: str = "bloom") -> float | None:
    return next(one.unseen for one in status(store).audits if one.audit == audit)


def test_a_loss_in_the_store_is_found_and_made_good(url: str, store: Store, fresh: Dump) -> None:
    run(store, Forgetful(url), "sample")
    lose_block(store, EVENTFUL)
    assert run(store, Forgetful(url), "bloom").new_logs == 0  # it is no gap, so nobody looks
    assert dump(store) != fresh
    before = unseen(store)
    assert before is not None
    assert 0 < before < 1

    assert run(store, Forgetful(url), "bloom", again=True).unverified == 0
    assert dump(store) == fresh
    assert unseen(store) == 0
    assert gained(store)["bloom"] >= 1


def test_postgresql_is_audited_alike(url: str, fresh: Dump, tmp_path: Path) -> None:
    store = open_store(database_url(tmp_path / "pg.db", "postgresql"), create=False)
    run(store, Forgetful(url), "sample")
    lose_block(store, EVENTFUL)
    assert run(store, Forgetful(url), "receipts", again=True).unverified == 0
    assert dump(store) == fresh
    store.close()


@pytest.mark.parametrize("mode", ["bloom", "receipts"])
def test_a_loss_that_sampling_did_not_see_is_made_good_with_its_rows(
    url: str, store: Store, fresh: Dump, mode: AuditMode
) -> None:
    reader = Forgetful(url)
    reader.drop = in_blocks(EVENTFUL, EVENTFUL)
    run(store, reader, "sample")
    assert len(dump(store)["raw_logs"]) < len(fresh["raw_logs"])
    summary = run(store, Forgetful(url), mode, again=True)
    assert (summary.unverified, dump(store)) == (0, fresh)
    assert summary.rows_written > 0


def test_a_sound_store_stays_as_it_is_and_costs_headers_only(
    url: str, store: Store, fresh: Dump
) -> None:
    run(store, Forgetful(url), "sample")
    reader = Forgetful(url)
    summary = run(store, reader, "bloom", again=True)
    assert (summary.new_logs, summary.rows_written) == (0, 0)
    assert reader.ranges == Forgetful.ranges
    assert dump(store) == fresh
    bloom = next(one for one in status(store).audits if one.audit == "bloom")
    assert bloom.population == bloom.checked == bloom.always == 401
    run(store, Forgetful(url), "bloom", again=True)
    again = next(one for one in status(store).audits if one.audit == "bloom")
    assert (again.population, again.unseen) == (401, 0)


def test_a_loss_inside_a_block_is_seen_by_receipts_only(
    url: str, store: Store, fresh: Dump
) -> None:
    run(store, Forgetful(url), "sample")
    place = min(INSIDE)
    lose(store, place)
    run(store, Forgetful(url), "bloom", again=True)
    assert dump(store) != fresh
    run(store, Forgetful(url), "receipts", again=True)
    assert dump(store) == fresh
    assert gained(store)["receipts"] >= 1
    assert unseen(store, "receipts") == 0


def test_what_only_a_second_endpoint_has_is_kept(url: str, store: Store, fresh: Dump) -> None:
    run(store, Forgetful(url), "sample")
    lose(store, *INSIDE)
    reader = Forgetful(url)
    reader.drop = lambda log: (log.block_number, log.log_index) in INSIDE
    reader.other = Forgetful(url)
    run(store, reader, "bloom", again=True)
    assert dump(store) == fresh


def test_what_cannot_be_proven_is_marked_until_it_can(url: str, store: Store, fresh: Dump) -> None:
    run(store, Forgetful(url), "sample")
    lose_block(store, EVENTFUL)
    reader = Forgetful(url)
    reader.drop, reader.patience, reader.cut = in_blocks(EVENTFUL, EVENTFUL), 10**6, ALL
    assert run(store, reader, "bloom", again=True).unverified == 1
    assert status(store).unverified_ranges == ((EVENTFUL, EVENTFUL),)

    assert run(store, Forgetful(url), "sample").unverified == 0
    assert dump(store) == fresh


class Liar(Forgetful):
    """Makes up a log of a block that has some."""

    async def logs(self, query: LogQuery, first: int, last: int) -> AsyncIterator[LogPage]:
        async for page in super().logs(query, first, last):
            its = [log for log in page.logs if log.block_number == EVENTFUL]
            if not its:
                yield page
                continue
            one = its[-1]
            topics = (one.topics[0], bytes(31) + b"\7", one.topics[2])
            made_up = replace(one, log_index=one.log_index + 500, topics=topics)
            at = page.logs.index(one) + 1
            yield replace(page, logs=(*page.logs[:at], made_up, *page.logs[at:]))


@pytest.mark.parametrize("mode", ["bloom", "receipts"])
def test_a_log_that_never_was_is_dropped_with_what_came_of_it(
    url: str, store: Store, fresh: Dump, mode: AuditMode
) -> None:
    run(store, Liar(url), "none")
    assert count(store) == len(fresh["raw_logs"]) + 1
    assert run(store, Forgetful(url), mode, again=True).unverified == 0
    # Without audits headers are made of logs, and know no parents.
    expected = {name: rows for name, rows in fresh.items() if name != "blocks"}
    assert dump(store, without=frozenset({"blocks"})) == expected


@pytest.mark.parametrize("mode", ["bloom", "receipts"])
def test_a_first_run_does_not_believe_in_such_a_log(
    url: str, store: Store, mode: AuditMode
) -> None:
    assert run(store, Liar(url), mode).unverified >= 1
    marks = {(mark.first_block, mark.audit, mark.reason) for mark in status(store).unverified}
    assert (EVENTFUL, mode, REFUTED) in marks  # the totals differ, too


class Breaks(Forgetful):
    """Fails where headers of the blocks after 299 are asked for a hundred at once."""

    async def blocks(self, numbers: Sequence[int]) -> list[Block]:
        if len(numbers) == 100 and numbers[0] >= 300:
            raise NodeError("no more")
        return await super().blocks(numbers)


def test_where_it_breaks_off_what_was_found_is_kept_and_the_chance_stays(
    url: str, store: Store, fresh: Dump, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("defirisk.indexing.audit.again.HEADERS_AT_ONCE", 100)
    run(store, Forgetful(url), "sample")
    lose_block(store, EVENTFUL)
    before = unseen(store)
    with pytest.raises(NodeError):
        run(store, Breaks(url), "bloom", again=True)
    marks = status(store).unverified
    assert {(m.first_block, m.last_block, m.reason) for m in marks} == {(EVENTFUL, EVENTFUL, LOST)}
    assert (count(store), unseen(store)) == (len(fresh["raw_logs"]), before)

    assert run(store, Forgetful(url), "sample").unverified == 0
    assert dump(store) == fresh


def test_a_store_of_another_fork_is_told(url: str, store: Store) -> None:
    run(store, Forgetful(url), "sample")
    with store.transaction() as connection:
        for table in (raw_logs, blocks):
            mine = table.c.block_number == EVENTFUL
            connection.execute(table.update().where(mine).values(block_hash="0x" + "00" * 32))
    with pytest.raises(FinalityBroken, match=f"block {EVENTFUL} was final"):
        run(store, Forgetful(url), "bloom", again=True)


def test_a_recording_and_a_sample_are_refused(demo_copy: Store, cli: CommandLine) -> None:
    settings = AuditSettings(mode="bloom", again=True)
    with pytest.raises(UsageError, match="needs a node"):
        asyncio.run(audit_again(demo_reader(), demo_copy, 31337, settings, silent))
    for words in (["--again"], ["--audit", "bloom", "--again", "--follow"]):
        assert "--audit bloom" in cli.refused("index", *words, "--rpc-url", "http://127.0.0.1:1")


def test_only_what_a_contract_is_asked_for_is_lacking() -> None:
    """A query asks every contract for the events of all, and keeps what comes: or does not."""
    one, other = MINTS[0], MINTS[0].topics[0][::-1]
    wanted = Range(query=LogQuery(addresses=()), topics={one.address: {one.topics[0]}}, pages=())
    unasked = replace(one, topics=(other,))
    anonymous = replace(one, topics=())
    strange = replace(one, address="0x" + "11" * 20)
    assert wanted.lacks([one, unasked, anonymous, strange], []) == [one]
    assert wanted.lacks([one], [unasked]) == []


@given(
    st.dictionaries(
        st.sampled_from("abcd"),
        st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), max_size=3),
    )
)
def test_every_block_is_in_one_stretch_with_all_that_is_read_of_it(
    read: dict[str, list[tuple[int, int]]],
) -> None:
    ranges = [
        AskedRange(contract, first, last, frozenset({contract.encode()}))
        for contract, wanted in read.items()
        for first, last in joined((first, first + length) for first, length in wanted)
    ]
    found = {
        number: set(one.topics)
        for one in stretches(ranges)
        for number in range(one.first, one.last + 1)
    }
    expected = {
        number: {one.contract for one in ranges if one.first_block <= number <= one.last_block}
        for number in range(50)
    }
    assert found == {number: contracts for number, contracts in expected.items() if contracts}
    assert sum(one.last - one.first + 1 for one in stretches(ranges)) == len(found)
