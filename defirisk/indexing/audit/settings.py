"""How much is asked again to prove that no log is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args, runtime_checkable

from defirisk.chain.block_proofs import BlockLogs
from defirisk.chain.receipts import Receipts, RootDiffers
from defirisk.core.errors import NodeError
from defirisk.core.evm import Block, ChainReader

AuditMode = Literal["none", "sample", "bloom", "receipts"]
MODES: tuple[AuditMode, ...] = get_args(AuditMode)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSettings:
    """What a run audits.

    none: nothing but the head of the answering node. sample: blooms of blocks with logs, of all
    blocks near the head, and of `sampled_per_range` others in each range that was asked for; one
    range in `second_every` from a second endpoint. bloom: of all blocks. receipts: of all blocks,
    and the receipts of those that may hold a log. All but none compare totals where a run ends.
    """

    mode: AuditMode = "sample"
    seed: int = 1
    sampled_per_range: int = 16
    second_every: int = 20

    @property
    def every_block(self) -> bool:
        """Whether every block's header is looked at."""
        return self.mode in ("bloom", "receipts")


@runtime_checkable
class Auditable(ChainReader, Protocol):
    """A reader that can be asked again, block by block. A recording cannot."""

    async def block_logs(self, blocks: Sequence[Block]) -> list[BlockLogs | NodeError | None]:
        """All logs of each block, proven by its bloom; an error where they are no proof or where
        the node refuses; None where there was no sound answer.
        """

    async def receipts(self, blocks: Sequence[Block]) -> list[Receipts | RootDiffers | None]:
        """The proven receipts of each block; None where the node has none to give."""

    def second(self) -> Auditable | None:
        """The same chain through other endpoints; None where only one is known."""
