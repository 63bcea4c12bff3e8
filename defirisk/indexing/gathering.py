"""Fetches logs until nothing that is watched has a gap: what a log reveals is fetched in turn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

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

Gap = tuple[int, int, tuple[bytes, ...]]
"""First and last block, and the events of the contracts that it is missing of."""


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
            for (first, last, topics), addresses in sorted(gaps.items()):
                query = LogQuery(addresses=tuple(sorted(addresses)), topics0=topics)
                async for page in self._reader.logs(query, first, last):
                    await self._store_page(sources, addresses, page)
                    count += len(page.logs)
                    self._progress("logs", page.last_block - first + 1, last - first + 1)
        return count

    def _gaps(self, sources: Sequence[Source]) -> dict[Gap, set[Address]]:
        """Contracts by what is missing of them. Those with other events are asked for apart: a
        share's transfers are wanted, but not those of every token in the same blocks.
        """
        topics: dict[Address, set[bytes]] = defaultdict(set)
        missed: dict[Address, set[tuple[int, int]]] = defaultdict(set)
        with self._store.transaction() as connection:
            for source in sources:
                for contract in watched(connection, source.stored.id):
                    if not source.codecs.emits(contract):
                        continue
                    topics[contract.address].update(source.codecs.topics([contract]))
                    ranges = verified(connection, self._chain_id, contract.address)
                    gaps = missing(ranges, contract.first_block, self._target.number)
                    missed[contract.address].update(gaps)
        found: dict[Gap, set[Address]] = defaultdict(set)
        for address, gaps_of in missed.items():
            for first, last in gaps_of:
                found[first, last, tuple(sorted(topics[address]))].add(address)
        return found

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
