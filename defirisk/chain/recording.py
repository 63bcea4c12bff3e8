"""What was read from a chain, kept in memory: enough to be read again without the chain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from defirisk.chain.coverage import Coverage
from defirisk.core.errors import ReorgDetected, UsageError
from defirisk.core.evm import Address, Block, CallResult, RawLog

CallKey = tuple[Address, bytes]


@dataclass(slots=True, kw_only=True)
class Recording:
    """Headers, logs and views' answers of one chain. It grows while it is made.

    `safe` and `finalized` are block numbers, None where the node had none.
    """

    chain_id: int
    head: Block
    safe: int | None = None
    finalized: int | None = None
    blocks: dict[int, Block] = field(default_factory=dict)
    logs: dict[int, dict[int, RawLog]] = field(default_factory=dict)
    calls: dict[int, dict[CallKey, CallResult]] = field(default_factory=dict)
    coverage: Coverage = field(default_factory=Coverage)

    def __post_init__(self) -> None:
        self.add_block(self.head)

    def add_block(self, block: Block) -> None:
        """Errors: `ReorgDetected` where another block of that number is known."""
        self._refuse_other_hash(block.number, block.hash)
        self.blocks[block.number] = block

    def add_logs(self, logs: Iterable[RawLog]) -> None:
        """Errors: `ReorgDetected` where what was recorded at the same place differs."""
        for log in logs:
            self._refuse_other_hash(log.block_number, log.block_hash)
            of_block = self.logs.setdefault(log.block_number, {})
            if of_block.setdefault(log.log_index, log) != log:
                raise ReorgDetected(
                    f"log {log.log_index} of block {log.block_number} differs from what was "
                    "recorded before: record again from the start"
                )

    def _refuse_other_hash(self, number: int, block_hash: str) -> None:
        known = {log.block_hash for log in self.logs.get(number, {}).values()}
        if number in self.blocks:
            known.add(self.blocks[number].hash)
        if not known <= {block_hash}:
            raise ReorgDetected(
                f"block {number} was recorded as {min(known)} and is now {block_hash}: "
                "record again from the start"
            )

    def add_calls(
        self, block_number: int, answers: Iterable[tuple[Address, bytes, bytes | None]]
    ) -> None:
        """Put views' answers in: (contract, calldata, returned bytes, or None for a revert)."""
        for to, data, result in answers:
            self.add_call(block_number, (to, data), CallResult(result is not None, result or b""))

    def add_call(self, block_number: int, key: CallKey, result: CallResult) -> None:
        """Put one view's answer in, instead of an earlier one."""
        self.calls.setdefault(block_number, {})[key[0].lower(), key[1]] = result

    def merge(self, other: Recording) -> None:
        """Add all of another recording of the same chain; the higher head counts.

        Errors: `UsageError` where it is of another chain, `ReorgDetected` where the two contradict
        each other.
        """
        if other.chain_id != self.chain_id:
            raise UsageError(
                f"recordings of chains {self.chain_id} and {other.chain_id} cannot be merged"
            )
        for block in other.blocks.values():
            self.add_block(block)
        for logs in other.logs.values():
            self.add_logs(logs.values())
        for number, answers in other.calls.items():
            for key, result in answers.items():
                self.add_call(number, key, result)
        self.coverage.merge(other.coverage)
        if other.head.number > self.head.number:
            self.head, self.safe, self.finalized = other.head, other.safe, other.finalized
