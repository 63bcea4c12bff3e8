"""Stores an import: a block of chain 0, and a new version of each protocol in it.

Imported data has no chain. It stands on chain 0, which EIP-155 gives to nobody: one block for each
import, whose hash is a digest of the files and whose time is when they were imported. A protocol
of the files is a deployment; what a file states replaces what an earlier one stated of the same
protocol, and the protocols that it does not name go on as they are.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from defirisk.core.adapter import Adapter, Deployment
from defirisk.core.errors import UsageError
from defirisk.core.evm import Block, Hash
from defirisk.core.row import Row
from defirisk.imports.judging import Rows
from defirisk.store.database import Store
from defirisk.store.raw import block_at, put_blocks
from defirisk.store.registry import (
    StoredChain,
    StoredDeployment,
    find_chain,
    find_deployment,
    put_chain,
    put_deployment,
    set_folded,
    stored_deployments,
)
from defirisk.store.replacing import replace_rows

IMPORTED_CHAIN = 0
NO_PARENT = "0x" + "0" * 64


def digest(files: Iterable[str]) -> Hash:
    """SHA-256 of the files' own SHA-256 digests, sorted: their order and names do not matter."""
    whole = hashlib.sha256()
    for one in sorted(_sha256(path) for path in files):
        whole.update(one)
    return "0x" + whole.hexdigest()


def _sha256(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The rows of one adapter in an import, by protocol."""

    adapter: Adapter
    row_types: Sequence[type[Row]]
    protocols: Mapping[str, Rows]


def store_import(store: Store, parts: Sequence[Part], content: Hash) -> tuple[Block, int]:
    """Makes these rows all that the protocols have of these types, in one transaction; returns the
    block, and how many versions of rows were written.

    Errors: `UsageError` where a protocol has the name of what was indexed from a chain.
    """
    with store.transaction() as connection:
        for part in parts:
            for name in part.protocols:
                _known(connection, part.adapter, name)
        block = _next_block(connection, content)
        put_blocks(connection, IMPORTED_CHAIN, [block])
        written = sum(_store_part(connection, part, block) for part in parts)
        _others_go_on(connection, {name for part in parts for name in part.protocols}, block)
        put_chain(connection, _chain(block))
    return block, written


def _store_part(connection: Connection, part: Part, block: Block) -> int:
    """How many versions were written."""
    written, version = 0, part.adapter.version
    for name, rows in part.protocols.items():
        deployment = _known(connection, part.adapter, name) or put_deployment(
            connection, _deployment(part.adapter, name, block), version
        )
        for row_type in part.row_types:
            stated = rows.get(row_type, ())
            written += replace_rows(connection, deployment.id, row_type, stated, block.number)
        set_folded(connection, deployment.id, block.number, version)
    return written


def _deployment(adapter: Adapter, name: str, block: Block) -> Deployment:
    return Deployment(
        name=name, protocol=adapter.name, chain_id=IMPORTED_CHAIN, first_block=block.number
    )


def _known(connection: Connection, adapter: Adapter, name: str) -> StoredDeployment | None:
    stored = find_deployment(connection, name)
    if stored is None:
        return None
    of = stored.deployment
    if (of.chain_id, of.protocol) != (IMPORTED_CHAIN, adapter.name):
        raise UsageError(
            f"{name} is already a deployment of {of.protocol} on chain {of.chain_id}: give the "
            "protocol another name in the files, or import into another --db"
        )
    return stored


def _next_block(connection: Connection, content: Hash) -> Block:
    chain = find_chain(connection, IMPORTED_CHAIN)
    parent = block_at(connection, IMPORTED_CHAIN, chain.verified_to) if chain else None
    return Block(
        number=chain.verified_to + 1 if chain else 1,
        hash=content,
        parent_hash=parent.hash if parent else NO_PARENT,
        timestamp=int(time.time()),
    )


def _others_go_on(connection: Connection, named: set[str], block: Block) -> None:
    """What the files do not name is still what it was: it is known up to this block, too."""
    for stored in stored_deployments(connection):
        of = stored.deployment
        if of.chain_id == IMPORTED_CHAIN and of.name not in named:
            set_folded(connection, stored.id, block.number, stored.adapter_version)


def _chain(block: Block) -> StoredChain:
    return StoredChain(
        chain_id=IMPORTED_CHAIN,
        verified_to=block.number,
        head=block.number,
        head_ts=block.timestamp,
        finalized=block.number,
        reorgs=0,
    )
