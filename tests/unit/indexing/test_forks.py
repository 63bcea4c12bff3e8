"""When blocks were replaced and when not; what is done first, and what is never done."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from benchmarks.generated_chain import ChainShape, GeneratedChain, deployment, serve
from defirisk.chain.rpc import RpcChainReader
from defirisk.core.errors import FinalityBroken, NodeError, ReorgDetected
from defirisk.core.evm import Block, BlockTag, ChainReader, LogPage, LogQuery
from defirisk.indexing.run import Indexer
from defirisk.store.base_tables import blocks, raw_logs
from defirisk.store.database import Store, open_store
from defirisk.store.registry import find_chain
from defirisk.store.reorgs import find_hash, lost_block, recent_links, reorg_log
from tests.logical_dump import differences, logical_dump

SHAPE = ChainShape(blocks=80, every=3, logs_per_block=2, finalized_distance=30)
COUNTS = frozenset({"audits"})


class Through:
    """A reader in front of others, of which each question is put to one."""

    def __init__(self, readers: Sequence[ChainReader], turns: str = "") -> None:
        """`turns`: who answers questions about blocks by number, one digit for each; then the
        first.
        """
        self._readers = readers
        self._turns = iter(turns)
        self.chain_id = readers[0].chain_id
        self.calls = readers[0].calls
        self.aclose = readers[0].aclose
        self.logs_fail = False

    def _one(self) -> ChainReader:
        return self._readers[int(next(self._turns, "0"))]

    async def block(self, ref: int | BlockTag) -> Block:
        return await (self._one() if isinstance(ref, int) else self._readers[0]).block(ref)

    async def blocks(self, numbers: Sequence[int]) -> list[Block]:
        return await self._one().blocks(numbers)

    async def logs(self, query: LogQuery, first: int, last: int) -> AsyncIterator[LogPage]:
        if self.logs_fail:
            raise NodeError("no logs today")
        async for page in self._readers[0].logs(query, first, last):
            yield page


@contextlib.contextmanager
def reader_of(chain: GeneratedChain) -> Iterator[RpcChainReader]:
    with serve(chain) as url:
        yield RpcChainReader(url)


def new_store(folder: Path, name: str = "followed") -> Store:
    return open_store(f"sqlite:///{folder / name}.db", create=True)


def indexed(chain: GeneratedChain, store: Store, *after: Any) -> list[Any]:
    """Runs to the head; then each of `after` happens to the chain, and the indexer takes a step.

    What happens returns the reader of that step, or None for the node itself.
    """

    async def go() -> list[Any]:
        with reader_of(chain) as node:
            said: list[Any] = [await Indexer(node, store, [deployment(chain)], "latest").run()]
            for happen in after:
                reader = happen(node) or node
                step = Indexer(reader, store, [deployment(chain)], "latest")
                try:
                    said.append(await step.step())
                except (NodeError, FinalityBroken) as error:
                    said.append(error)
            await node.aclose()
            return said

    return asyncio.run(go())


def same_as_fresh(
    chain: GeneratedChain, store: Store, folder: Path, *ends: int, without: frozenset[str] = COUNTS
) -> bool:
    """Whether it is the store that runs to these blocks, and then to the head, fill."""
    fresh = new_store(folder, "fresh")

    async def go() -> None:
        with reader_of(chain) as node:
            for end in (*ends, "latest"):
                await Indexer(node, fresh, [deployment(chain)], end).run()  # type: ignore[arg-type]
            await node.aclose()

    asyncio.run(go())
    ours, theirs = logical_dump(store, without=without), logical_dump(fresh, without=without)
    return not differences(ours, theirs)


@pytest.mark.parametrize("depth", [1, 30])
def test_lost_blocks_are_replaced_and_remembered(depth: int, tmp_path: Path) -> None:
    chain, store = GeneratedChain(SHAPE), new_store(tmp_path)
    old = {number: chain.hash(number, chain.tip) for number in range(81)}

    _, summary = indexed(chain, store, lambda _: chain.reorg(depth, seed=5))

    first = 81 - depth
    assert summary.reorg_depth == depth
    with store.transaction() as connection:
        (reorg,) = reorg_log(connection)
        assert (reorg.ancestor, reorg.depth, reorg.block_number) == (first - 1, depth, first)
        assert (reorg.old_hash, reorg.new_hash) == (old[first], chain.hash(first, chain.tip))
        assert reorg.detected_ts > 1_700_000_000
        assert {lost_block(connection, old[n]) for n in range(first, 81)} == {*range(first, 81)}
        assert lost_block(connection, old[first - 1]) is None
        assert find_hash(connection, old[80]) is None
        assert find_hash(connection, chain.hash(80, chain.tip)) == 80
        links = recent_links(connection, chain.shape.chain_id, -1)
        assert [*links] == [*range(50, 81)]
        assert all(link.hash == chain.hash(n, chain.tip) for n, link in links.items())
        found = find_chain(connection, chain.shape.chain_id)
        assert found is not None
        assert (found.verified_to, found.reorgs) == (80, 1)
    assert same_as_fresh(chain, store, tmp_path)


def test_a_head_that_is_lower_is_no_reorg(tmp_path: Path) -> None:
    chain, store = GeneratedChain(SHAPE), new_store(tmp_path)
    behind = GeneratedChain(ChainShape(**{**_shape(), "blocks": 60}))
    with reader_of(behind) as lagging:
        _, summary = indexed(chain, store, lambda _: Through([lagging]))
    assert summary is None
    with store.transaction() as connection:
        assert reorg_log(connection) == []
    assert same_as_fresh(chain, store, tmp_path)


def test_a_lower_head_of_another_chain_is_a_reorg(tmp_path: Path) -> None:
    """The new chain is still shorter than the one it replaces."""
    chain, store = GeneratedChain(SHAPE), new_store(tmp_path)
    shorter = GeneratedChain(ChainShape(**{**_shape(), "blocks": 76}))
    shorter.reorg(6, seed=9)
    with reader_of(shorter) as other:
        _, summary = indexed(chain, store, lambda _: Through([other]))
    assert (summary.block.number, summary.reorg_depth) == (76, 10)
    # What was final once stays so, also for a node that is not as far.
    without = COUNTS | {"chains", "recent_blocks"}
    assert same_as_fresh(shorter, store, tmp_path, without=without)


def test_a_hash_that_differs_once_is_not_believed(tmp_path: Path) -> None:
    """One node of two behind a balancer is of another opinion, once."""
    chain, store = GeneratedChain(SHAPE), new_store(tmp_path)
    other = GeneratedChain(SHAPE)
    other.reorg(7, seed=3)

    def asked_both(node: RpcChainReader, minority: RpcChainReader) -> Through:
        chain.mine(2)
        return Through([node, minority], turns="11")

    with reader_of(other) as minority:
        _, summary = indexed(chain, store, lambda node: asked_both(node, minority))
    assert (summary.block.number, summary.reorg_depth) == (82, 0)
    with store.transaction() as connection:
        assert reorg_log(connection) == []
    assert same_as_fresh(chain, store, tmp_path, 80)


def test_nodes_that_never_agree_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("forks", "run"):  # it is asked again and again, here without a rest
        monkeypatch.setattr(f"defirisk.indexing.{module}._PAUSE", 0.0)
    chain, store = GeneratedChain(SHAPE), new_store(tmp_path)
    other = GeneratedChain(SHAPE)
    other.reorg(7, seed=3)
    other.mine(2)
    before: list[Any] = []

    def disagree(node: RpcChainReader, minority: RpcChainReader) -> Through:
        before.append(logical_dump(store))
        return Through([minority, node], turns="01" * 200)

    with reader_of(other) as minority:
        _, error = indexed(chain, store, lambda node: disagree(node, minority))
    assert isinstance(error, ReorgDetected)
    assert logical_dump(store) == before[0]


def test_nothing_is_dropped_before_its_replacement_is_there(tmp_path: Path) -> None:
    chain, store = GeneratedChain(SHAPE), new_store(tmp_path)
    before: list[Any] = []

    def no_logs(node: RpcChainReader) -> Through:
        before.append(logical_dump(store))
        chain.reorg(9, seed=2)
        through = Through([node])
        through.logs_fail = True
        return through

    def unchanged(_: RpcChainReader) -> None:
        assert logical_dump(store) == before[0]

    _, error, summary = indexed(chain, store, no_logs, unchanged)
    assert "no logs today" in str(error)
    assert summary.reorg_depth == 9
    assert before[0]["raw_logs"]
    assert same_as_fresh(chain, store, tmp_path)


@pytest.mark.parametrize("depth", [31, 60])
def test_what_was_final_stops_the_chain_and_keeps_everything(depth: int, tmp_path: Path) -> None:
    chain, store = GeneratedChain(SHAPE), new_store(tmp_path)
    before: list[Any] = []

    def too_deep(_: RpcChainReader) -> None:
        before.append(logical_dump(store))
        chain.reorg(depth, seed=4)
        chain.mine(3)

    _, error, again = indexed(chain, store, too_deep, lambda _: None)
    assert isinstance(error, FinalityBroken)
    assert error.exit_code == 1
    assert "was final as 0x" in str(error)
    assert "nothing was changed" in str(error)
    assert isinstance(again, FinalityBroken)
    assert logical_dump(store) == before[0]


def test_a_block_without_logs_that_is_replaced_is_noticed(tmp_path: Path) -> None:
    """Only its header tells; and where it is not the last one, only that of its child."""
    chain = GeneratedChain(ChainShape(**{**_shape(), "every": 50, "blocks": 90}))
    store = new_store(tmp_path)

    def replaced(_: RpcChainReader) -> None:
        chain.reorg(3, seed=1)
        chain.mine(1)

    _, summary = indexed(chain, store, replaced)
    assert summary.reorg_depth == 3
    with store.transaction() as connection:
        kept = connection.execute(select(blocks.c.block_hash).where(blocks.c.block_number == 91))
        assert kept.scalar_one() == chain.hash(91, chain.tip)
        logs = connection.execute(select(raw_logs.c.block_number).distinct()).scalars().all()
        assert all(number < 88 for number in logs)


def _shape() -> dict[str, Any]:
    return {name: getattr(SHAPE, name) for name in SHAPE.__dataclass_fields__}
