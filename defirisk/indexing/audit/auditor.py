"""What is asked again of each range of logs before it is taken for complete."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from defirisk.core.evm import Address, Block, ChainReader, LogPage, LogQuery, RawLog
from defirisk.indexing.audit.blooms import CAUGHT_NOW, UNSERVED, UNUSED, Blooms, by_block
from defirisk.indexing.audit.doubts import Doubt, settle
from defirisk.indexing.audit.figures import Figures, Unproven
from defirisk.indexing.audit.proofs import Proofs
from defirisk.indexing.audit.receipts import UNPROVEN, ReceiptsAudit
from defirisk.indexing.audit.settings import Auditable, AuditSettings

HEADERS_AT_ONCE = 1_000
AUDITS = ("bloom", "receipts", "second-endpoint", "conservation")


@dataclass(frozen=True, kw_only=True)
class Range:
    """Pages that follow each other, as the node gave them. `topics` are those that each contract
    is asked for; the query asks for all of them of all contracts.
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


class Sampled(NamedTuple):
    """A range of which `checked` headers were looked at, `always` of them whatever was drawn."""

    contracts: tuple[Address, ...]
    first: int
    last: int
    always: int
    checked: int


@dataclass(slots=True)
class Audited:
    """Headers of blocks with logs, logs that were missing, and what stays in doubt."""

    headers: dict[int, Block] = field(default_factory=dict)
    gained: list[RawLog] = field(default_factory=list)
    unproven: list[Unproven] = field(default_factory=list)

    def add(self, headers: Iterable[Block]) -> None:
        """Keeps headers."""
        self.headers.update((header.number, header) for header in headers)


class Auditor:
    """Audits the ranges of one run over one chain.

    Of `doubted` and `doubted_now` all headers are looked at, however little is audited otherwise:
    what an earlier run left in doubt, and what the totals of this one put in doubt. Once a node was
    caught leaving out logs, all headers are looked at, and what was only sampled is `distrusted`.
    """

    def __init__(
        self,
        reader: ChainReader,
        settings: AuditSettings,
        finalized: int | None,
        *,
        receipts_work: bool = False,
    ) -> None:
        self._reader = reader
        self._settings = settings
        self.figures = {name: Figures() for name in AUDITS}
        self.proofs = Proofs(receipts_work=receipts_work)
        self.doubted: list[tuple[int, int]] = []
        self.doubted_now: list[tuple[int, int]] = []
        self._sampled: list[Sampled] = []
        self.asks = reader if isinstance(reader, Auditable) and settings.mode != "none" else None
        self._blooms = Blooms(settings, finalized, self.figures["bloom"])
        self._receipts = (
            ReceiptsAudit(self.asks, self.figures["receipts"], self.proofs)
            if self.asks is not None and settings.mode == "receipts"
            else None
        )
        self._seconds = random.Random(f"second:{settings.seed}")

    async def audit(self, given: Range, unstored: Collection[int]) -> Audited:
        """Fetches the headers of `unstored` blocks with logs, and audits the range with them."""
        result = Audited()
        if self.asks is None:
            result.add(await self._headers(given, unstored))
            return result
        logs = by_block(given.logs)
        missing = await self._of_second(given)
        figures, length = self.figures["bloom"], given.last - given.first + 1
        chosen, always = self._chosen(given, logs)
        looked_at = {*unstored, *logs, *chosen}
        figures.population += length
        figures.always += always
        await self._look(given, looked_at, logs, result)
        await self._add(missing, result)
        if self.caught:
            if figures.note not in (UNUSED, UNSERVED):
                figures.note = CAUGHT_NOW
            chosen, now_always = self._chosen(given, logs)
            figures.always += now_always - always
            await self._look(given, chosen - looked_at, logs, result)
        elif len(looked_at) < length:
            sampled = Sampled(
                given.query.addresses, given.first, given.last, always, len(looked_at)
            )
            self._sampled.append(sampled)
        return result

    def distrusted(self) -> list[Sampled]:
        """The ranges to be read again, told once: the node was caught after they were sampled."""
        if not self.caught:
            return []
        told, self._sampled = self._sampled, []
        for one in told:
            self.figures["bloom"].population -= one.last - one.first + 1
            self.figures["bloom"].always -= one.always
            self.figures["bloom"].checked -= one.checked
        return told

    @property
    def proves(self) -> bool:
        """Whether receipts are asked for, which alone clear what they left unproven."""
        return self._receipts is not None

    @property
    def caught(self) -> bool:
        """Whether an answer was found to lack a log."""
        return self.proofs.false > 0

    def catch(self) -> None:
        """An answer lacked a log, as something else than headers showed, or an earlier run."""
        self.proofs.false += 1

    def _chosen(self, given: Range, logs: Collection[int]) -> tuple[set[int], int]:
        doubted = [*self.doubted, *self.doubted_now]
        return self._blooms.chosen(
            given.first, given.last, len(given.pages), logs, doubted, every=self.caught
        )

    async def _look(
        self,
        given: Range,
        wanted: Collection[int],
        logs: Mapping[int, Sequence[RawLog]],
        result: Audited,
    ) -> None:
        """Fetches headers, keeps those of blocks with logs, and compares all with the logs."""
        numbers = sorted(wanted)
        for at in range(0, len(numbers), HEADERS_AT_ONCE):
            headers = await self._reader.blocks(numbers[at : at + HEADERS_AT_ONCE])
            self.figures["bloom"].calls += len(headers)
            result.add(header for header in headers if header.number in logs)
            await self._compare(given, headers, logs, result)

    async def _headers(self, given: Range, unstored: Collection[int]) -> list[Block]:
        """Made of the logs where they tell the time: then no header is asked for."""
        made = {
            log.block_number: Block(
                number=log.block_number,
                hash=log.block_hash,
                parent_hash="",
                timestamp=log.timestamp,
            )
            for log in given.logs
            if log.timestamp is not None
        }
        if self._settings.mode == "none" and made.keys() >= set(unstored):
            return [made[number] for number in sorted(unstored)]
        return await self._reader.blocks(sorted(unstored))

    async def _compare(
        self,
        given: Range,
        headers: Sequence[Block],
        logs: Mapping[int, Sequence[RawLog]],
        result: Audited,
    ) -> None:
        doubts = self._blooms.doubts(headers, logs, given.topics)
        if self._receipts is not None:
            doubts = await self._prove(given, headers, logs, doubts, result)
        if not doubts or self.asks is None:
            return
        figures = self.figures["bloom"]
        figures.suspicious += len(doubts)
        unsettled = await settle(self.asks, doubts, self.proofs, given.query)
        for doubt in doubts:
            figures.calls += doubt.asked
            figures.gained += len(doubt.gained)
            if doubt.gained:
                result.add([doubt.block])
                result.gained += doubt.gained
        result.unproven += [self._mark(doubt) for doubt in unsettled]

    async def _prove(
        self,
        given: Range,
        headers: Sequence[Block],
        logs: Mapping[int, Sequence[RawLog]],
        doubts: Sequence[Doubt],
        result: Audited,
    ) -> list[Doubt]:
        """Receipts of blocks that may hold a log; returns the doubts that blooms must settle."""
        assert self._receipts is not None
        doubted = {doubt.block.number: doubt for doubt in doubts}
        held = [h for h in headers if h.number in logs or h.number in doubted]
        wanted = list(headers) if self._blooms.unused else held
        gained, left = await self._receipts.prove(wanted, logs, given.query)
        self.proofs.false += bool(gained)
        lost = {log.block_number for log in gained}
        result.gained += gained
        result.add(header for header in wanted if header.number in lost)
        if self._receipts.useless:
            return list(doubts)
        result.unproven += [
            Unproven(block.number, block.number, given.query.addresses, "receipts", UNPROVEN)
            for block in left
        ]
        return []

    async def _of_second(self, given: Range) -> list[RawLog]:
        """Logs that only a second endpoint has; one range in some is asked for there."""
        second = self.asks.second() if self.asks is not None else None
        if second is None:
            return []
        figures = self.figures["second-endpoint"]
        found: list[RawLog] = []
        for page in given.pages:
            figures.population += 1
            if self._seconds.randrange(self._settings.second_every):
                continue
            figures.checked += 1
            async for theirs in second.logs(given.query, page.first_block, page.last_block):
                figures.calls += 1
                found += theirs.logs
        ours = {(log.block_number, log.log_index) for log in given.logs}
        return [log for log in found if (log.block_number, log.log_index) not in ours]

    async def _add(self, missing: Sequence[RawLog], result: Audited) -> None:
        known = {(log.block_number, log.log_index) for log in result.gained}
        fresh = [log for log in missing if (log.block_number, log.log_index) not in known]
        if not fresh:
            return
        figures = self.figures["second-endpoint"]
        figures.suspicious += 1
        figures.gained += len(fresh)
        self.catch()
        result.gained += fresh
        numbers = {log.block_number for log in fresh} - result.headers.keys()
        result.add(await self._reader.blocks(sorted(numbers)))

    def _mark(self, doubt: Doubt) -> Unproven:
        number, why = doubt.block.number, doubt.why(self.proofs)
        return Unproven(number, number, doubt.contracts, "bloom", why)
