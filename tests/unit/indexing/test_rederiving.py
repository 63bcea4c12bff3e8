"""What is made of a store's logs and answers alone equals what the runs made that read them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, update

from benchmarks.generated_chain import NAME, GeneratedChain
from defirisk.core.errors import LeaseHeld, StoreError, UsageError
from defirisk.indexing.rederiving import rederive
from defirisk.store.base_tables import deployments, metadata, watched_contracts
from defirisk.store.database import Store
from defirisk.store.leases import leased
from defirisk.store.registry import stored_deployments
from defirisk.store.snapshots import snapshot, stored_block
from tests.command import CommandLine
from tests.demo import NAME as DEMO
from tests.logical_dump import Dump, differences, logical_dump
from tests.unit.indexing.generated import SHAPE, index_to, indexed_store

ENDS = (20, 41, 41, 70, "latest")


@pytest.fixture
def chain() -> GeneratedChain:
    return GeneratedChain(SHAPE)


@pytest.fixture
def store(chain: GeneratedChain, tmp_path: Path) -> Store:
    return indexed_store(tmp_path, "runs", chain, *ENDS)  # type: ignore[arg-type]


def lose_all_that_follows(store: Store) -> None:
    """No rows, no watched contracts, no tokens: only what was read, and what it was read for."""
    base = {"blocks", "raw_logs", "raw_calls", "verified_ranges", "asked_events", "deployments"}
    kept = base | {"chains", "recent_blocks", "audits", "unverified_ranges"}
    with store.transaction() as connection:
        for table in reversed(metadata.sorted_tables):
            if table.name not in kept:
                connection.execute(delete(table))


def assert_same(ours: Dump, theirs: Dump) -> None:
    assert not differences(ours, theirs)


def test_a_store_of_every_protocol_is_made_again(cli: CommandLine, demo_copy: Store) -> None:
    before = logical_dump(demo_copy)
    assert len(before["watched_contracts"]) > 300
    lose_all_that_follows(demo_copy)
    assert cli("db", "rederive", "--db", f"sqlite:///{cli.folder / DEMO}").code == 0
    assert_same(logical_dump(demo_copy), before)


def test_answers_of_every_run_are_observed_again(store: Store) -> None:
    before = logical_dump(store)
    assert {row[1] for row in before["raw_calls"]} == {20, 41, 70, 80}
    assert len(before["erc4626_total_assets"]) >= 4
    lose_all_that_follows(store)
    assert rederive(store) > 50
    assert_same(logical_dump(store), before)


def test_a_contract_found_late_is_folded_between_the_answers_of_earlier_runs(
    chain: GeneratedChain, store: Store, tmp_path: Path
) -> None:
    with store.transaction() as connection:
        assert connection.execute(update(watched_contracts).values(folded=False)).rowcount > 0
    chain.mine(4)
    index_to(chain, store, "latest")
    undisturbed = indexed_store(tmp_path, "undisturbed", chain, 20, 41, 70, 80, "latest")
    without = frozenset({"audits", "chains", "recent_blocks"})
    assert_same(logical_dump(store, without=without), logical_dump(undisturbed, without=without))
    undisturbed.close()


class Stopped(Exception):
    """Somebody pulled the plug."""


def test_what_is_cut_off_is_refused_and_completed(store: Store) -> None:
    before = logical_dump(store)

    def stop(step: str, done: int, total: int | None) -> None:
        if done >= 41:
            raise Stopped

    with pytest.raises(Stopped):
        rederive(store, (NAME,), stop)
    with store.transaction() as connection:
        mine = next(s for s in stored_deployments(connection) if s.deployment.name == NAME)
        with pytest.raises(StoreError, match="run defirisk index again"):
            snapshot(connection, mine, stored_block(connection, SHAPE.chain_id, None))
    rederive(store, (NAME,))
    assert_same(logical_dump(store), before)


def test_rows_of_another_version_are_made_again(store: Store) -> None:
    before = logical_dump(store)
    ours = deployments.c.name == NAME
    with store.transaction() as connection:
        connection.execute(update(deployments).where(ours).values(adapter_version=0))
        connection.execute(delete(metadata.tables["erc4626_shares"]))
    rederive(store, (NAME,))
    assert_same(logical_dump(store), before)


def test_a_wrong_name_or_a_store_at_work_is_refused(store: Store) -> None:
    before = logical_dump(store)
    with pytest.raises(UsageError, match="nothing called 'aave-v4' was indexed"):
        rederive(store, ("aave-v4",))
    with leased(store, f"chain {SHAPE.chain_id}"), pytest.raises(LeaseHeld):
        rederive(store)
    assert_same(logical_dump(store), before)
