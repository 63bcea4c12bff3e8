"""What has to hold within a store, whichever way it was filled."""

from __future__ import annotations

from sqlalchemy import Connection, Table, and_, func, select

from defirisk.store.base_tables import blocks, raw_calls, raw_logs, verified_ranges


def faults(connection: Connection) -> list[str]:
    """What does not hold, in words; empty where the base layer is sound."""
    return [
        *_of_no_block(connection, raw_logs, "logs"),
        *_of_no_block(connection, raw_calls, "answers"),
        *_broken_parents(connection),
        *_broken_ranges(connection),
    ]


def _of_no_block(connection: Connection, table: Table, what: str) -> list[str]:
    same = and_(
        blocks.c.chain_id == table.c.chain_id,
        blocks.c.block_number == table.c.block_number,
        blocks.c.block_hash == table.c.block_hash,
    )
    query = (
        select(table.c.chain_id, func.count(), func.min(table.c.block_number))
        .select_from(table.outerjoin(blocks, same))
        .where(blocks.c.block_hash.is_(None))
        .group_by(table.c.chain_id)
    )
    return [
        f"chain {chain_id}: {count} {what} from block {first} on are of no stored block"
        for chain_id, count, first in connection.execute(query)
    ]


def _broken_parents(connection: Connection) -> list[str]:
    child = blocks.alias("child")
    follows = and_(
        child.c.chain_id == blocks.c.chain_id, child.c.block_number == blocks.c.block_number + 1
    )
    query = (
        select(child.c.chain_id, child.c.block_number)
        .select_from(blocks.join(child, follows))
        .where(child.c.parent_hash != blocks.c.block_hash)
    )
    return [
        f"chain {chain_id}: block {number} does not follow the one before it"
        for chain_id, number in connection.execute(query)
    ]


def _broken_ranges(connection: Connection) -> list[str]:
    other = verified_ranges.alias("other")
    overlap = and_(
        other.c.chain_id == verified_ranges.c.chain_id,
        other.c.contract_address == verified_ranges.c.contract_address,
        other.c.first_block > verified_ranges.c.first_block,
        other.c.first_block <= verified_ranges.c.last_block,
    )
    query = select(verified_ranges.c.chain_id, verified_ranges.c.contract_address).select_from(
        verified_ranges.join(other, overlap)
    )
    return [
        f"chain {chain_id}: verified ranges of {address} overlap"
        for chain_id, address in connection.execute(query)
    ]
