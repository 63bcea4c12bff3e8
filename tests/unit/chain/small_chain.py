"""A chain that fits on a page, and a recording of it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from defirisk.chain.recorded import Recorder
from defirisk.core.errors import NodeBehind
from defirisk.core.evm import (
    Block,
    BlockTag,
    Call,
    CallResult,
    ChainReader,
    LogPage,
    LogQuery,
    RawLog,
)
from tests.unit.chain.fake_node import address

A, B, C = address(1), address(2), address(3)
TRANSFER, APPROVAL = b"\x01" * 32, b"\x02" * 32
BALANCE = Call(A, bytes.fromhex("70a08231") + bytes(32))


def digest(*parts: int) -> str:
    return "0x" + random.Random(repr(parts)).randbytes(32).hex()


def header(number: int) -> Block:
    return Block(
        number=number,
        hash=digest(number),
        parent_hash=digest(number - 1),
        timestamp=1_700_000_000 + 12 * number,
    )


def a_log(block: int, index: int, emitter: str, topic: bytes, data: bytes = b"\x05") -> RawLog:
    return RawLog(
        block_number=block,
        block_hash=digest(block),
        tx_hash=digest(block, index // 3),
        log_index=index,
        address=emitter,
        topics=(topic, bytes(12) + index.to_bytes(20, "big")),
        data=data,
    )


LOGS = [
    a_log(3, 0, A, TRANSFER),
    a_log(3, 1, B, APPROVAL),
    a_log(3, 4, A, APPROVAL),
    a_log(7, 0, A, TRANSFER, bytes(100)),
    a_log(9, 2, B, TRANSFER, b""),
]


class SmallChain:
    """A ChainReader of twenty blocks in memory, with two pages per query."""

    def __init__(self) -> None:
        self.head = 20

    async def chain_id(self) -> int:
        return 1

    async def block(self, ref: int | BlockTag) -> Block:
        if ref == "finalized":
            raise NodeBehind("this chain has no such block")
        tags = {"latest": self.head, "safe": self.head - 8}
        return header(ref if isinstance(ref, int) else tags[ref])

    async def blocks(self, numbers: Sequence[int]) -> list[Block]:
        return [header(number) for number in numbers]

    async def logs(self, query: LogQuery, first: int, last: int) -> AsyncIterator[LogPage]:
        middle = (first + last) // 2
        for start, end in ((first, middle), (middle + 1, last)):
            yield LogPage(start, end, tuple(matching(query, start, end)))

    async def calls(self, calls: Sequence[Call], block: Block) -> list[CallResult]:
        return [CallResult(call.to != C, call.data[:3] + bytes([block.number])) for call in calls]

    async def aclose(self) -> None:
        pass


def matching(query: LogQuery, first: int, last: int) -> list[RawLog]:
    return [
        log
        for log in LOGS
        if first <= log.block_number <= last
        and log.address in query.addresses
        and (not query.topics0 or log.topics[0] in query.topics0)
    ]


async def logs_of(reader: ChainReader, query: LogQuery, first: int, last: int) -> list[RawLog]:
    pages = [page async for page in reader.logs(query, first, last)]
    assert (pages[0].first_block, pages[-1].last_block) == (first, last)
    return [log for page in pages for log in page.logs]


BOTH = LogQuery(addresses=(A, B))
TRANSFERS = LogQuery(addresses=(A, C), topics0=(TRANSFER,))


async def record(path: Path) -> None:
    """Both addresses in 0..10, transfers of A and C in 5..15, two views at block 10."""
    recorder = Recorder(SmallChain())
    assert await recorder.chain_id() == 1
    assert await recorder.block("latest") == header(20)
    await recorder.blocks([3, 7, 9])
    assert await logs_of(recorder, BOTH, 0, 10) == LOGS
    assert await logs_of(recorder, TRANSFERS, 5, 15) == [LOGS[3]]
    await recorder.calls([BALANCE, Call(C, b"abcdef")], header(10))
    await recorder.save(path)
    await recorder.aclose()
