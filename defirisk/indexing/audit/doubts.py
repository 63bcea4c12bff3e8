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
from defirisk.core.evm import Address, Block, RawLog
from defirisk.indexing.audit.given import Range
from defirisk.indexing.audit.proofs import Proofs
from defirisk.indexing.audit.settings import Auditable

REFUTED = "a log was served that its block does not have"


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
    def refuted(self) -> list[RawLog]:
        """Our logs that the block is proven not to have."""
        return [log for log in self.known if self.proven and log.log_index in self.unshown]

    @property
    def settled(self) -> bool:
        """Whether it is proven what the block holds, and we have nothing else."""
        return self.proven and not self.unshown

    def why(self, proofs: Proofs) -> str:
        """What is still in doubt, in words."""
        if self.proven:
            return REFUTED
        refused = "; the node refuses to give a block's logs without an address"
        unproven = "and nothing proved what its block holds" + refused * proofs.no_logs
        if self.lacking:
            address, topic = min(self.lacking)
            return f"the bloom shows a log of {address} (0x{topic.hex()[:8]}) {unproven}"
        return f"a log was served that the bloom does not show, {unproven}"

    def prove(self, proof: BlockLogs | Receipts, given: Range) -> None:
        """Takes what a proof holds of the whole query for all that there is."""
        held = proof.logs(given.query)
        self.gained = given.lacks(held, self.known)
        # Where some receipts are under no root, the log may be one of theirs.
        uncovered = isinstance(proof, Receipts) and proof.unproven
        self.unshown -= self.unshown if uncovered else {log.log_index for log in held}
        self.proven = True


async def settle(
    reader: Auditable, doubts: Sequence[Doubt], proofs: Proofs, given: Range
) -> list[Doubt]:
    """Asks until every block is proven or the tries are spent; returns the doubts that are left."""
    second = reader.second()
    for try_ in range(proofs.tries):
        left = [doubt for doubt in doubts if not doubt.proven]
        if not left:
            break
        asker = second if second is not None and try_ % 2 else reader
        blocks = [doubt.block for doubt in left]
        by_receipts = proofs.by_receipts(try_)
        answers = await (asker.receipts(blocks) if by_receipts else asker.block_logs(blocks))
        _weigh(left, answers, proofs, given)
    proofs.spent += sum(not doubt.proven for doubt in doubts)
    return [doubt for doubt in doubts if not doubt.settled]


def _weigh(
    doubts: Sequence[Doubt], answers: Sequence[object], proofs: Proofs, given: Range
) -> None:
    """An answer that is no proof is a false one where such proofs were ever had."""
    proofs.logs_work |= any(isinstance(answer, BlockLogs) for answer in answers)
    proofs.receipts_work |= any(isinstance(answer, Receipts) for answer in answers)
    for doubt, answer in zip(doubts, answers, strict=True):
        doubt.asked += 1
        match answer:
            case BlockLogs() | Receipts():
                doubt.prove(answer, given)
                proofs.catch(bool(doubt.gained))
            case BloomDiffers():
                proofs.catch(proofs.logs_work)
            case RootDiffers():
                proofs.catch(proofs.receipts_work)
            case NodeError():
                proofs.logs_refused += 1
