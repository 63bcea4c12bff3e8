"""The receipts audit: the only one that sees a log missing among others of its kind in a block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from defirisk.chain.receipts import Receipts, RootDiffers
from defirisk.core.evm import Block, LogQuery, RawLog
from defirisk.indexing.audit.figures import Figures
from defirisk.indexing.audit.proofs import TRIES, Proofs
from defirisk.indexing.audit.settings import Auditable

REFUSED, UNANSWERED = 8, 6
"""Lists that gave another root, or rounds without any answer, after which receipts are given up
where not one was ever proven.
"""
UNPROVEN = "its receipts could not be proven against the header's receiptsRoot"
OTHER_RULE = "this chain's receiptsRoot follows another rule, or the node serves other receipts"
UNSERVED = "the node does not serve eth_getBlockReceipts"
STATE_SYNC = "Polygon's state-sync logs are in no receiptsRoot and no bloom: they are not audited"


class ReceiptsAudit:
    """Proves blocks by their receipts, and learns whether the chain's rule is known at all."""

    def __init__(self, reader: Auditable, figures: Figures, proofs: Proofs) -> None:
        self._reader = reader
        self._figures = figures
        self._proofs = proofs
        self._refused = 0
        self._unanswered = 0

    async def prove(
        self, headers: Sequence[Block], logs: Mapping[int, Sequence[RawLog]], query: LogQuery
    ) -> tuple[list[RawLog], list[Block]]:
        """The logs that were missing, and the blocks that could not be proven."""
        gained: list[RawLog] = []
        left = list(headers)
        self._figures.population += len(left)
        second = self._reader.second()
        for try_ in range(TRIES):
            if not left or self.useless:
                break
            asker = second if second is not None and try_ % 2 else self._reader
            answers = await asker.receipts(left)
            self._figures.calls += len(left)
            self._unanswered += not any(answers)
            again = []
            for header, answer in zip(left, answers, strict=True):
                if isinstance(answer, Receipts):
                    gained += self._missing(answer, logs.get(header.number, ()), query)
                else:
                    self._refused += isinstance(answer, RootDiffers)
                    again.append(header)
            left = again
        if self.useless:
            self._figures.note = OTHER_RULE if self._refused else UNSERVED
        return gained, left

    @property
    def useless(self) -> bool:
        """Whether no receipts ever gave a root, after enough of them."""
        given_up = self._refused >= REFUSED or self._unanswered >= UNANSWERED
        return not self._proofs.receipts_work and given_up

    def _missing(
        self, receipts: Receipts, known: Sequence[RawLog], query: LogQuery
    ) -> list[RawLog]:
        self._proofs.receipts_work = True
        self._figures.checked += 1
        if receipts.unproven:
            self._figures.note = STATE_SYNC
        ours = {log.log_index for log in known}
        missing = [log for log in receipts.logs(query) if log.log_index not in ours]
        self._figures.suspicious += bool(missing)
        self._figures.gained += len(missing)
        return missing
