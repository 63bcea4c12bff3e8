"""Hands what was read of a chain to somebody else: the base layer up to the last verified block.

Rows, watched contracts and tokens follow from it and are not handed over; whoever imports it makes
them. So a snapshot cannot say anything that its logs and answers do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, select

from defirisk import __version__
from defirisk.core.errors import CheckFailed, StoreError, UsageError
from defirisk.core.evm import Block
from defirisk.core.plugins import adapters
from defirisk.indexing.codecs import Codecs
from defirisk.store.base_tables import (
    asked_events,
    blocks,
    raw_calls,
    raw_logs,
    recent_blocks,
    verified_ranges,
)
from defirisk.store.database import Store
from defirisk.store.ranges import joined, missing, verified
from defirisk.store.registry import (
    StoredChain,
    find_chain,
    stored_chains,
    stored_deployments,
    watched,
)
from defirisk.store.snapshot_fields import written
from defirisk.store.snapshot_file import write_snapshot
from defirisk.store.snapshots import stored_block
from defirisk.store.types import by_code_point
from defirisk.store.unverified import unverified

DEPLOYMENTS, BLOCKS, LOGS = "deployments.jsonl", "blocks.jsonl", "raw_logs.jsonl"
CALLS, RANGES = "raw_calls.jsonl", "verified_ranges.jsonl"
EVENTS, UNVERIFIED = "asked_events.jsonl", "unverified_ranges.jsonl"
RECENT = "recent_blocks.jsonl"
MEMBERS = (DEPLOYMENTS, BLOCKS, LOGS, CALLS, RANGES, EVENTS, UNVERIFIED, RECENT)
IMPORTED_CHAIN = 0


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written; `digest` is the SHA-256 digest that stands for all of it."""

    chain_id: int
    block: Block
    logs: int
    unverified: int
    digest: str


def export_snapshot(
    store: Store, path: Path, chain_id: int | None = None, *, allow_unverified: bool = False
) -> Exported:
    """Writes the snapshot of a chain.

    Errors: `CheckFailed` where logs of some range may be missing, unless that is allowed: then the
    snapshot says so. `StoreError` where there is nothing to export.
    """
    with store.transaction() as connection:
        chain = _chosen(connection, chain_id)
        block = stored_block(connection, chain.chain_id, None)
        gaps = _gaps(connection, chain)
        marks = [
            mark
            for mark in unverified(connection, chain.chain_id)
            if mark.first_block <= block.number
        ]
        if (gaps or marks) and not allow_unverified:
            first, last = (gaps or [(marks[0].first_block, marks[0].last_block)])[0]
            raise CheckFailed(
                f"logs of blocks {first} to {last} of chain {chain.chain_id} are not verified: run "
                "defirisk index again, or export with --unverified, which the snapshot will say"
            )
        facts = {
            "defirisk": __version__,
            "chain_id": chain.chain_id,
            "block": {"number": block.number, "hash": block.hash, "timestamp": block.timestamp},
            "head": {"number": chain.head, "timestamp": chain.head_ts},
            "finalized": chain.finalized,
            "complete": not gaps and not marks,
        }
        of = _Rows(connection, chain.chain_id, block.number)
        digest = write_snapshot(
            path,
            facts,
            {
                DEPLOYMENTS: of.deployments(),
                BLOCKS: of.blocks(),
                LOGS: of.logs(),
                CALLS: of.calls(),
                RANGES: of.ranges(),
                EVENTS: of.events(),
                RECENT: of.recent(),
                UNVERIFIED: (
                    [m.contract, m.first_block, min(m.last_block, block.number), m.audit, m.reason]
                    for m in marks
                ),
            },
        )
        logs = of.count(raw_logs)
    return Exported(chain.chain_id, block, logs, len(joined(gaps)) + len(marks), digest)


def _chosen(connection: Connection, chain_id: int | None) -> StoredChain:
    known = [chain for chain in stored_chains(connection) if chain.chain_id != IMPORTED_CHAIN]
    if not known:
        raise StoreError("nothing was indexed from a chain yet: run defirisk index first")
    if chain_id is None and len(known) > 1:
        listed = ", ".join(str(chain.chain_id) for chain in known)
        raise UsageError(f"several chains are indexed ({listed}): give --chain to choose one")
    chain = known[0] if chain_id is None else find_chain(connection, chain_id)
    if chain is None or chain.chain_id == IMPORTED_CHAIN:
        raise UsageError(f"chain {chain_id} was not indexed: see defirisk status")
    return chain


def _gaps(connection: Connection, chain: StoredChain) -> list[tuple[int, int]]:
    """Ranges in which logs of a watched contract were never read."""
    found = []
    for stored in stored_deployments(connection):
        if stored.deployment.chain_id != chain.chain_id:
            continue
        if stored.deployment.protocol not in adapters():
            raise StoreError(
                f"{stored.deployment.name} is of {stored.deployment.protocol}, which this defirisk "
                "does not know: install what it was indexed with"
            )
        codecs = Codecs(adapters()[stored.deployment.protocol])
        for contract in watched(connection, stored.id):
            if codecs.emits(contract):
                ranges = verified(connection, chain.chain_id, contract.address)
                found += missing(ranges, contract.first_block, chain.verified_to)
    return joined(found)


class _Rows:
    """The rows of each member, in the order of their keys, up to one block."""

    def __init__(self, connection: Connection, chain_id: int, last: int) -> None:
        self._connection = connection
        self._chain_id = chain_id
        self._last = last

    def count(self, table: Table) -> int:
        """How many rows of a table are of these blocks."""
        query = select(func.count()).select_from(table).where(*self._mine(table))
        return self._connection.execute(query).scalar_one()

    def deployments(self) -> Iterator[list[Any]]:
        """In the order in which they were first indexed."""
        for stored in stored_deployments(self._connection):
            if stored.deployment.chain_id == self._chain_id:
                of = stored.deployment
                yield [of.name, of.protocol, of.first_block, dict(of.contracts), dict(of.follows)]

    def blocks(self) -> Iterator[list[Any]]:
        """Number, hash, parent's hash, time."""
        names = ("block_number", "block_hash", "parent_hash", "block_time")
        return self._of(blocks, names, ("block_number",))

    def logs(self) -> Iterator[list[Any]]:
        """Block, place, transaction, contract, topics one after the other, data."""
        names = ("block_number", "evt_index", "tx_hash", "contract_address")
        parts = ("topic0", "topic1", "topic2", "topic3", "data")
        for row in self._of(raw_logs, (*names, *parts), ("block_number", "evt_index")):
            yield [*row[:4], "".join(topic for topic in row[4:8] if topic is not None), row[8]]

    def calls(self) -> Iterator[list[Any]]:
        """Block, contract, calldata, whether it answered, answer."""
        keys = ("block_number", "contract_address", "calldata")
        return self._of(raw_calls, (*keys, "ok", "answer"), keys)

    def ranges(self) -> Iterator[list[Any]]:
        """Contract, first and last block."""
        names = ("contract_address", "first_block", "last_block")
        for address, first, last in self._of(verified_ranges, names, names[:2]):
            yield [address, first, min(last, self._last)]

    def events(self) -> Iterator[list[Any]]:
        """Contract, and the first topics that its verified ranges hold."""
        names = ("contract_address", "topics")
        return self._of(asked_events, names, names[:1])

    def recent(self) -> Iterator[list[Any]]:
        """Number, hash, parent's hash of blocks that may still be replaced."""
        names = ("block_number", "block_hash", "parent_hash")
        return self._of(recent_blocks, names, names[:1])

    def _of(self, table: Table, names: Iterable[str], keys: Iterable[str]) -> Iterator[list[Any]]:
        order = [by_code_point(self._connection, table.c[key]) for key in keys]
        query = select(*(table.c[name] for name in names)).where(*self._mine(table))
        streamed = self._connection.execution_options(stream_results=True, yield_per=2_000)
        for row in streamed.execute(query.order_by(*order)):
            yield [written(value) for value in row]

    def _mine(self, table: Table) -> list[Any]:
        numbers = [table.c[name] for name in ("block_number", "first_block") if name in table.c]
        return [table.c.chain_id == self._chain_id, *(one <= self._last for one in numbers)]
