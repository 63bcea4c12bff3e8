"""Fetches logs until nothing that is watched has a gap: what a log reveals is fetched in turn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from eth_hash.auto import keccak

from defirisk.core.errors import ReorgDetected
from defirisk.core.evm import Address, Block, ChainReader, Hash, LogPage, LogQuery
from defirisk.indexing.codecs import by_address
from defirisk.indexing.discovery import register
from defirisk.indexing.source import Progress, Source
from defirisk.store.asked import ask_for
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

Gap = tuple[int, int, bool]
"""First and last block, and whether transfers are among what is wanted."""
TRANSFER = keccak(b"Transfer(address,address,uint256)")


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
            for (first, last, _), (addresses, topics) in sorted(gaps.items()):
                query = LogQuery(addresses=tuple(sorted(addresses)), topics0=tuple(sorted(topics)))
                async for page in self._reader.logs(query, first, last):
                    await self._store_page(sources, addresses, page)
                    count += len(page.logs)
                    self._progress("logs", page.last_block - first + 1, last - first + 1)
        return count

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
                gaps = missing(ranges, contract.first_block, self._target.number)
                missed[contract.address].update(gaps)
        found: dict[Gap, tuple[set[Address], set[bytes]]] = {}
        for address, gaps_of in missed.items():
            for first, last in gaps_of:
                gap = (first, last, TRANSFER in topics[address])
                addresses, wanted = found.setdefault(gap, (set(), set()))
                addresses.add(address)
                wanted.update(topics[address])
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
