"""Writing and reading the base layer. Every function works within the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, and_, bindparam, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from defirisk.core.evm import Address, Block, Call, CallResult, Hash, RawLog
from defirisk.store.base_tables import blocks, raw_calls, raw_logs, verified_ranges


def insert_or_ignore(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Inserts rows; a row whose key is there already stays as it is."""
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).on_conflict_do_nothing(), rows)


def put_blocks(connection: Connection, chain_id: int, headers: Iterable[Block]) -> None:
    """Stores headers."""
    rows = [
        {
            "chain_id": chain_id,
            "block_number": header.number,
            "block_hash": header.hash,
            "parent_hash": header.parent_hash,
            "block_time": header.timestamp,
        }
        for header in headers
    ]
    insert_or_ignore(connection, blocks, rows)


def known_hashes(connection: Connection, chain_id: int, numbers: Iterable[int]) -> dict[int, Hash]:
    """The hashes of those of these blocks whose header is stored."""
    wanted = sorted(set(numbers))
    found: dict[int, Hash] = {}
    for at in range(0, len(wanted), 500):
        query = select(blocks.c.block_number, blocks.c.block_hash).where(
            blocks.c.chain_id == chain_id, blocks.c.block_number.in_(wanted[at : at + 500])
        )
        found.update((number, block_hash) for number, block_hash in connection.execute(query))
    return found


def block_at(connection: Connection, chain_id: int, number: int) -> Block | None:
    """The stored header of this number."""
    query = select(blocks).where(blocks.c.chain_id == chain_id, blocks.c.block_number == number)
    row = connection.execute(query).one_or_none()
    return _block(row) if row else None


def last_block(connection: Connection, chain_id: int, before: int | None = None) -> Block | None:
    """The stored header with the highest number, below `before` where that is given."""
    query = (
        select(blocks)
        .where(blocks.c.chain_id == chain_id)
        .order_by(blocks.c.block_number.desc())
        .limit(1)
    )
    if before is not None:
        query = query.where(blocks.c.block_number < before)
    row = connection.execute(query).one_or_none()
    return _block(row) if row else None


def _block(row: Any) -> Block:
    return Block(
        number=row.block_number,
        hash=row.block_hash,
        parent_hash=row.parent_hash,
        timestamp=row.block_time,
    )


def put_logs(connection: Connection, chain_id: int, logs: Iterable[RawLog]) -> None:
    """Stores logs; those that are there already stay."""
    rows = []
    for log in logs:
        topics = (*log.topics, None, None, None, None)
        rows.append(
            {
                "chain_id": chain_id,
                "block_number": log.block_number,
                "evt_index": log.log_index,
                "block_hash": log.block_hash,
                "tx_hash": log.tx_hash,
                "contract_address": log.address,
                "topic0": topics[0],
                "topic1": topics[1],
                "topic2": topics[2],
                "topic3": topics[3],
                "data": log.data,
            }
        )
    insert_or_ignore(connection, raw_logs, rows)


class StoredLog(NamedTuple):
    """A log with the time of its block, as the fold needs it."""

    block_number: int
    timestamp: int
    log_index: int
    address: Address
    topics: tuple[bytes, ...]
    data: bytes


def logs_of(
    connection: Connection,
    chain_id: int,
    addresses: Sequence[Address],
    first_block: int,
    last_block: int,
) -> Iterator[StoredLog]:
    """Stored logs of these contracts in [first_block, last_block], in chain order."""
    query = (
        select(
            raw_logs.c.block_number,
            blocks.c.block_time,
            raw_logs.c.evt_index,
            raw_logs.c.contract_address,
            raw_logs.c.topic0,
            raw_logs.c.topic1,
            raw_logs.c.topic2,
            raw_logs.c.topic3,
            raw_logs.c.data,
        )
        .join(
            blocks,
            and_(
                blocks.c.chain_id == raw_logs.c.chain_id,
                blocks.c.block_number == raw_logs.c.block_number,
            ),
        )
        .where(
            raw_logs.c.chain_id == chain_id,
            raw_logs.c.block_number.between(first_block, last_block),
            raw_logs.c.contract_address.in_(bindparam("addresses", expanding=True)),
        )
        .order_by(raw_logs.c.block_number, raw_logs.c.evt_index)
    )
    for number, ts, index, address, t0, t1, t2, t3, data in connection.execute(
        query, {"addresses": list(addresses)}
    ):
        topics = tuple(topic for topic in (t0, t1, t2, t3) if topic is not None)
        yield StoredLog(number, ts, index, address, topics, data)


def count_logs(connection: Connection, chain_id: int, addresses: Sequence[Address]) -> int:
    """How many logs of these contracts are stored."""
    query = select(func.count()).where(
        raw_logs.c.chain_id == chain_id,
        raw_logs.c.contract_address.in_(bindparam("addresses", expanding=True)),
    )
    return connection.execute(query, {"addresses": list(addresses)}).scalar_one()


def put_calls(
    connection: Connection,
    chain_id: int,
    block: Block,
    answered: Iterable[tuple[Call, CallResult]],
) -> None:
    """Stores what views answered at a block."""
    rows = [
        {
            "chain_id": chain_id,
            "block_number": block.number,
            "contract_address": call.to,
            "calldata": call.data,
            "block_hash": block.hash,
            "ok": result.ok,
            "answer": result.data,
        }
        for call, result in answered
    ]
    insert_or_ignore(connection, raw_calls, rows)


def verified(connection: Connection, chain_id: int, address: Address) -> list[tuple[int, int]]:
    """The block ranges of a contract whose logs are stored completely, ascending, disjoint."""
    query = (
        select(verified_ranges.c.first_block, verified_ranges.c.last_block)
        .where(
            verified_ranges.c.chain_id == chain_id,
            verified_ranges.c.contract_address == address,
        )
        .order_by(verified_ranges.c.first_block)
    )
    return [(first, last) for first, last in connection.execute(query)]


def add_verified(
    connection: Connection, chain_id: int, addresses: Iterable[Address], first: int, last: int
) -> None:
    """Marks [first, last] complete for these contracts, joined with what touches it."""
    for address in addresses:
        ranges = [*verified(connection, chain_id, address), (first, last)]
        connection.execute(
            delete(verified_ranges).where(
                verified_ranges.c.chain_id == chain_id,
                verified_ranges.c.contract_address == address,
            )
        )
        rows = [
            {
                "chain_id": chain_id,
                "contract_address": address,
                "first_block": start,
                "last_block": end,
            }
            for start, end in joined(ranges)
        ]
        connection.execute(insert(verified_ranges), rows)


def joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Inclusive ranges, sorted, with those that overlap or touch made one."""
    result: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if result and first <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(last, result[-1][1]))
        else:
            result.append((first, last))
    return result


def missing(ranges: Iterable[tuple[int, int]], first: int, last: int) -> list[tuple[int, int]]:
    """What of [first, last] is in none of the ranges."""
    gaps = []
    at = first
    for start, end in joined(ranges):
        if start > at:
            gaps.append((at, min(start - 1, last)))
        at = max(at, end + 1)
        if at > last:
            break
    if at <= last:
        gaps.append((at, last))
    return [(start, end) for start, end in gaps if start <= end]


def forget_verified(connection: Connection, chain_id: int, addresses: Iterable[Address]) -> None:
    """Takes back that the logs of these contracts are complete: they will be fetched again."""
    for address in addresses:
        connection.execute(
            delete(verified_ranges).where(
                verified_ranges.c.chain_id == chain_id,
                verified_ranges.c.contract_address == address,
            )
        )


def forget_after(connection: Connection, chain_id: int, number: int) -> None:
    """Drops everything that was read of blocks after `number`: they are no longer canonical."""
    for table in (raw_logs, raw_calls, blocks):
        connection.execute(
            delete(table).where(table.c.chain_id == chain_id, table.c.block_number > number)
        )
    mine = verified_ranges.c.chain_id == chain_id
    connection.execute(delete(verified_ranges).where(mine, verified_ranges.c.first_block > number))
    connection.execute(
        verified_ranges.update()
        .where(mine, verified_ranges.c.last_block > number)
        .values(last_block=number)
    )
