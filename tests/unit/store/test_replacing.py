"""Replacing all rows of a deployment keeps what they were."""

from __future__ import annotations

import random

import pytest

from defirisk.core.row import Row
from defirisk.store.bulk import FEW
from defirisk.store.database import Store
from defirisk.store.derived import StoredRows
from defirisk.store.replacing import replace_rows

from .rows import Account, ledger


def accounts(**modes: int) -> list[Row]:
    return [Account(account=name, emode_category_id=mode) for name, mode in modes.items()]


def test_only_what_changed_becomes_a_version() -> None:
    with ledger() as mine:
        at = (mine.connection, mine.deployment_id, Account)
        assert replace_rows(*at, accounts(a=1, b=2, c=3), 10) == 3
        assert replace_rows(*at, accounts(a=1, b=5, d=6), 11) == 2
        assert replace_rows(*at, accounts(a=1, b=5, d=6), 12) == 0
        assert mine.versions(Account, "emode_category_id") == [
            ("a", 10, None, 1),
            ("b", 10, 11, 2),
            ("b", 11, None, 5),
            ("c", 10, 11, 3),
            ("d", 11, None, 6),
        ]


@pytest.mark.parametrize("most", [8, 4 * FEW])
def test_every_block_reads_as_what_was_stated_there(store: Store, most: int) -> None:
    source = random.Random(5)
    stated: dict[int, dict[str, int]] = {}
    accounts_there = [f"0x{n:03}" for n in range(most)]
    with ledger(store) as mine:
        for block in range(10, 30):
            names = source.sample(accounts_there, source.randrange(most + 1))
            stated[block] = {name: source.randrange(3) for name in names}
            replace_rows(
                mine.connection, mine.deployment_id, Account, accounts(**stated[block]), block
            )
        for block, modes in stated.items():
            rows = StoredRows(mine.connection, mine.deployment_id, block).all(Account)
            assert {row.account: row.emode_category_id for row in rows} == modes
