"""The demo chain in PostgreSQL: indexed, verified, shocked and drawn as in SQLite."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from defirisk.indexing.run import index
from defirisk.indexing.verify import verify
from defirisk.store.database import open_store
from defirisk.store.registry import find_deployment
from tests.command import CommandLine
from tests.databases import database_url
from tests.demo import demo_markets, demo_reader
from tests.logical_dump import differences, logical_dump


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PostgreSQL database, filled from the recording."""
    url = database_url(tmp_path_factory.mktemp("demo") / "demo.db", "postgresql")
    store = open_store(url, create=False)
    asyncio.run(index(demo_reader(), store, demo_markets(), "finalized"))
    store.close()
    return url


def test_it_holds_what_a_file_holds(url: str, demo_database: Path) -> None:
    ours = open_store(url, create=False)
    theirs = open_store(f"sqlite:///{demo_database}", create=False)
    assert differences(logical_dump(ours), logical_dump(theirs)) == {}
    assert len(logical_dump(ours)["raw_logs"]) > 20_000
    ours.close()
    theirs.close()


def test_the_contracts_agree_with_it(url: str) -> None:
    store, reader = open_store(url, create=False), demo_reader()
    with store.transaction() as connection:
        stored = find_deployment(connection, demo_markets()[0].name)
    assert stored is not None
    block = asyncio.run(reader.block("finalized"))
    verdict = asyncio.run(verify(reader, store, stored, block))
    assert verdict.compared > 100
    assert not verdict.mismatches
    store.close()


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("positions", "aave-v3", "--top", "50"),
        ("stress", "--shock", "price:WETH=-40%", "--cascade"),
        pytest.param(("graph",), marks=pytest.mark.nightly),
        pytest.param(("oracle",), marks=pytest.mark.nightly),
    ],
    ids=lambda words: words[0],
)
def test_every_command_says_the_same(
    words: tuple[str, ...], url: str, demo_database: Path, cli: CommandLine
) -> None:
    asked = (*words, "--format", "json", "--db")
    ours, theirs = cli(*asked, url), cli(*asked, f"sqlite:///{demo_database}")
    assert ours == theirs
    assert not ours.err
    assert len(ours.out) > 100
