"""`defirisk db rederive`, killed by signal 9 anywhere, is completed by the next time."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.generated_chain import GeneratedChain
from defirisk.store.database import Store, open_store
from tests.databases import BOTH, Kind, database_url
from tests.kills.dying import Death, defirisk
from tests.logical_dump import Dump, differences, logical_dump
from tests.unit.indexing.generated import SHAPE, index_to

SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(1, 20))]
DEATHS = 3


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_rederive_is_completed_by_the_next(seed: int, kind: Kind, tmp_path: Path) -> None:
    draw = random.Random(f"rederive {seed} {kind}")
    url = database_url(tmp_path / "store.db", kind)
    store = open_store(url, create=True)
    index_to(GeneratedChain(SHAPE), store, 41, "latest")
    before = logical_dump(store)
    assert len(before["erc4626_shares"]) > 20
    store.close()
    words = ("db", "rederive", "--db", url)
    assert defirisk(tmp_path, words) == 0
    statements = int((tmp_path / "statements.txt").read_text())
    for _ in range(DEATHS):
        code = defirisk(tmp_path, words, Death(statement=draw.randint(1, statements)))
        assert code == -9, (tmp_path / "stderr.txt").read_text()
    assert defirisk(tmp_path, words) == 0, (tmp_path / "stderr.txt").read_text()
    assert not differences(_dumped(open_store(url, create=False)), before)


def _dumped(store: Store) -> Dump:
    try:
        return logical_dump(store)
    finally:
        store.close()
