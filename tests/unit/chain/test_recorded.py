"""A recording gives back what was recorded, and refuses what was not."""

from __future__ import annotations

import lzma
import random
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import orjson
import pytest

from defirisk.chain.recorded import RecordedChainReader, Recorder
from defirisk.chain.recording import Recording
from defirisk.chain.recording_file import read_recording, write_recording
from defirisk.core.errors import NodeBehind, NodeError, ReorgDetected, UsageError
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
from tests.unit.chain.fake_node import address, run

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


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "chain.xz"
    run(record(path))
    return path


def test_what_was_recorded_comes_back(path: Path) -> None:
    async def scenario() -> None:
        reader: ChainReader = RecordedChainReader(path)
        assert await reader.chain_id() == 1
        assert await reader.block("latest") == header(20)
        assert await reader.block("safe") == header(12)
        assert await reader.block(7) == header(7)
        assert await reader.blocks([9, 3, 20]) == [header(9), header(3), header(20)]
        assert await logs_of(reader, BOTH, 0, 10) == LOGS
        assert await logs_of(reader, BOTH, 4, 8) == [LOGS[3]]
        assert await logs_of(reader, LogQuery(addresses=(B,)), 0, 10) == [LOGS[1], LOGS[4]]
        assert await logs_of(reader, TRANSFERS, 5, 15) == [LOGS[3]]
        shouted = LogQuery(addresses=(A.upper().replace("X", "x"),), topics0=(TRANSFER,))
        assert await logs_of(reader, shouted, 0, 15) == [LOGS[0], LOGS[3]]
        assert await reader.calls([Call(C, b"abcdef"), BALANCE], header(10)) == [
            CallResult(False, b"abc\x0a"),
            CallResult(True, BALANCE.data[:3] + b"\x0a"),
        ]
        assert await reader.calls([], header(11)) == []
        await reader.aclose()

    run(scenario())


@pytest.mark.parametrize(
    ("query", "first", "last", "message"),
    [
        (BOTH, 0, 11, "any topic at block 11"),
        (LogQuery(addresses=(A, C)), 0, 10, f"logs of {C}"),
        (TRANSFERS, 4, 15, f"{C} with topic 0x0101"),
        (LogQuery(addresses=(A,), topics0=(APPROVAL,)), 0, 11, "topic 0x0202.* at block 11"),
        (LogQuery(addresses=(A,)), 11, 12, "any topic at block 11"),
    ],
)
def test_logs_that_were_not_recorded_are_an_error(
    path: Path, query: LogQuery, first: int, last: int, message: str
) -> None:
    with pytest.raises(NodeError, match=message):
        run(logs_of(RecordedChainReader(path), query, first, last))


def test_other_things_that_were_not_recorded_are_errors(path: Path) -> None:
    reader = RecordedChainReader(path)
    with pytest.raises(NodeError, match="function 0x18160ddd at block 10"):
        run(reader.calls([BALANCE, Call(A, bytes.fromhex("18160ddd"))], header(10)))
    with pytest.raises(NodeError, match="function 0x70a08231 at block 11"):
        run(reader.calls([BALANCE], header(11)))
    with pytest.raises(NodeError, match="header of block 8"):
        run(reader.block(8))
    with pytest.raises(NodeBehind, match="no finalized block"):
        run(reader.block("finalized"))
    with pytest.raises(NodeBehind, match="ends at block 20"):
        run(reader.block(21))
    with pytest.raises(NodeBehind):
        run(logs_of(reader, BOTH, 0, 21))
    with pytest.raises(ValueError, match="without addresses"):
        run(logs_of(reader, LogQuery(addresses=()), 0, 1))
    other = Block(number=10, hash=digest(99), parent_hash=digest(9), timestamp=0)
    with pytest.raises(ReorgDetected):
        run(reader.calls([BALANCE], other))


def test_the_chain_as_of_an_earlier_block(path: Path) -> None:
    reader = RecordedChainReader(path, head=9)
    assert run(reader.block("latest")) == header(9)
    assert run(reader.block("safe")) == header(9)
    assert run(logs_of(reader, BOTH, 0, 9)) == LOGS
    with pytest.raises(NodeBehind):
        run(logs_of(reader, BOTH, 0, 10))
    with pytest.raises(NodeBehind):
        run(reader.calls([BALANCE], header(10)))
    for head in (8, 21):
        with pytest.raises(UsageError, match=f"no block {head}"):
            RecordedChainReader(path, head=head)


def test_a_recording_is_a_chain_that_can_be_recorded(path: Path, tmp_path: Path) -> None:
    async def again() -> None:
        recorder = Recorder(RecordedChainReader(path))
        await recorder.block("safe")
        await logs_of(recorder, BOTH, 0, 10)
        await recorder.save(tmp_path / "again.xz")

    run(again())
    assert run(logs_of(RecordedChainReader(tmp_path / "again.xz"), BOTH, 0, 10)) == LOGS


def test_the_same_content_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    recording = read_recording(path)
    write_recording(recording, tmp_path / "copy.xz")
    assert (tmp_path / "copy.xz").read_bytes() == path.read_bytes()
    shuffled = Recording(chain_id=1, head=recording.head, safe=12)
    for number in sorted(recording.logs, reverse=True):
        shuffled.add_logs(reversed(recording.logs[number].values()))
    shuffled.merge(recording)
    write_recording(shuffled, tmp_path / "shuffled.xz")
    assert (tmp_path / "shuffled.xz").read_bytes() == path.read_bytes()
    assert not list(tmp_path.glob("*.part"))


def test_merging_and_adding_answers(path: Path, tmp_path: Path) -> None:
    recording = read_recording(path)
    more = Recording(chain_id=1, head=header(25), safe=14)
    more.coverage.add(LogQuery(addresses=(B,)), 11, 25)
    more.add_logs([a_log(22, 0, B, TRANSFER)])
    more.add_calls(25, [(A.upper().replace("X", "x"), b"view", b"answer"), (A, b"fail", None)])
    recording.merge(more)
    write_recording(recording, tmp_path / "merged.xz")
    reader = RecordedChainReader(tmp_path / "merged.xz")
    assert run(reader.block("latest")) == header(25)
    assert len(run(logs_of(reader, LogQuery(addresses=(B,)), 0, 25))) == 3
    assert run(reader.calls([Call(A, b"view"), Call(A, b"fail")], header(25))) == [
        CallResult(True, b"answer"),
        CallResult(False, b""),
    ]
    with pytest.raises(NodeError, match="header of block 22"):
        run(reader.block(22))


def test_recordings_that_contradict_each_other_are_refused(path: Path) -> None:
    recording = read_recording(path)
    with pytest.raises(UsageError, match="chains 1 and 2"):
        recording.merge(Recording(chain_id=2, head=header(20)))
    other = Block(number=7, hash=digest(99), parent_hash=digest(6), timestamp=0)
    with pytest.raises(ReorgDetected, match="block 7"):
        recording.add_block(other)
    with pytest.raises(ReorgDetected, match="log 0 of block 3"):
        recording.add_logs([a_log(3, 0, B, TRANSFER)])
    without_header = Recording(chain_id=1, head=header(20))
    without_header.add_logs(LOGS)
    with pytest.raises(ReorgDetected, match="block 7"):
        without_header.add_block(other)


def test_recording_over_a_reorg_is_refused() -> None:
    class Reorganised(SmallChain):
        async def block(self, ref: int | BlockTag) -> Block:
            self.head += 1
            return Block(number=20, hash=digest(self.head), parent_hash=digest(19), timestamp=0)

    async def scenario() -> None:
        recorder = Recorder(Reorganised())
        await recorder.recording()
        await recorder.block("latest")

    with pytest.raises(ReorgDetected, match="record again"):
        run(scenario())


def test_the_head_follows_the_chain(tmp_path: Path) -> None:
    async def scenario() -> Block:
        chain = SmallChain()
        recorder = Recorder(chain)
        await recorder.block("latest")
        chain.head = 30
        await recorder.block("latest")
        await recorder.save(tmp_path / "x.xz")
        return await RecordedChainReader(tmp_path / "x.xz").block("latest")

    assert run(scenario()) == header(30)


def test_unusable_files_are_explained(path: Path, tmp_path: Path) -> None:
    whole = path.read_bytes()
    lines = lzma.decompress(whole).splitlines(keepends=True)

    def lines_file(*chosen: bytes) -> bytes:
        return lzma.compress(b"".join(chosen))

    newer = orjson.dumps(orjson.loads(lines[0]) | {"defirisk_recording": 2}) + b"\n"
    cases = {
        "cannot be read": [
            whole[: len(whole) // 2],
            whole[:-1],
            b"",
            b"no xz at all",
            whole[:60] + b"xxxx" + whole[64:],
        ],
        "is damaged": [
            lines_file(*lines[:-1]),
            lines_file(*lines[:4], *lines[5:]),
            lines_file(*lines, lines[-1]),
            lines_file(lines[0], lines[3], lines[-1]),
            lines_file(b"{}\n"),
            lines_file(b"nonsense"),
            lines_file(b"[]\n"),
            lzma.compress(b""),
        ],
        "upgrade defirisk": [lines_file(newer, *lines[1:])],
    }
    for message, contents in cases.items():
        for content in contents:
            (tmp_path / "bad.xz").write_bytes(content)
            with pytest.raises(UsageError, match=message):
                RecordedChainReader(tmp_path / "bad.xz")
    with pytest.raises(UsageError, match="there is no recording"):
        RecordedChainReader(tmp_path / "missing.xz")


def test_every_bit_flip_is_noticed(path: Path, tmp_path: Path) -> None:
    whole = bytearray(path.read_bytes())
    rng = random.Random(1)
    for _ in range(200):
        spoilt = bytearray(whole)
        spoilt[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        (tmp_path / "spoilt.xz").write_bytes(spoilt)
        with pytest.raises(UsageError):
            RecordedChainReader(tmp_path / "spoilt.xz")


def test_a_large_recording_is_small_and_loads_fast(tmp_path: Path) -> None:
    rng = random.Random(1)
    holders = [bytes(12) + rng.randbytes(20) for _ in range(800)]
    recording = Recording(chain_id=1, head=header(3_000))
    for number in range(3_000):
        recording.add_block(header(number))
        recording.add_logs(
            RawLog(
                block_number=number,
                block_hash=digest(number),
                tx_hash=digest(number, index // 3),
                log_index=index,
                address=rng.choice((A, B, C)),
                topics=(rng.choice((TRANSFER, APPROVAL)), rng.choice(holders), rng.choice(holders)),
                data=rng.randrange(10**24).to_bytes(32, "big") * rng.choice((1, 3)),
            )
            for index in range(5)
        )
    write_recording(recording, tmp_path / "large.xz")
    start = time.perf_counter()
    read = read_recording(tmp_path / "large.xz")
    took = time.perf_counter() - start
    assert sum(map(len, read.logs.values())) == 15_000
    assert (tmp_path / "large.xz").stat().st_size < 2_000_000
    # Far above the usual 0.3 s, because a test machine may be busy.
    assert took < 5
