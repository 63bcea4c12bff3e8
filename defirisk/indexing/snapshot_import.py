"""Takes what somebody else read of a chain, and makes everything derived of it here.

The file may come from anybody: every digest is checked before anything is written, and every value
on the way in. What it says of the chain is as true as its sender; a node can be asked about it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete

from defirisk.chain.words import DecodeError
from defirisk.core.adapter import Deployment
from defirisk.core.errors import StoreError, UsageError
from defirisk.core.evm import Block, ChainReader
from defirisk.core.plugins import adapters
from defirisk.indexing import snapshot_export as members
from defirisk.indexing.codecs import Codecs
from defirisk.indexing.deployments import parse
from defirisk.indexing.rederiving import NOTHING, rederive_chain
from defirisk.indexing.snapshot_base import Base, rows_of
from defirisk.indexing.source import Progress, Source, silent
from defirisk.store import snapshot_fields as field
from defirisk.store.base_tables import (
    asked_events,
    deployments,
    unverified_ranges,
    verifications,
)
from defirisk.store.database import Store
from defirisk.store.derived import undo_after
from defirisk.store.leases import leased
from defirisk.store.raw import forget_after
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
        sample = [row for at, row in enumerate(rows_of(file, members.BLOCKS)) if at in chosen]
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


def _store_base(
    connection: Connection, file: SnapshotFile, chain: StoredChain
) -> tuple[list[Source], Block]:
    _refuse_known(connection, chain.chain_id)
    wanted = [_deployment(file, chain, row) for row in rows_of(file, members.DEPLOYMENTS)]
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
    end = Base(connection, file, chain).store()
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
