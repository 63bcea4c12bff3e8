"""`db history` and `db check HASH`: what reorgs replaced, the latest first."""

from __future__ import annotations

import json
from typing import Any

import pytest

from defirisk.core.evm import Block
from defirisk.store.database import open_store
from defirisk.store.reorgs import Reorg, put_recent, put_reorg
from tests.command import CommandLine

OLD, NEW = ("0x" + "aa" * 32, "0x" + "bb" * 32)
LOG = [
    Reorg(1, 1_700_000_000, 90, 1, 91, OLD, NEW),
    Reorg(10, 1_700_000_100, 500, 2, 501, OLD, NEW),
    Reorg(1, 1_700_000_200, 95, 3, 96, NEW, OLD),
]


@pytest.fixture
def history(cli: CommandLine) -> CommandLine:
    store = open_store(f"sqlite:///{cli.folder / 'defirisk.db'}", create=True)
    with store.transaction() as connection:
        for one in LOG:
            lost = {one.block_number + at: f"0x{one.block_number + at:064x}" for at in range(2)}
            put_reorg(connection, one, lost)
        header = Block(number=97, hash=f"0x{97:064x}", parent_hash="", timestamp=0)
        put_recent(connection, 1, [header])
    store.close()
    return cli


def listed(cli: CommandLine, *words: str) -> list[dict[str, Any]]:
    ran = cli("db", "history", *words, "--format", "json")
    assert ran.code == 0, ran
    found: list[dict[str, Any]] = json.loads(ran.out)["reorgs"]
    return found


def test_reorgs_are_listed_the_latest_first(history: CommandLine) -> None:
    assert listed(history) == [one._asdict() for one in reversed(LOG)]
    assert listed(history, "--last", "1") == [LOG[2]._asdict()]
    assert listed(history, "--chain", "1") == [LOG[2]._asdict(), LOG[0]._asdict()]
    assert listed(history, "--chain", "1", "--last", "1") == [LOG[2]._asdict()]
    assert listed(history, "--chain", "5") == []
    row = history("db", "history", "--last", "1", "--format", "csv").out.splitlines()[1]
    assert row.split(",")[0] == "1"
    assert row.split(",")[2:5] == ["95", "3", "96"]


def test_a_hash_of_a_report_is_of_the_chain_or_void_or_unknown(history: CommandLine) -> None:
    void = history("db", "check", f"0x{91:064X}".replace("X", "x"))
    assert (void.code, "results at it are void" in void.out) == (1, True)
    back = history("db", "check", f"0x{97:064x}")  # it was lost, and is one of the chain again
    assert (back.code, back.out) == (0, "block 97 has this hash\n")
    assert "no block of the store" in history.refused("db", "check", "0x" + "12" * 32)
