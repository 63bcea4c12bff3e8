"""What a run learned of its node: whether it lost a log, and which proofs it can give."""

from __future__ import annotations

from dataclasses import dataclass

TRIES = 24
"""Times a block is asked for before it is left unverified."""
HOPELESS = 8
"""Times after that, while no block was ever proven."""
REFUSED = 8
"""Refusals of a block's logs without an address, after which they are asked for less."""
OTHER_EVERY = 4
"""One pair of tries in so many is by the proof that is not preferred."""


@dataclass(slots=True)
class Proofs:
    """`false` answers lacked a log. `logs_work`, `receipts_work`: such proofs were had, so that an
    answer that is none is not all there. `logs_refused`, `spent`: refusals of a block's logs
    without an address, and blocks that all tries were spent on.
    """

    false: int = 0
    logs_work: bool = False
    receipts_work: bool = False
    logs_refused: int = 0
    spent: int = 0

    @property
    def tries(self) -> int:
        """How often a block is asked for."""
        return TRIES if self.logs_work or self.receipts_work or not self.spent else HOPELESS

    @property
    def no_logs(self) -> bool:
        """Whether the node does not give a block's logs without an address."""
        return not self.logs_work and self.logs_refused >= REFUSED

    def by_receipts(self, try_: int) -> bool:
        """Whether receipts are asked for: what works is preferred, and the other not forgotten.

        Tries go in pairs, so that each of two endpoints is asked for both.
        """
        preferred = self.no_logs or (self.receipts_work and not self.logs_work)
        other = try_ // 2 % OTHER_EVERY == OTHER_EVERY - 1
        return preferred is not other
