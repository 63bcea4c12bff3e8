"""Takes what somebody else read of a chain, and makes everything derived of it here.

The file may come from anybody: every digest is checked before anything is written, and every value
on the way in. What it says of the chain is as true as its sender; a node can be asked about it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete

from defirisk.chain.words import DecodeError
from defirisk.core.adapter import Deployment
from defirisk.core.errors import StoreError, UsageError
from defirisk.core.evm import Block, ChainReader
from defirisk.core.plugins import adapters
from defirisk.indexing import snapshot_export as members
from defirisk.indexing.codecs import Codecs
from defirisk.indexing.deployments import parse
from defirisk.indexing.rederiving import NOTHING, rederive_chain
from defirisk.indexing.source import Progress, Source, silent
from defirisk.store import snapshot_fields as field
from defirisk.store.base_tables import (
    asked_events,
    deployments,
    raw_calls,
    raw_logs,
    recent_blocks,
    unverified_ranges,
    verifications,
    verified_ranges,
)
from defirisk.store.bulk import insert_rows
from defirisk.store.database import Store
from defirisk.store.derived import undo_after
from defirisk.store.leases import leased
from defirisk.store.raw import forget_after, put_blocks
from defirisk.store.registry import (
    StoredChain,
    find_chain,
    find_deployment,
    forget_tokens_after,
    forget_watched_after,
    put_chain,
    put_deployment,
    stored_deployments,
)
from defirisk.store.reorgs import forget_recent
from defirisk.store.snapshot_file import SnapshotFile, SnapshotRefused, opened_snapshot

_ROWS_AT_ONCE = 5_000
_NO_PARENT = -1
_NONSENSE = (DecodeError, ValueError, ArithmeticError, LookupError, AssertionError)
"""What adapters raise of logs that no contract emitted."""
SAMPLE = 50
"""Blocks that a node is asked about."""

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


@dataclass(frozen=True, slots=True)
class Imported:
    """What was taken over, and how many versions of rows were made of it."""

    chain_id: int
    block: Block
    logs: int
    rows: int
    complete: bool
    digest: str


def import_snapshot(
    store: Store, path: Path, progress: Progress = silent, expected: str | None = None
) -> Imported:
    """Stores a snapshot of a chain of which the store has nothing, and derives all that follows.

    `expected` is the digest that the sender named. Errors: `SnapshotRefused` where the file is not
    what it has to be, `StoreError` where the store has that chain. Nothing is stored then.
    """
    with opened_snapshot(path, members.MEMBERS) as file:
        if expected is not None and file.digest != expected.lower():
            raise file.refused(f"its digest is {file.digest}, not the one that you were told")
        file.check()
        chain = _chain(file)
        with leased(store, f"chain {chain.chain_id}"):
            with store.transaction() as connection:
                sources, end = _store_base(connection, file, chain)
            try:
                rows = rederive_chain(store, sources, end, progress)
            except BaseException as error:
                with store.transaction() as connection:
                    _drop(connection, sources)
                if isinstance(error, _NONSENSE):
                    raise file.refused(f"its logs make no sense ({error})") from error
                raise
            with store.transaction() as connection:
                put_chain(connection, chain)
        complete = file.facts.get("complete") is True
        logs = file.count(members.LOGS)
    return Imported(chain.chain_id, end, logs, rows, complete, file.digest)


async def compare_with_node(path: Path, reader: ChainReader, most: int = SAMPLE) -> int:
    """Asks a node about the last block of a snapshot and a sample of the others; returns of how
    many. Errors: `SnapshotRefused` where one is another block there.
    """
    with opened_snapshot(path, members.MEMBERS) as file:
        file.check()
        chain_id = _chain(file).chain_id
        if (served := await reader.chain_id()) != chain_id:
            raise UsageError(f"the node serves chain {served}, the snapshot is of {chain_id}")
        count = file.count(members.BLOCKS)
        chosen = {count - 1, *random.Random(file.digest).sample(range(count), min(most, count))}
        sample = [row for at, row in enumerate(_rows(file, members.BLOCKS)) if at in chosen]
    found = await reader.blocks([row[0] for row in sample])
    for row, header in zip(sample, found, strict=True):
        if [header.number, header.hash, header.parent_hash, header.timestamp] != row:
            raise file.refused(f"block {row[0]} is {row[1]} in it, and {header.hash} at the node")
    return len(sample)


def _chain(file: SnapshotFile) -> StoredChain:
    """The chain that a manifest states."""
    try:
        facts = file.facts
        finalized = facts["finalized"]
        chain = StoredChain(
            chain_id=field.number(facts["chain_id"]),
            verified_to=field.number(facts["block"]["number"]),
            head=field.number(facts["head"]["number"]),
            head_ts=field.number(facts["head"]["timestamp"]),
            finalized=None if finalized is None else field.number(finalized),
            reorgs=0,
        )
        field.block_hash(facts["block"]["hash"])
    except (KeyError, TypeError, ValueError) as error:
        raise file.refused("its manifest lacks what a chain is known by") from error
    if chain.chain_id == members.IMPORTED_CHAIN:
        raise file.refused("chain 0 is none")
    return chain


def _rows(file: SnapshotFile, name: str) -> Iterator[list[Any]]:
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


def _store_base(
    connection: Connection, file: SnapshotFile, chain: StoredChain
) -> tuple[list[Source], Block]:
    _refuse_known(connection, chain.chain_id)
    wanted = [_deployment(file, chain, row) for row in _rows(file, members.DEPLOYMENTS)]
    if len({deployment.name for deployment in wanted}) < len(wanted):
        raise file.refused("one of its deployments comes twice")
    for deployment in wanted:
        if find_deployment(connection, deployment.name) is not None:
            raise StoreError(
                f"the store has another deployment called {deployment.name!r}: import into "
                "another --db"
            )
    sources = []
    for deployment in wanted:
        adapter = adapters()[deployment.protocol]
        stored = put_deployment(connection, deployment, adapter.version)
        sources.append(Source(stored=stored, adapter=adapter, codecs=Codecs(adapter)))
    if not sources:
        raise file.refused("it has no deployments")
    end = _Base(connection, file, chain).store()
    return sources, end


def _refuse_known(connection: Connection, chain_id: int) -> None:
    if find_chain(connection, chain_id) is not None:
        raise StoreError(
            f"the store holds chain {chain_id} already: import into another --db, where "
            "defirisk index goes on from the snapshot"
        )
    if any(s.deployment.chain_id == chain_id for s in stored_deployments(connection)):
        raise StoreError(
            f"the store holds a part of chain {chain_id}: run defirisk index to complete it, or "
            "import into another --db"
        )


def _deployment(file: SnapshotFile, chain: StoredChain, row: Sequence[Any]) -> Deployment:
    name, protocol, first_block, contracts, follows = row
    table = {"name": name, "protocol": protocol, "chain_id": chain.chain_id, "follows": follows}
    try:
        return parse({**contracts, **table, "first_block": first_block}, "its deployments")
    except UsageError as error:
        raise file.refused(str(error)) from error


class _Base:
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
        self._insert(asked_events, members.EVENTS, _EVENT, _rows(self._file, members.EVENTS))
        self._insert(recent_blocks, members.RECENT, _HEADER, _rows(self._file, members.RECENT))
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
            for number, block_hash, parent, ts in _rows(self._file, members.BLOCKS):
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
        headers = _rows(self._file, members.BLOCKS)
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
        for number, index, tx, address, topics, data in _rows(self._file, members.LOGS):
            if len(topics) % 32 or len(topics) > 4 * 32:
                raise self._file.refused(f"log {index} of block {number} has broken topics")
            cut = [topics[at : at + 32] or None for at in range(0, 4 * 32, 32)]
            yield number, index, hash_of(number, "a log"), tx, address, *cut, data

    def _calls(self) -> Iterator[Sequence[Any]]:
        hash_of = self._hashes()
        for number, address, calldata, ok, answer in _rows(self._file, members.CALLS):
            yield number, address, calldata, hash_of(number, "an answer"), ok, answer

    def _ranges(self) -> Iterator[Sequence[Any]]:
        before = ("", _NO_PARENT)
        for address, first, last in _rows(self._file, members.RANGES):
            overlaps = address == before[0] and first <= before[1] + 1
            if not first <= last <= self._last or overlaps:
                raise self._file.refused(f"{address} has a verified range that cannot be")
            before = (address, last)
            yield address, first, last

    def _marks(self) -> Iterator[Sequence[Any]]:
        now = int(time.time())
        for address, first, last, audit, reason in _rows(self._file, members.UNVERIFIED):
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


def _drop(connection: Connection, sources: Sequence[Source]) -> None:
    """Takes back a chain of which nothing is verified."""
    chain_id = sources[0].stored.deployment.chain_id
    for source in sources:
        mine = source.stored.id
        undo_after(connection, source.adapter, mine, NOTHING)
        forget_watched_after(connection, mine, NOTHING)
        connection.execute(delete(verifications).where(verifications.c.deployment_id == mine))
        connection.execute(delete(deployments).where(deployments.c.deployment_id == mine))
    forget_after(connection, chain_id, NOTHING)
    forget_tokens_after(connection, chain_id, NOTHING)
    forget_recent(connection, chain_id, after=NOTHING)
    for table in (asked_events, unverified_ranges):
        connection.execute(delete(table).where(table.c.chain_id == chain_id))


__all__ = ["Imported", "SnapshotRefused", "compare_with_node", "import_snapshot"]
