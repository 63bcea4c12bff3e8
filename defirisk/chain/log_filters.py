"""Which eth_getLogs filters a query becomes: few groups of addresses, or its topics alone.

Where a query names more contracts than a filter bears (the children of a factory), asking for its
events by all contracts and dropping the strangers' logs may be cheaper. What it costs is known
after each page, and compared. Events that every token emits are never asked for in this way.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from eth_hash.auto import keccak

from defirisk.chain.range_size import RangeSettings
from defirisk.chain.wire import LogFilter, groups_of
from defirisk.core.evm import LogQuery

_EVERYBODYS = frozenset(
    keccak(signature)
    for signature in (
        b"Transfer(address,address,uint256)",
        b"Approval(address,address,uint256)",
        b"ApprovalForAll(address,address,bool)",
    )
)


@dataclass(slots=True)
class Price:
    """What a query by topics brought: over `blocks`, logs `kept`, and `dropped` as strangers'."""

    blocks: int = 0
    kept: int = 0
    dropped: int = 0
    refused: bool = False

    def worth_it(self, groups: int, widest: int, target_logs: int) -> bool:
        """Whether fewer calls are needed than with `groups` filters by address.

        Both are bound by `widest` blocks and by `target_logs` logs per answer. Where nothing is
        known yet it is tried.
        """
        if self.refused or not self.blocks:
            return not self.refused

        def width(logs: int, share: int) -> int:
            return min(widest, target_logs * share * self.blocks // max(1, logs))

        return width(self.kept + self.dropped, 1) * groups >= width(self.kept, groups)


@dataclass(slots=True)
class FilterChoice:
    """How to ask one node; what it learns of the node lasts as long as it does."""

    settings: RangeSettings
    _per_filter: int = 0
    _prices: dict[tuple[bytes, ...], Price] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._per_filter = max(1, self.settings.addresses_per_filter)

    def filters(
        self, query: LogQuery, first_block: int, last_block: int, widest: int
    ) -> list[LogFilter]:
        """The filters that ask for a query's logs in a range. `widest`: blocks the node bears."""
        groups = groups_of(query.addresses, self._per_filter)
        by_topics = (
            len(groups) > 1
            and bool(query.topics0)
            and _EVERYBODYS.isdisjoint(query.topics0)
            and self._price(query).worth_it(len(groups), max(1, widest), self.settings.target_logs)
        )
        return [
            LogFilter(
                addresses=group,
                topics0=query.topics0,
                first_block=first_block,
                last_block=last_block,
                by_topics=by_topics,
            )
            for group in ([frozenset().union(*groups)] if by_topics else groups)
        ]

    def answered(self, query: LogQuery, blocks: int, kept: int, dropped: int) -> None:
        """A range was asked for by topics."""
        price = self._price(query)
        price.blocks += blocks
        price.kept += kept
        price.dropped += dropped

    def refused(self, query: LogQuery) -> None:
        """A query was refused for what it holds: its strangers are too many."""
        self._price(query).refused = True

    def fewer(self) -> bool:
        """Name half as many addresses in a filter from now on; False where that cannot be."""
        if self._per_filter == 1:
            return False
        self._per_filter //= 2
        return True

    def _price(self, query: LogQuery) -> Price:
        return self._prices.setdefault(query.topics0, Price())
