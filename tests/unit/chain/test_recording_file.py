"""What a recording file is: the same bytes for the same content, and errors that explain."""

from __future__ import annotations

import lzma
import random
import time
from pathlib import Path

import orjson
import pytest

from defirisk.chain.recorded import RecordedChainReader, Recorder
from defirisk.chain.recording import Recording
from defirisk.chain.recording_file import read_recording, write_recording
from defirisk.core.errors import NodeError, ReorgDetected, UsageError
from defirisk.core.evm import (
    Block,
    BlockTag,
    Call,
    CallResult,
    LogQuery,
    RawLog,
)
from tests.unit.chain.fake_node import run
from tests.unit.chain.small_chain import (
    APPROVAL,
    LOGS,
    TRANSFER,
    A,
    B,
    C,
    SmallChain,
    a_log,
    digest,
    header,
    logs_of,
    record,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "chain.xz"
    run(record(path))
    return path


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
