"""Blocks whose header and logs do not fit are asked for until it is proven what they hold.

A hit in a bloom is only a maybe, and an answer without the log says nothing, however often it
comes: a node may leave out the same log each time. A proof is an answer that the header confirms:
all logs of the block, which give its bloom, or all receipts, which give its root.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from defirisk.chain.block_proofs import BlockLogs, BloomDiffers
from defirisk.chain.bloom import Pair
from defirisk.chain.receipts import Receipts, RootDiffers
from defirisk.core.errors import NodeError
from defirisk.core.evm import Address, Block, LogQuery, RawLog
from defirisk.indexing.audit.proofs import Proofs
from defirisk.indexing.audit.settings import Auditable


@dataclass(slots=True)
class Doubt:
    """A block of which a log may be missing, or which may have none of those we were given.

    `known` are our logs of it that the whole query finds, `lacking` what its bloom shows and we do
    not have, `unshown` the indexes of logs that its bloom does not show; once `proven`, only of
    those that the block does not have.
    """

    block: Block
    known: list[RawLog]
    lacking: set[Pair]
    unshown: set[int] = field(default_factory=set)
    gained: list[RawLog] = field(default_factory=list)
    asked: int = 0
    proven: bool = False

    @property
    def contracts(self) -> tuple[Address, ...]:
        """Those whose logs are in doubt."""
        unshown = {log.address for log in self.known if log.log_index in self.unshown}
        return tuple(sorted(unshown | {address for address, _ in self.lacking}))

    @property
    def settled(self) -> bool:
        """Whether it is proven what the block holds, and we have nothing else."""
        return self.proven and not self.unshown

    def why(self, proofs: Proofs) -> str:
        """What is still in doubt, in words."""
        if self.proven:
            return "a log was served that its block does not have"
        refused = "; the node refuses to give a block's logs without an address"
        unproven = "and nothing proved what its block holds" + refused * proofs.no_logs
        if self.lacking:
            address, topic = min(self.lacking)
            return f"the bloom shows a log of {address} (0x{topic.hex()[:8]}) {unproven}"
        return f"a log was served that the bloom does not show, {unproven}"

    def prove(self, proof: BlockLogs | Receipts, query: LogQuery) -> None:
        """Takes what a proof holds of the whole query for all that there is."""
        held = proof.logs(query)
        ours = {log.log_index for log in self.known}
        self.gained = [log for log in held if log.log_index not in ours]
        # Where some receipts are under no root, the log may be one of theirs.
        uncovered = isinstance(proof, Receipts) and proof.unproven
        self.unshown -= self.unshown if uncovered else {log.log_index for log in held}
        self.proven = True


async def settle(
    reader: Auditable, doubts: Sequence[Doubt], proofs: Proofs, query: LogQuery
) -> list[Doubt]:
    """Asks until every block is proven or the tries are spent; returns the doubts that are left."""
    second = reader.second()
    for try_ in range(proofs.tries):
        left = [doubt for doubt in doubts if not doubt.proven]
        if not left:
            break
        asker = second if second is not None and try_ % 2 else reader
        if proofs.by_receipts(try_):
            await _by_receipts(asker, left, proofs, query)
        else:
            await _by_logs(asker, left, proofs, query)
    proofs.spent += sum(not doubt.proven for doubt in doubts)
    proofs.false += sum(bool(doubt.gained) for doubt in doubts)
    return [doubt for doubt in doubts if not doubt.settled]


async def _by_logs(
    reader: Auditable, doubts: Sequence[Doubt], proofs: Proofs, query: LogQuery
) -> None:
    answers = await reader.block_logs([doubt.block for doubt in doubts])
    proofs.logs_work |= any(isinstance(answer, BlockLogs) for answer in answers)
    for doubt, answer in zip(doubts, answers, strict=True):
        doubt.asked += 1
        if isinstance(answer, BlockLogs):
            doubt.prove(answer, query)
        elif isinstance(answer, BloomDiffers):
            proofs.false += proofs.logs_work
        else:
            proofs.logs_refused += isinstance(answer, NodeError)


async def _by_receipts(
    reader: Auditable, doubts: Sequence[Doubt], proofs: Proofs, query: LogQuery
) -> None:
    answers = await reader.receipts([doubt.block for doubt in doubts])
    proofs.receipts_work |= any(isinstance(answer, Receipts) for answer in answers)
    for doubt, answer in zip(doubts, answers, strict=True):
        doubt.asked += 1
        if isinstance(answer, Receipts):
            doubt.prove(answer, query)
        elif isinstance(answer, RootDiffers):
            proofs.false += proofs.receipts_work
