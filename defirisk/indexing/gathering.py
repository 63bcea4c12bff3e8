"""Fetches logs until nothing that is watched has a gap: what a log reveals is fetched in turn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from defirisk.core.adapter import Contract
from defirisk.core.errors import ReorgDetected
from defirisk.core.evm import Address, Block, ChainReader, Hash, LogPage, LogQuery
from defirisk.indexing.codecs import by_address
from defirisk.indexing.discovery import register
from defirisk.indexing.source import Progress, Source
from defirisk.store.database import Store
from defirisk.store.raw import (
    StoredLog,
    add_verified,
    known_hashes,
    missing,
    put_blocks,
    put_logs,
    verified,
)
from defirisk.store.registry import watched

Gap = tuple[int, int]


class Gatherer:
    """Fills the base layer up to one block."""

    def __init__(
        self,
        reader: ChainReader,
        store: Store,
        chain_id: int,
        target: Block,
        progress: Progress,
    ) -> None:
        self._reader = reader
        self._store = store
        self._chain_id = chain_id
        self._target = target
        self._progress = progress

    async def gather(self, sources: Sequence[Source]) -> int:
        """Fetches every gap of every watched contract; returns how many logs came."""
        count = 0
        while gaps := self._gaps(sources):
            for (first, last), addresses in sorted(gaps.items()):
                topics = {t for s in sources for t in s.codecs.topics(self._watched(s, addresses))}
                query = LogQuery(addresses=tuple(sorted(addresses)), topics0=tuple(sorted(topics)))
                async for page in self._reader.logs(query, first, last):
                    await self._store_page(sources, addresses, page)
                    count += len(page.logs)
                    self._progress("logs", page.last_block - first + 1, last - first + 1)
        return count

    def _watched(self, source: Source, addresses: set[Address]) -> list[Contract]:
        with self._store.transaction() as connection:
            contracts = watched(connection, source.stored.id)
        return [c for c in contracts if c.address in addresses and source.codecs.emits(c)]

    def _gaps(self, sources: Sequence[Source]) -> dict[Gap, set[Address]]:
        gaps: dict[Gap, set[Address]] = defaultdict(set)
        with self._store.transaction() as connection:
            for source in sources:
                for contract in watched(connection, source.stored.id):
                    if not source.codecs.emits(contract):
                        continue
                    ranges = verified(connection, self._chain_id, contract.address)
                    for gap in missing(ranges, contract.first_block, self._target.number):
                        gaps[gap].add(contract.address)
        return gaps

    async def _store_page(
        self, sources: Sequence[Source], addresses: set[Address], page: LogPage
    ) -> None:
        """Logs, their headers, the range and what the logs reveal: one transaction."""
        numbers = {log.block_number for log in page.logs}
        with self._store.transaction() as connection:
            hashes = known_hashes(connection, self._chain_id, numbers)
        headers = await self._reader.blocks(sorted(numbers - hashes.keys()))
        _same_blocks(page, hashes | {header.number: header.hash for header in headers})
        times = {header.number: header.timestamp for header in headers}
        logs = [
            StoredLog(
                log.block_number,
                times.get(log.block_number, 0),
                log.log_index,
                log.address,
                log.topics,
                log.data,
            )
            for log in page.logs
        ]
        with self._store.transaction() as connection:
            put_blocks(connection, self._chain_id, headers)
            put_logs(connection, self._chain_id, page.logs)
            add_verified(connection, self._chain_id, addresses, page.first_block, page.last_block)
            for source in sources:
                contracts = by_address(watched(connection, source.stored.id))
                for log in source.codecs.decode_all(contracts, logs):
                    found = source.adapter.discover(source.stored.deployment, log)
                    register(connection, source.stored, found, log.block_number)


def _same_blocks(page: LogPage, hashes: Mapping[int, Hash]) -> None:
    for log in page.logs:
        if hashes[log.block_number] != log.block_hash:
            raise ReorgDetected(
                f"block {log.block_number} was replaced while it was read: run the command again"
            )
