"""What may still be replaced, and what was: headers after finality, and the log of reorgs.

Of every block after the last final one the number, hash and parent are kept, so that a block that
gave way is noticed even where it held nothing of ours. A reorg is remembered with every hash that
it made invalid: a result that names one of them is of no chain any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, or_, select, union

from defirisk.core.evm import Block, Hash
from defirisk.store.base_tables import (
    blocks,
    raw_calls,
    raw_logs,
    recent_blocks,
    reorged_blocks,
    reorgs,
)
from defirisk.store.bulk import upsert

_RECENT = ("chain_id", "block_number", "block_hash", "parent_hash")


class Reorg(NamedTuple):
    """Blocks after `ancestor` gave way: `old_hash` of `block_number`, the first that is known to
    differ, to `new_hash`. `depth` counts from the last block that was read; times are UTC seconds.
    """

    chain_id: int
    detected_ts: int
    ancestor: int
    depth: int
    block_number: int
    old_hash: Hash
    new_hash: Hash


class Link(NamedTuple):
    """Hash of a block and of its parent."""

    hash: Hash
    parent_hash: Hash


def put_recent(connection: Connection, chain_id: int, headers: Iterable[Block]) -> None:
    """Keeps headers that may still be replaced, in place of others of their numbers."""
    rows = [(chain_id, h.number, h.hash, h.parent_hash) for h in headers]
    upsert(connection, recent_blocks, _RECENT, rows)


def recent_links(connection: Connection, chain_id: int, after: int) -> dict[int, Link]:
    """The kept headers after a block, by number in ascending order."""
    query = (
        select(
            recent_blocks.c.block_number, recent_blocks.c.block_hash, recent_blocks.c.parent_hash
        )
        .where(recent_blocks.c.chain_id == chain_id, recent_blocks.c.block_number > after)
        .order_by(recent_blocks.c.block_number)
    )
    return {number: Link(*link) for number, *link in connection.execute(query)}


def forget_recent(
    connection: Connection, chain_id: int, *, up_to: int = -1, after: int | None = None
) -> None:
    """Drops headers up to a block, which are final by now, and those after another one."""
    number = recent_blocks.c.block_number
    gone = number <= up_to if after is None else or_(number <= up_to, number > after)
    connection.execute(delete(recent_blocks).where(recent_blocks.c.chain_id == chain_id, gone))


def forget_empty_headers(connection: Connection, chain_id: int, first: int, before: int) -> None:
    """Drops headers of [`first`, `before`) of which nothing was read: of the last block before a
    reorg, or of one where a run was to end that was cut off.
    """
    of_ours = [
        select(table.c.block_number)
        .where(table.c.chain_id == chain_id, table.c.block_number == blocks.c.block_number)
        .exists()
        for table in (raw_logs, raw_calls)
    ]
    connection.execute(
        delete(blocks).where(
            blocks.c.chain_id == chain_id,
            blocks.c.block_number >= first,
            blocks.c.block_number < before,
            *(~one for one in of_ours),
        )
    )


def stored_hashes(
    connection: Connection,
    chain_id: int,
    *,
    after: int = -1,
    up_to: int | None = None,
    most: int | None = None,
) -> list[tuple[int, Hash]]:
    """Numbers and hashes of the blocks in (`after`, `up_to`] that the store knows, the latest
    first, at most `most`. It may know two hashes of one number: of a fork that it read half.
    """
    both = union(
        *(
            select(table.c.block_number, table.c.block_hash).where(
                table.c.chain_id == chain_id,
                table.c.block_number > after,
                *(() if up_to is None else (table.c.block_number <= up_to,)),
            )
            for table in (blocks, recent_blocks)
        )
    ).subquery()
    query = select(both).order_by(both.c.block_number.desc(), both.c.block_hash)
    if most is not None:
        query = query.limit(most)
    return [(number, block_hash) for number, block_hash in connection.execute(query)]


def put_reorg(connection: Connection, reorg: Reorg, lost: Mapping[int, Hash]) -> None:
    """Remembers a reorg, and the hashes of the blocks that are lost."""
    values = reorg._asdict() | {"ancestor_block": reorg.ancestor}
    del values["ancestor"]
    made = connection.execute(insert(reorgs).values(**values)).inserted_primary_key
    assert made is not None
    rows = [
        {"reorg_id": made[0], "block_number": number, "block_hash": block_hash}
        for number, block_hash in lost.items()
    ]
    if rows:
        connection.execute(insert(reorged_blocks), rows)


def reorg_log(connection: Connection, chain_id: int | None = None, most: int = 10) -> list[Reorg]:
    """The last reorgs, of one chain where that is given, the latest first."""
    query = select(reorgs).order_by(reorgs.c.reorg_id.desc()).limit(most)
    if chain_id is not None:
        query = query.where(reorgs.c.chain_id == chain_id)
    return [
        Reorg(
            chain_id=row.chain_id,
            detected_ts=row.detected_ts,
            ancestor=row.ancestor_block,
            depth=row.depth,
            block_number=row.block_number,
            old_hash=row.old_hash,
            new_hash=row.new_hash,
        )
        for row in connection.execute(query)
    ]


def count_reorgs(connection: Connection, chain_id: int) -> int:
    """How many reorgs of a chain are remembered."""
    query = select(func.count()).select_from(reorgs).where(reorgs.c.chain_id == chain_id)
    return connection.execute(query).scalar_one()


def find_hash(connection: Connection, block_hash: Hash) -> int | None:
    """The number of the block that has this hash in the store; None where none has."""
    for table in (blocks, recent_blocks):
        query = select(table.c.block_number).where(table.c.block_hash == block_hash).limit(1)
        number: int | None = connection.execute(query).scalar_one_or_none()
        if number is not None:
            return number
    return None


def lost_block(connection: Connection, block_hash: Hash) -> int | None:
    """The number of the block that had this hash until a reorg; None where none is known to.

    A block may come back: see `find_hash` first.
    """
    query = select(reorged_blocks.c.block_number).where(reorged_blocks.c.block_hash == block_hash)
    return connection.execute(query.limit(1)).scalar_one_or_none()
