"""However often the chain is replaced, the store is that of the chain that is left."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import pytest

from benchmarks.generated_chain import ChainShape, GeneratedChain, Node
from defirisk.chain.rpc import RpcChainReader
from defirisk.core.errors import NodeError
from defirisk.core.evm import BlockTag
from defirisk.indexing.run import Indexer, RunSummary
from defirisk.store.database import Store
from tests.faults.naive import difference
from tests.faults.proxy import FaultProxy, Faults, of_node, proxied
from tests.faults.runs import WATCHED, Stores, done, indexer, reader_of, reopened, run
from tests.faults.seeded import seeds
from tests.logical_dump import differences, logical_dump

Manner = Literal["follow", "runs"]
"""One process that follows the chain; or a new one, with the store opened again, for each step."""
COUNTS = frozenset({"audits"})
"""How much was asked on the way is no part of what a store says of a chain."""


def story_shape(seed: int) -> ChainShape:
    """A chain that is final after a few or after many blocks."""
    draw = random.Random(f"reorg shape {seed}")
    final = draw.choice([4, 12, 40, 90])
    return ChainShape(
        blocks=draw.randint(final + 10, 260),
        every=draw.choice([1, 2, 7, 30]),
        logs_per_block=draw.choice([1, 3, 6]),
        tokens=draw.choice([1, 2]),
        seed=seed,
        log_timestamps=draw.random() < 0.5,
        safe_distance=final // 2,
        finalized_distance=final,
    )


@dataclass
class Story:
    """What happens to a chain and to a store of it."""

    seed: int
    stores: Stores
    draw: random.Random = field(init=False)
    chain: GeneratedChain = field(init=False)
    to_block: BlockTag = field(init=False)
    ends: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.draw = random.Random(f"reorg story {self.seed}")
        self.chain = GeneratedChain(story_shape(self.seed))
        self.to_block = self.draw.choice(["latest", "latest", "safe"])

    def tell(self, manner: Manner, lagging: float) -> None:
        """Tells it, and compares the store with one that never saw another chain."""
        store = self.stores.new()
        faults = Faults(seed=self.seed, lagging=lagging)
        with proxied(of_node(Node(self.chain)), faults) as proxy:
            if manner == "follow":
                asyncio.run(self._follow(store, proxy))
            else:
                store = self._runs(store, proxy)
            proxy.become_honest()
            proxy.before.clear()  # what did not come while a step ran does not come any more
            self._ended(done(run(store, self.chain, [proxy.url], self.to_block)))
            fresh = self._fresh(proxy)
        found = difference(store, self.chain, self.chain.tokens[:WATCHED])
        assert found.complete, found
        ours, theirs = (logical_dump(one, without=COUNTS) for one in (store, fresh))
        # Where a fork was, its ancestor's header stays, which `difference` saw to be the chain's.
        assert {*theirs["blocks"]} <= {*ours.pop("blocks")}
        del theirs["blocks"]
        assert not differences(ours, theirs)
        store.close()
        fresh.close()

    async def _follow(self, store: Store, proxy: FaultProxy) -> None:
        reader = reader_of([proxy.url])
        follower = indexer(reader, store, self.chain, self.to_block)
        try:
            for _ in range(self.draw.randint(3, 7)):
                await self._step(follower, self._happens(proxy))
        finally:
            await reader.aclose()

    def _runs(self, store: Store, proxy: FaultProxy) -> Store:
        async def once() -> None:
            reader: RpcChainReader = reader_of([proxy.url])
            try:
                step = indexer(reader, store, self.chain, self.to_block)
                await self._step(step, self._happens(proxy))
            finally:
                await reader.aclose()

        for _ in range(self.draw.randint(2, 5)):
            asyncio.run(once())
            store = reopened(store)
        return store

    async def _step(self, follower: Indexer, happens: Callable[[], None]) -> None:
        try:
            summary = await follower.step()
        except NodeError:
            summary = None  # the next run goes on
        if summary is not None:
            self._ended(summary)
        happens()

    def _happens(self, proxy: FaultProxy) -> Callable[[], None]:
        """Mines or replaces blocks: what comes while the step runs is set here, what comes after it
        is returned.
        """
        changes = [self._mined, self._replaced, self._replaced]
        if self.draw.random() < 0.5:
            at = proxy.exchanges + self.draw.randint(1, 12)
            proxy.before[at] = self._change(self.draw.choice(changes))
        return self._change(self.draw.choice(changes))

    def _change(self, change: Callable[[random.Random], None]) -> Callable[[], None]:
        return partial(change, random.Random(self.draw.random()))

    def _mined(self, draw: random.Random) -> None:
        self.chain.mine(draw.choice([1, 2, 15, 60]))

    def _replaced(self, draw: random.Random) -> None:
        """At most as deep as finality, and then the chain goes on, or not."""
        deepest = self.chain.shape.finalized_distance
        depth = draw.choice([1, 2, deepest, draw.randint(1, deepest)])
        self.chain.reorg(depth, seed=draw.randint(1, 10**6))
        self.chain.mine(draw.choice([0, 1, 3, deepest]))

    def _ended(self, summary: RunSummary) -> None:
        self.ends[summary.block.number] = summary.block.hash

    def _fresh(self, proxy: FaultProxy) -> Store:
        """A store that was only ever shown the chain that is left, by runs that ended at the same
        blocks: views are read where a run ends.
        """
        tip = self.chain.tip
        fresh = self.stores.new()
        last = max(self.ends)
        for number in sorted(self.ends):
            if self.ends[number] == self.chain.hash(number, tip):
                to_block = self.to_block if number == last else number
                done(run(fresh, self.chain, [proxy.url], to_block))
        return fresh


@pytest.mark.parametrize("manner", ["follow", "runs"])
@seeds([2, 45], range(150))
def test_the_store_is_that_of_a_fresh_index(seed: int, manner: Manner, stores: Stores) -> None:
    Story(seed, stores).tell(manner, lagging=0.15 if seed % 3 == 0 else 0.0)
