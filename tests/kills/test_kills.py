"""`defirisk index`, killed by signal 9 anywhere, goes on as if nothing had been."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.generated_chain import ChainShape
from defirisk.store.database import open_store
from defirisk.store.ranges import verified
from tests.databases import BOTH, Kind, bare_url, database_url
from tests.kills.chains import Range, Remembering, configured, node_of, overlapping
from tests.kills.dying import Death, defirisk
from tests.logical_dump import Dump, differences, logical_dump

MOST_DEATHS = 4
CI, NIGHTLY = range(2), range(2, 200)
SEEDS = [*CI, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in NIGHTLY)]


def shape_of(seed: int) -> ChainShape:
    """A small chain: what is killed is soon done again."""
    draw = random.Random(f"kills {seed}")
    return ChainShape(
        blocks=draw.randint(120, 420),
        every=draw.choice([1, 2, 5]),
        logs_per_block=draw.choice([1, 2, 4]),
        tokens=draw.choice([1, 2]),
        seed=seed % 7,
        log_timestamps=draw.random() < 0.5,
    )


@dataclass
class Story:
    """A chain that is indexed in one or two runs, in a store of its own."""

    seed: int
    kind: Kind
    folder: Path
    node: Remembering
    url: str

    def __post_init__(self) -> None:
        self.draw = random.Random(f"deaths {self.seed} {self.kind}")
        shape = self.node.chain.shape
        ends = [shape.blocks]
        if self.draw.random() < 0.5:
            ends.insert(0, self.draw.randint(10, shape.blocks - 10))
        self.ends = ends

    def store(self, name: str) -> tuple[Path, str]:
        """A folder to work in and the address of the store of that name, which is not made yet."""
        path = self.folder / name
        configured(path, self.node.chain.shape, self.url, self._empty(path))
        return path, self._empty(path)

    def _empty(self, path: Path) -> str:
        """Nothing yet, so that the schema is made by what is killed; mostly an empty store."""
        if self.seed % 4 == 0:
            return f"sqlite:///{path / 'store.db'}" if self.kind == "sqlite" else bare_url(path)
        return database_url(path / "store.db", self.kind)

    def untouched(self) -> tuple[Dump, list[int]]:
        """What a store holds of which nothing was killed, and how many words each run took."""
        folder, url = self.store("whole")
        words = []
        for end in self.ends:
            assert defirisk(folder, ("index", "--to-block", str(end))) == 0, said(folder)
            words.append(int((folder / "statements.txt").read_text()))
        self.node.take()
        return dumped(url), words

    def killed(self, words: list[int]) -> tuple[Dump, int, list[Range]]:
        """What the store holds in the end, how often it was killed, and what was asked for again
        though it was stored. What was read ahead, or is being audited, may be asked for again.
        """
        folder, url = self.store("killed")
        deaths, again = 0, list[Range]()
        for end, most in zip(self.ends, words, strict=True):
            left = MOST_DEATHS
            while True:
                stored = self._stored(url)
                code = defirisk(folder, ("index", "--to-block", str(end)), self._death(left, most))
                again += overlapping(self.node.take(), stored)
                if code == 0:
                    break
                assert code == -9, said(folder)
                deaths, left = deaths + 1, left - 1
        return dumped(url), deaths, again

    def _stored(self, url: str) -> list[Range]:
        """Blocks whose logs are stored; nothing is said of a store that may not be made yet."""
        if self.seed % 4 == 0:
            return []
        store = open_store(url, create=False)
        with store.transaction() as connection:
            tokens = self.node.chain.tokens
            chain = self.node.chain.shape.chain_id
            found = [verified(connection, chain, token) for token in tokens]
        store.close()
        assert all(ranges == found[0] for ranges in found)
        return found[0]

    def _death(self, left: int, words: int) -> Death | None:
        if left == 0:
            return None
        if self.draw.random() < 0.3:
            return Death(seconds=self.draw.uniform(0.05, 2.0))
        return Death(statement=self.draw.randint(1, words))


def said(folder: Path) -> str:
    """What the processes in a folder said."""
    return (folder / "stderr.txt").read_text()[-2000:]


def dumped(url: str) -> Dump:
    """All that a store says."""
    store = open_store(url, create=False)
    try:
        return logical_dump(store)
    finally:
        store.close()


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_that_was_killed_anywhere_goes_on_from_there(
    seed: int, kind: Kind, tmp_path: Path
) -> None:
    with node_of(shape_of(seed)) as (node, url):
        story = Story(seed, kind, tmp_path, node, url)
        whole, words = story.untouched()
        killed, deaths, again = story.killed(words)
    assert differences(killed, whole) == {}
    assert len(whole["raw_logs"]) > 20
    assert again == [], f"of {deaths} deaths, these made what was stored be read again"
