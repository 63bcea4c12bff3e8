"""A recording gives back what was recorded, and refuses what was not."""

from __future__ import annotations

from pathlib import Path

import pytest

from defirisk.chain.recorded import RecordedChainReader, Recorder
from defirisk.core.errors import NodeBehind, NodeError, ReorgDetected, UsageError
from defirisk.core.evm import (
    Block,
    Call,
    CallResult,
    ChainReader,
    LogQuery,
)
from tests.unit.chain.fake_node import run
from tests.unit.chain.small_chain import (
    APPROVAL,
    BALANCE,
    BOTH,
    LOGS,
    TRANSFER,
    TRANSFERS,
    A,
    B,
    C,
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
