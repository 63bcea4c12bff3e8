"""Rows that are being made again, or that other code made, are no answer; a run renews them."""

from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import update

from defirisk.indexing.run import RunSummary, index
from defirisk.store.base_tables import deployments, watched_contracts
from defirisk.store.database import Store
from defirisk.store.registry import stored_deployments
from tests.command import CommandLine
from tests.demo import NAME, demo_markets, demo_reader
from tests.onchain.dump import dump

READING = [
    ("positions", "aave-v3"),
    ("stress", "--shock", "price:WETH=-4%"),
    ("report", "protocol", "aave-v3"),
]
BOTH = ("aave-v3-devnet", "chainlink-31337")


def change(store: Store, name: str, **values: int) -> None:
    with store.transaction() as connection:
        mine = update(deployments).where(deployments.c.name == name)
        assert connection.execute(mine.values(**values)).rowcount == 1


def index_again(store: Store) -> RunSummary:
    return asyncio.run(index(demo_reader(), store, demo_markets(), "finalized"))


@pytest.mark.parametrize("name", BOTH)
def test_a_fold_that_was_cut_off_is_no_answer(
    cli: CommandLine, demo_copy: Store, name: str
) -> None:
    change(demo_copy, name, folded_to_block=500)
    database = ("--db", f"sqlite:///{cli.folder / NAME}")
    for words in READING:
        said = cli.refused(*words, *database)
        assert f"{name} is only complete to block 500" in said
    status = json.loads(cli("status", "--format", "json", *database).out)
    assert any(f"{name} is only complete" in note["text"] for note in status["warnings"])


@pytest.mark.parametrize("name", BOTH)
def test_rows_of_another_version_are_no_answer_and_the_next_run_makes_them_again(
    cli: CommandLine, demo_copy: Store, name: str
) -> None:
    before = dump(demo_copy)
    change(demo_copy, name, adapter_version=0)
    database = ("--db", f"sqlite:///{cli.folder / NAME}")
    for words in READING:
        assert f"{name} was indexed by another version" in cli.refused(*words, *database)
    assert cli("status", *database).code == 0

    assert index_again(demo_copy).rows_written > 100
    assert dump(demo_copy) == before


def test_another_run_over_the_same_blocks_writes_nothing(demo_copy: Store) -> None:
    before = dump(demo_copy)
    summary = index_again(demo_copy)
    assert (summary.new_logs, summary.rows_written, summary.reorg_depth) == (0, 0, 0)
    assert dump(demo_copy) == before


def test_a_contract_that_was_found_late_is_folded_in_where_it_belongs(demo_copy: Store) -> None:
    """As after a run that found it, and was cut off before anything was folded."""
    before = dump(demo_copy)
    with demo_copy.transaction() as connection:
        (chainlink,) = (
            s for s in stored_deployments(connection) if s.deployment.protocol == "chainlink"
        )
        late = update(watched_contracts).where(
            watched_contracts.c.deployment_id == chainlink.id,
            watched_contracts.c.role == "aggregator",
        )
        assert connection.execute(late.values(folded=False)).rowcount > 1
    assert index_again(demo_copy).rows_written > 100
    assert dump(demo_copy) == before
