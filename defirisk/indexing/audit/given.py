"""What an audit is given: pages of logs, and what was asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from defirisk.core.evm import Address, LogPage, LogQuery, RawLog


@dataclass(frozen=True, kw_only=True)
class Range:
    """Pages that follow each other, as the node gave them or the store has them. `topics` are those
    that each contract is asked for; the query asks for all of them of all contracts.
    """

    query: LogQuery
    topics: Mapping[Address, Collection[bytes]]
    pages: Sequence[LogPage]

    @property
    def first(self) -> int:
        """The first block."""
        return self.pages[0].first_block

    @property
    def last(self) -> int:
        """The last block."""
        return self.pages[-1].last_block

    @cached_property
    def logs(self) -> list[RawLog]:
        """All logs, in chain order."""
        return [log for page in self.pages for log in page.logs]

    def lacks(self, held: Iterable[RawLog], ours: Iterable[RawLog]) -> list[RawLog]:
        """The logs among those held elsewhere that we do not have, and that their contract is asked
        for: what the query finds besides may have come, or not.
        """
        known = {(log.block_number, log.log_index) for log in ours}
        return [
            log
            for log in held
            if (log.block_number, log.log_index) not in known
            and log.topics
            and log.topics[0] in self.topics.get(log.address, ())
        ]
