"""A live node, some of whose answers lack logs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from defirisk.chain.block_proofs import BlockLogs, BloomDiffers
from defirisk.chain.receipts import Receipts, RootDiffers
from defirisk.chain.rpc import RpcChainReader
from defirisk.core.errors import NodeError
from defirisk.core.evm import Block, Call, CallResult, LogPage, LogQuery, RawLog

Drop = Callable[[RawLog], bool]


class Forgetful(RpcChainReader):
    """A node that leaves some logs out.

    `drop`: which, of ranges as long as `ranges` of them are asked for, and of single blocks for
    `patience` questions. Receipts of the blocks in `cut` do not give their root. `picky`: no logs
    of a block are given without an address. `crowded`: blocks whose blooms show nearly everything.
    `blind`: headers without blooms; `pruned`: no state before that block.
    """

    drop: Drop | None = None
    ranges = 10**6
    patience = 0
    cut: frozenset[int] = frozenset()
    picky = False
    crowded: frozenset[int] = frozenset()
    blind = False
    pruned = 0
    other: Forgetful | None = None

    async def logs(self, query: LogQuery, first: int, last: int) -> AsyncIterator[LogPage]:
        async for page in super().logs(query, first, last):
            self.ranges -= 1
            kept = tuple(log for log in page.logs if self.ranges < 0 or not self._drops(log))
            yield replace(page, logs=kept)

    async def block_logs(self, blocks: Sequence[Block]) -> list[BlockLogs | NodeError | None]:
        if self.picky:
            return [NodeError("an address is needed")] * len(blocks)
        answers = await super().block_logs(blocks)
        self.patience -= 1
        if self.patience < 0:
            return answers
        return [
            BloomDiffers("a log is missing")
            if isinstance(answer, BlockLogs) and any(self._drops(log) for log in answer.held)
            else answer
            for answer in answers
        ]

    async def receipts(self, blocks: Sequence[Block]) -> list[Receipts | RootDiffers | None]:
        answers = await super().receipts(blocks)
        return [
            RootDiffers("a receipt is missing") if block.number in self.cut else answer
            for block, answer in zip(blocks, answers, strict=True)
        ]

    async def blocks(self, numbers: Sequence[int]) -> list[Block]:
        headers = await super().blocks(numbers)
        if self.blind:
            return [replace(header, logs_bloom=bytes(256)) for header in headers]
        full = b"\x7f" + b"\xff" * 255
        return [replace(h, logs_bloom=full) if h.number in self.crowded else h for h in headers]

    async def calls(self, calls: Sequence[Call], block: Block) -> list[CallResult]:
        if block.number < self.pruned:
            raise NodeError("missing trie node")
        return await super().calls(calls, block)

    def second(self) -> Forgetful | None:
        return self.other

    def _drops(self, log: RawLog) -> bool:
        return self.drop is not None and self.drop(log)
