"""A recording as a ChainReader, and the wrapper around any ChainReader that makes one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

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

_LOGS_PER_PAGE = 5_000


class RecordedChainReader:
    """Answers from a recording what was asked when it was made, and refuses everything else.

    `source` is a file or a recording in memory. With `head` it serves the chain as of that block.
    Errors: `UsageError` where the file cannot be used or has no block `head`.
    """

    def __init__(self, source: Path | str | Recording, *, head: int | None = None) -> None:
        self._recording = source if isinstance(source, Recording) else read_recording(Path(source))
        self._head = self._recording.head
        if head is not None:
            if head > self._head.number or head not in self._recording.blocks:
                raise UsageError(
                    f"the recording has no block {head}: it ends at {self._head.number}"
                )
            self._head = self._recording.blocks[head]
        self._log_blocks = sorted(self._recording.logs)

    async def chain_id(self) -> int:
        """The recorded chain's id by EIP-155."""
        return self._recording.chain_id

    async def block(self, ref: int | BlockTag) -> Block:
        """One header. Errors: `NodeBehind` beyond the head, `NodeError` where it is not recorded.

        A safe or finalized block above a lowered head is that head.
        """
        if ref == "latest":
            return self._head
        if isinstance(ref, int):
            return self._header(ref)
        number = self._recording.safe if ref == "safe" else self._recording.finalized
        if number is None:
            raise NodeBehind(f"the recording has no {ref} block: use --block latest")
        return self._header(min(number, self._head.number))

    async def blocks(self, numbers: Sequence[int]) -> list[Block]:
        """Headers in the given order. Errors as of `block`."""
        return [self._header(number) for number in numbers]

    async def logs(
        self, query: LogQuery, first_block: int, last_block: int
    ) -> AsyncIterator[LogPage]:
        """Errors: `NodeError` where any address, topic or block was not recorded."""
        if not query.addresses:
            raise ValueError("a query without addresses would ask for every log of the chain")
        self._refuse_beyond_head(last_block)
        gap = self._recording.coverage.first_gap(query, first_block, last_block)
        if gap is not None:
            raise NodeError(f"the recording has no {gap}: record it again with this query")
        wanted = frozenset(address.lower() for address in query.addresses)
        found: list[RawLog] = []
        start = bisect_left(self._log_blocks, first_block)
        for number in self._log_blocks[start : bisect_right(self._log_blocks, last_block)]:
            for _, log in sorted(self._recording.logs[number].items()):
                if log.address in wanted and _has_topic(log, query.topics0):
                    found.append(log)
            if len(found) >= _LOGS_PER_PAGE and number < last_block:
                yield LogPage(first_block, number, tuple(found))
                first_block, found = number + 1, []
        if first_block <= last_block:
            yield LogPage(first_block, last_block, tuple(found))

    async def calls(self, calls: Sequence[Call], block: Block) -> list[CallResult]:
        """Errors: `NodeError` where a view was not recorded at that block."""
        if not calls:
            return []
        self._refuse_beyond_head(block.number)
        known = self._recording.blocks.get(block.number)
        if known is not None and known.hash != block.hash:
            raise ReorgDetected(f"the recording has another block {block.number}: {known.hash}")
        answers = self._recording.calls.get(block.number, {})
        results = [answers.get((call.to.lower(), call.data)) for call in calls]
        for call, result in zip(calls, results, strict=True):
            if result is None:
                raise NodeError(
                    f"the recording has no answer of {call.to} to function "
                    f"0x{call.data[:4].hex()} at block {block.number}: record it again"
                )
        return [result for result in results if result is not None]

    async def aclose(self) -> None:
        """Nothing is open."""

    def _header(self, number: int) -> Block:
        self._refuse_beyond_head(number)
        if number not in self._recording.blocks:
            raise NodeError(f"the recording has no header of block {number}: record it again")
        return self._recording.blocks[number]

    def _refuse_beyond_head(self, number: int) -> None:
        if number > self._head.number:
            raise NodeBehind(f"the recording ends at block {self._head.number}, before {number}")


class Recorder:
    """Passes every question on to a ChainReader and remembers the answers.

    Errors of its own: `ReorgDetected` where the chain changed while it was being recorded.
    """

    def __init__(self, reader: ChainReader) -> None:
        self._reader = reader
        self._recording: Recording | None = None

    async def recording(self) -> Recording:
        """What was remembered so far; asks the chain for its id and head first if need be."""
        if self._recording is None:
            self._recording = Recording(
                chain_id=await self._reader.chain_id(), head=await self._reader.block("latest")
            )
        return self._recording

    async def save(self, path: Path | str) -> None:
        """Write what was remembered, before `aclose`. The head is the highest block asked for."""
        recording = await self.recording()
        recording.safe = await self._known(recording, "safe")
        recording.finalized = await self._known(recording, "finalized")
        write_recording(recording, Path(path))

    async def chain_id(self) -> int:
        """The chain's id by EIP-155."""
        return (await self.recording()).chain_id

    async def block(self, ref: int | BlockTag) -> Block:
        """One header."""
        recording = await self.recording()
        block = await self._reader.block(ref)
        self._remember(recording, [block])
        return block

    async def blocks(self, numbers: Sequence[int]) -> list[Block]:
        """Headers in the given order."""
        recording = await self.recording()
        blocks = await self._reader.blocks(numbers)
        self._remember(recording, blocks)
        return blocks

    async def logs(
        self, query: LogQuery, first_block: int, last_block: int
    ) -> AsyncIterator[LogPage]:
        """Pages, each remembered with the range for which it is complete."""
        recording = await self.recording()
        async for page in self._reader.logs(query, first_block, last_block):
            recording.add_logs(page.logs)
            recording.coverage.add(query, page.first_block, page.last_block)
            yield page

    async def calls(self, calls: Sequence[Call], block: Block) -> list[CallResult]:
        """The views' answers in the state after `block`."""
        recording = await self.recording()
        results = await self._reader.calls(calls, block)
        self._remember(recording, [block])
        for call, result in zip(calls, results, strict=True):
            recording.add_call(block.number, (call.to, call.data), result)
        return results

    async def aclose(self) -> None:
        """Close the reader. What was remembered stays and can still be saved."""
        await self._reader.aclose()

    def _remember(self, recording: Recording, blocks: Sequence[Block]) -> None:
        for block in blocks:
            recording.add_block(block)
            if block.number > recording.head.number:
                recording.head = block

    async def _known(self, recording: Recording, tag: BlockTag) -> int | None:
        """The tag's block number, not above the head, with its header remembered."""
        try:
            number = min((await self._reader.block(tag)).number, recording.head.number)
        except NodeError:
            # Some chains have no such block.
            return None
        recording.add_block(await self._reader.block(number))
        return number


def _has_topic(log: RawLog, topics0: tuple[bytes, ...]) -> bool:
    return not topics0 or (bool(log.topics) and log.topics[0] in topics0)
