"""Fetches logs until nothing that is watched has a gap: what a log reveals is fetched in turn."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from time import time
from types import MappingProxyType

from eth_hash.auto import keccak
from sqlalchemy import Connection

from defirisk.core.errors import ReorgDetected
from defirisk.core.evm import Address, Block, ChainReader, Hash, LogPage, LogQuery, RawLog
from defirisk.indexing.audit.auditor import Audited, Auditor
from defirisk.indexing.audit.figures import Unproven
from defirisk.indexing.audit.given import Range
from defirisk.indexing.audit.keeping import keep_figures
from defirisk.indexing.audit.settings import AuditSettings
from defirisk.indexing.codecs import by_address
from defirisk.indexing.discovery import register
from defirisk.indexing.garbage import rarely_collected
from defirisk.indexing.regained import rewind_behind
from defirisk.indexing.source import Progress, Source
from defirisk.store.asked import ask_for
from defirisk.store.database import Store
from defirisk.store.ranges import add_verified, missing, verified
from defirisk.store.raw import StoredLog, known_hashes, put_blocks, put_logs
from defirisk.store.registry import watched
from defirisk.store.unverified import (
    Unverified,
    clear_unverified,
    put_unverified,
    take_back,
    unverified,
)

Gap = tuple[int, int, bool]
"""First and last block, and whether transfers are among what is wanted."""
TRANSFER = keccak(b"Transfer(address,address,uint256)")

HEADERS_PER_STEP = 400
"""Blocks with logs that are waited for before a step is stored: with those of a sample they are
five requests' worth of headers."""
LOGS_PER_STEP = 20_000
PAGES_PER_STEP = 16
GATHERED = ("bloom", "receipts", "second-endpoint")
"""The audits of ranges, whose marks a range that is gathered again without doubt clears."""


class Gatherer:
    """Fills the base layer up to one block."""

    def __init__(
        self,
        reader: ChainReader,
        store: Store,
        chain_id: int,
        target: Block,
        progress: Progress,
        auditor: Auditor | None = None,
    ) -> None:
        self._reader = reader
        self._store = store
        self._chain_id = chain_id
        self._target = target
        self._progress = progress
        self._auditor = auditor or Auditor(reader, AuditSettings(mode="none"), None)
        self._topics: dict[Address, set[bytes]] = {}
        self._given_up: dict[Address, list[tuple[int, int]]] = defaultdict(list)

    async def gather(self, sources: Sequence[Source]) -> int:
        """Fetches every gap of every watched contract; returns how many logs came.

        What an audit leaves in doubt is marked, and asked for again by the next run.
        """
        with rarely_collected():
            return await self._gather(sources)

    async def _gather(self, sources: Sequence[Source]) -> int:
        count = 0
        while gaps := self._gaps(sources) or self._sampled_before(sources):
            for (first, last, _), (addresses, topics) in sorted(gaps.items()):
                query = LogQuery(addresses=tuple(sorted(addresses)), topics0=tuple(sorted(topics)))
                async for given, audited in self._audited(query, first, last):
                    count += self._store_range(sources, given, audited)
                    self._progress("logs", given.last - first + 1, last - first + 1)
        return count

    def _sampled_before(
        self, sources: Sequence[Source]
    ) -> dict[Gap, tuple[set[Address], set[bytes]]]:
        """What was gathered on the word of a node that was caught since: it is read once more."""
        with self._store.transaction() as connection:
            taken_back = self._take_back(connection)
        return self._gaps(sources) if taken_back else {}

    def _take_back(self, connection: Connection) -> bool:
        distrusted = self._auditor.distrusted()
        for one in distrusted:
            take_back(connection, self._chain_id, one.contracts, one.first, one.last)
        return bool(distrusted)

    def give_up(self, marks: Iterable[Unproven]) -> None:
        """Marks ranges; they are no gaps of this run, but of the next."""
        with self._store.transaction() as connection:
            self._mark(connection, marks)

    def _gaps(self, sources: Sequence[Source]) -> dict[Gap, tuple[set[Address], set[bytes]]]:
        """The contracts and events that are missing of each range.

        Every contract is asked for the events of all in one query, which costs nothing but for
        transfers: those of a vault's shares are wanted, but not those of every other token.
        """
        topics: dict[Address, set[bytes]] = defaultdict(set)
        missed: dict[Address, set[tuple[int, int]]] = defaultdict(set)
        with self._store.transaction() as connection:
            emitting = [
                (source, contract)
                for source in sources
                for contract in watched(connection, source.stored.id)
                if source.codecs.emits(contract)
            ]
            for source, contract in emitting:
                topics[contract.address].update(source.codecs.topics([contract]))
            ask_for(connection, self._chain_id, topics)
            for _, contract in emitting:
                ranges = verified(connection, self._chain_id, contract.address)
                done = [*ranges, *self._given_up.get(contract.address, ())]
                gaps = missing(done, contract.first_block, self._target.number)
                missed[contract.address].update(gaps)
            marks = unverified(connection, self._chain_id)
        self._topics = topics
        self._auditor.doubted = [(mark.first_block, mark.last_block) for mark in marks]
        found: dict[Gap, tuple[set[Address], set[bytes]]] = {}
        for address, gaps_of in missed.items():
            for first, last in gaps_of:
                gap = (first, last, TRANSFER in topics[address])
                addresses, wanted = found.setdefault(gap, (set(), set()))
                addresses.add(address)
                wanted.update(topics[address])
        return found

    async def _audited(
        self, query: LogQuery, first: int, last: int
    ) -> AsyncIterator[tuple[Range, Audited]]:
        """Ranges with what their audit found; while one is audited, the next is being read."""
        topics = {address: self._topics[address] for address in query.addresses}
        pending: tuple[Range, asyncio.Task[Audited]] | None = None
        try:
            async for pages in _steps(self._reader.logs(query, first, last)):
                given = Range(query=query, topics=topics, pages=pages)
                before, pending = pending, (given, asyncio.create_task(self._audit(given)))
                if before is not None:
                    yield before[0], await before[1]
            if pending is not None:
                yield pending[0], await pending[1]
        finally:
            if pending is not None:
                pending[1].cancel()
                await asyncio.gather(pending[1], return_exceptions=True)

    async def _audit(self, given: Range) -> Audited:
        numbers = {log.block_number for log in given.logs}
        with self._store.transaction() as connection:
            hashes = known_hashes(connection, self._chain_id, numbers)
        audited = await self._auditor.audit(given, numbers - hashes.keys())
        _same_blocks(given.logs, hashes | {h.number: h.hash for h in audited.headers.values()})
        return audited

    def _store_range(self, sources: Sequence[Source], given: Range, audited: Audited) -> int:
        """Audited logs, their headers, the range and what they reveal: one transaction."""
        logs = sorted(
            [*given.logs, *audited.gained], key=lambda log: (log.block_number, log.log_index)
        )
        with self._store.transaction() as connection:
            put_blocks(connection, self._chain_id, audited.headers.values())
            rewind_behind(connection, self._chain_id, logs)
            put_logs(connection, self._chain_id, logs)
            self._settle(connection, given, audited)
            self._discover(connection, sources, logs, audited.headers)
            self._take_back(connection)
            keep_figures(connection, self._chain_id, self._auditor)
        return len(logs)

    def _settle(self, connection: Connection, given: Range, audited: Audited) -> None:
        """The range is complete, but for what stays in doubt."""
        addresses, chain_id = given.query.addresses, self._chain_id
        marks = unverified(connection, chain_id)
        since = {mark[:4]: mark.since_ts for mark in marks}
        clear_unverified(connection, chain_id, addresses, given.first, given.last, GATHERED)
        add_verified(connection, chain_id, addresses, given.first, given.last)
        kept = () if self._auditor.proves else _unproven(marks, given)
        self._mark(connection, [*audited.unproven, *kept], since)

    def _mark(
        self,
        connection: Connection,
        marks: Iterable[Unproven],
        since: Mapping[tuple[Address, int, int, str], int] = MappingProxyType({}),
    ) -> None:
        now = int(time())
        rows = []
        for mark in marks:
            for contract in mark.contracts:
                self._given_up[contract].append((mark.first_block, mark.last_block))
                key = contract, mark.first_block, mark.last_block, mark.audit
                rows.append(Unverified(*key, mark.reason, since.get(key, now)))
        put_unverified(connection, self._chain_id, rows)

    def _discover(
        self,
        connection: Connection,
        sources: Sequence[Source],
        logs: Sequence[RawLog],
        headers: Mapping[int, Block],
    ) -> None:
        stored = [
            StoredLog(
                log.block_number,
                _time_of(log, headers),
                log.log_index,
                log.address,
                log.topics,
                log.data,
            )
            for log in logs
        ]
        for source in sources:
            if not source.codecs.reveals:
                continue
            known = watched(connection, source.stored.id)
            contracts = by_address(c for c in known if source.codecs.emits(c))
            for log in source.codecs.decode_all(contracts, stored):
                found = source.adapter.discover(source.stored.deployment, log)
                register(connection, source.stored, found, log.block_number)


def _unproven(marks: Iterable[Unverified], given: Range) -> Iterator[Unproven]:
    """What receipts could not prove is only cleared by receipts."""
    for mark in marks:
        inside = given.first <= mark.first_block and mark.last_block <= given.last
        if mark.audit == "receipts" and inside and mark.contract in given.query.addresses:
            contracts = (mark.contract,)
            yield Unproven(mark.first_block, mark.last_block, contracts, mark.audit, mark.reason)


async def _steps(pages: AsyncIterator[LogPage]) -> AsyncIterator[list[LogPage]]:
    """Pages that follow each other, as many as are stored in one step."""
    step: list[LogPage] = []
    numbers: set[int] = set()
    count = 0
    async for page in pages:
        step.append(page)
        numbers.update(log.block_number for log in page.logs)
        count += len(page.logs)
        full = len(numbers) >= HEADERS_PER_STEP or count >= LOGS_PER_STEP
        if full or len(step) >= PAGES_PER_STEP:
            yield step
            step, numbers, count = [], set(), 0
    if step:
        yield step


def _time_of(log: RawLog, headers: Mapping[int, Block]) -> int:
    if log.timestamp is not None:
        return log.timestamp
    header = headers.get(log.block_number)
    return header.timestamp if header else 0


def _same_blocks(logs: Iterable[RawLog], hashes: Mapping[int, Hash]) -> None:
    for log in logs:
        if hashes[log.block_number] != log.block_hash:
            raise ReorgDetected(
                f"block {log.block_number} was replaced while it was read: run the command again"
            )
