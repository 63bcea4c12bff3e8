"""The base layer of a snapshot on its way into the store, every value checked as it comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table

from defirisk.core.evm import Block
from defirisk.indexing import snapshot_export as members
from defirisk.store import snapshot_fields as field
from defirisk.store.base_tables import (
    asked_events,
    raw_calls,
    raw_logs,
    recent_blocks,
    unverified_ranges,
    verified_ranges,
)
from defirisk.store.bulk import insert_rows
from defirisk.store.raw import put_blocks
from defirisk.store.registry import (
    StoredChain,
)
from defirisk.store.snapshot_file import SnapshotFile

_ROWS_AT_ONCE = 5_000
_NO_PARENT = -1

_FIELDS: dict[str, tuple[tuple[str, field.Read], ...]] = {
    members.DEPLOYMENTS: (
        ("name", field.name),
        ("protocol", field.name),
        ("first block", field.number),
        ("contracts", field.table),
        ("follows", field.table),
    ),
    members.BLOCKS: (
        ("block", field.number),
        ("hash", field.block_hash),
        ("parent", field.block_hash),
        ("time", field.number),
    ),
    members.LOGS: (
        ("block", field.number),
        ("log index", field.small),
        ("transaction", field.block_hash),
        ("contract", field.address),
        ("topics", field.data),
        ("data", field.data),
    ),
    members.CALLS: (
        ("block", field.number),
        ("contract", field.address),
        ("calldata", field.data),
        ("ok", field.truth),
        ("answer", field.data),
    ),
    members.RANGES: (
        ("contract", field.address),
        ("first block", field.number),
        ("last block", field.number),
    ),
    members.EVENTS: (("contract", field.address), ("events", field.topics)),
    members.RECENT: (
        ("block", field.number),
        ("hash", field.block_hash),
        ("parent", field.block_hash),
    ),
    members.UNVERIFIED: (
        ("contract", field.address),
        ("first block", field.number),
        ("last block", field.number),
        ("audit", field.text(40)),
        ("reason", field.text(1_000)),
    ),
}
_KEYS = {
    members.BLOCKS: 1,
    members.LOGS: 2,
    members.CALLS: 3,
    members.RANGES: 2,
    members.EVENTS: 1,
    members.RECENT: 1,
}
"""How many leading values are a row's key: rows are in the order of their keys, each once."""


def rows_of(file: SnapshotFile, name: str) -> Iterator[list[Any]]:
    """Rows of a member as they are stored, checked one by one and in the order of their keys."""
    keys, before = _KEYS.get(name, 0), None
    for line, row in enumerate(file.rows(name), 1):
        try:
            found = field.read_row(_FIELDS[name], row)
        except ValueError as error:
            raise file.refused(f"line {line} of {name}: {error}") from error
        key = found[:keys]
        if before is not None and keys and key <= before:
            raise file.refused(f"line {line} of {name} comes twice, or out of order")
        before = key
        yield found


class Base:
    """The base layer of a snapshot on its way into the store."""

    def __init__(self, connection: Connection, file: SnapshotFile, chain: StoredChain) -> None:
        self._connection = connection
        self._file = file
        self._id = chain.chain_id
        self._last = chain.verified_to

    def store(self) -> Block:
        """Everything; returns the last block."""
        end = self._blocks()
        self._insert(raw_logs, members.LOGS, _LOG, self._logs())
        self._insert(raw_calls, members.CALLS, _CALL, self._calls())
        self._insert(verified_ranges, members.RANGES, _RANGE, self._ranges())
        self._insert(asked_events, members.EVENTS, _EVENT, rows_of(self._file, members.EVENTS))
        self._insert(recent_blocks, members.RECENT, _HEADER, rows_of(self._file, members.RECENT))
        self._insert(unverified_ranges, members.UNVERIFIED, _MARK, self._marks())
        return end

    def _insert(
        self, table: Table, name: str, columns: Sequence[str], rows: Iterator[Sequence[Any]]
    ) -> None:
        while some := [(self._id, *row) for row in islice(rows, _ROWS_AT_ONCE)]:
            insert_rows(self._connection, table, ("chain_id", *columns), some)

    def _blocks(self) -> Block:
        end: Block | None = None

        def headers() -> Iterator[Block]:
            nonlocal end
            for number, block_hash, parent, ts in rows_of(self._file, members.BLOCKS):
                header = Block(number=number, hash=block_hash, parent_hash=parent, timestamp=ts)
                if end is not None and end.number + 1 == number and end.hash != parent:
                    raise self._file.refused(f"block {number} does not follow the one before it")
                if end is not None and end.timestamp > ts:
                    raise self._file.refused(f"block {number} is older than the one before it")
                end = header
                yield header

        found = headers()
        while some := list(islice(found, _ROWS_AT_ONCE)):
            put_blocks(self._connection, self._id, some)
        stated = self._file.facts["block"]
        if end is None or (end.number, end.hash) != (self._last, stated["hash"]):
            raise self._file.refused("its last block is not the one that its manifest names")
        return end

    def _hashes(self) -> Callable[[int, str], str]:
        """The hash of each block, which has to be asked for in ascending order."""
        headers = rows_of(self._file, members.BLOCKS)
        at: list[Any] = [-1, ""]

        def hash_of(number: int, what: str) -> str:
            nonlocal at
            while at[0] < number:
                at = next(headers, [number + 1, ""])
            if at[0] != number:
                raise self._file.refused(f"{what} is of block {number}, which is not in it")
            return str(at[1])

        return hash_of

    def _logs(self) -> Iterator[Sequence[Any]]:
        hash_of = self._hashes()
        for number, index, tx, address, topics, data in rows_of(self._file, members.LOGS):
            if len(topics) % 32 or len(topics) > 4 * 32:
                raise self._file.refused(f"log {index} of block {number} has broken topics")
            cut = [topics[at : at + 32] or None for at in range(0, 4 * 32, 32)]
            yield number, index, hash_of(number, "a log"), tx, address, *cut, data

    def _calls(self) -> Iterator[Sequence[Any]]:
        hash_of = self._hashes()
        for number, address, calldata, ok, answer in rows_of(self._file, members.CALLS):
            yield number, address, calldata, hash_of(number, "an answer"), ok, answer

    def _ranges(self) -> Iterator[Sequence[Any]]:
        before = ("", _NO_PARENT)
        for address, first, last in rows_of(self._file, members.RANGES):
            overlaps = address == before[0] and first <= before[1] + 1
            if not first <= last <= self._last or overlaps:
                raise self._file.refused(f"{address} has a verified range that cannot be")
            before = (address, last)
            yield address, first, last

    def _marks(self) -> Iterator[Sequence[Any]]:
        now = int(time.time())
        for address, first, last, audit, reason in rows_of(self._file, members.UNVERIFIED):
            if not first <= last <= self._last:
                raise self._file.refused(f"{address} has an unverified range that cannot be")
            yield address, first, last, audit, reason, now


_LOG = (
    *("block_number", "evt_index", "block_hash", "tx_hash", "contract_address"),
    *("topic0", "topic1", "topic2", "topic3", "data"),
)
_CALL = ("block_number", "contract_address", "calldata", "block_hash", "ok", "answer")
_RANGE = ("contract_address", "first_block", "last_block")
_EVENT = ("contract_address", "topics")
_HEADER = ("block_number", "block_hash", "parent_hash")
_MARK = ("contract_address", "first_block", "last_block", "audit", "reason", "since_ts")
