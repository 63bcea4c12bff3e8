"""Writing and reading the base layer. Every function works within the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, bindparam, delete, func, select

from defirisk.core.evm import Address, Block, Call, CallResult, Hash, RawLog
from defirisk.store.base_tables import (
    blocks,
    raw_calls,
    raw_logs,
    unverified_ranges,
    verified_ranges,
)
from defirisk.store.bulk import insert_new
from defirisk.store.ranges import in_pieces

_ADDRESSES_PER_QUERY = 500
_LOGS_PER_QUERY = 2_500
_BLOCK = ("chain_id", "block_number", "block_hash", "parent_hash", "block_time")
_CALL = (
    *("chain_id", "block_number", "contract_address", "calldata"),
    *("block_hash", "ok", "answer"),
)
_LOG = (
    *("chain_id", "block_number", "evt_index", "block_hash", "tx_hash", "contract_address"),
    *("topic0", "topic1", "topic2", "topic3", "data"),
)
_NO_TOPICS = (None,) * 4


def insert_or_ignore(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Inserts rows of the same columns; a row whose key is there already stays as it is."""
    if rows:
        columns = list(rows[0])
        insert_new(connection, table, columns, [tuple(row.values()) for row in rows])


def put_blocks(connection: Connection, chain_id: int, headers: Iterable[Block]) -> None:
    """Stores headers."""
    rows = [(chain_id, h.number, h.hash, h.parent_hash, h.timestamp) for h in headers]
    insert_new(connection, blocks, _BLOCK, rows)


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
    rows = [
        (
            chain_id,
            log.block_number,
            log.log_index,
            log.block_hash,
            log.tx_hash,
            log.address,
            *log.topics,
            *_NO_TOPICS[len(log.topics) :],
            log.data,
        )
        for log in logs
    ]
    insert_new(connection, raw_logs, _LOG, rows)


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
    """Stored logs of these contracts in [first_block, last_block], in chain order.

    Read piece by piece in the order of the key, so that whoever stops early pays for no more, and
    compared with the addresses here, of which there may be more than a statement bears.
    """
    wanted = frozenset(addresses)
    after = (first_block, -1)
    while wanted:
        rows = _page(connection, chain_id, after, last_block)
        times = _times(connection, chain_id, rows[0][0], rows[-1][0]) if rows else {}
        for number, index, address, t0, t1, t2, t3, data in rows:
            if address in wanted and number in times:
                topics: tuple[bytes, ...]
                if t3 is not None:
                    topics = (t0, t1, t2, t3)
                elif t2 is not None:
                    topics = (t0, t1, t2)
                elif t1 is not None:
                    topics = (t0, t1)
                else:
                    topics = () if t0 is None else (t0,)
                yield StoredLog(number, times[number], index, address, topics, data)
        if len(rows) < _LOGS_PER_QUERY:
            return
        after = rows[-1][:2]


_PAGE = """
SELECT block_number, evt_index, contract_address, topic0, topic1, topic2, topic3, data
FROM raw_logs
WHERE chain_id = {mark} AND (block_number, evt_index) > ({mark}, {mark})
  AND block_number <= {mark}
ORDER BY block_number, evt_index
LIMIT {limit}
"""


def _page(
    connection: Connection, chain_id: int, after: tuple[int, int], last_block: int
) -> Sequence[Any]:
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    query = _PAGE.format(mark=mark, limit=_LOGS_PER_QUERY)
    with _in_order_of_keys(connection):
        return connection.exec_driver_sql(query, (chain_id, *after, last_block)).fetchall()


def _times(connection: Connection, chain_id: int, first: int, last: int) -> dict[int, int]:
    """When the stored blocks of a range were made."""
    query = select(blocks.c.block_number, blocks.c.block_time).where(
        blocks.c.chain_id == chain_id, blocks.c.block_number.between(first, last)
    )
    return {row.block_number: row.block_time for row in connection.execute(query)}


@contextmanager
def _in_order_of_keys(connection: Connection) -> Iterator[None]:
    """Keeps PostgreSQL from sorting a whole chain for each page of it: of a table that has just
    been filled it has no statistics, and takes it for nearly empty.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    connection.exec_driver_sql("SET LOCAL enable_sort TO off")
    yield
    connection.exec_driver_sql("SET LOCAL enable_sort TO DEFAULT")


def count_logs(connection: Connection, chain_id: int, addresses: Sequence[Address]) -> int:
    """How many logs of these contracts are stored."""
    query = select(func.count()).where(
        raw_logs.c.chain_id == chain_id,
        raw_logs.c.contract_address.in_(bindparam("addresses", expanding=True)),
    )
    some = in_pieces(sorted(set(addresses)))
    return sum(connection.execute(query, {"addresses": each}).scalar_one() for each in some)


def count_all_logs(connection: Connection, chain_id: int) -> int:
    """How many logs of a chain are stored."""
    query = select(func.count()).where(raw_logs.c.chain_id == chain_id)
    return connection.execute(query).scalar_one()


def put_calls(
    connection: Connection,
    chain_id: int,
    block: Block,
    answered: Iterable[tuple[Call, CallResult]],
) -> None:
    """Stores what views answered at a block."""
    rows = [
        (chain_id, block.number, call.to, call.data, block.hash, result.ok, result.data)
        for call, result in answered
    ]
    insert_new(connection, raw_calls, _CALL, rows)


def forget_after(connection: Connection, chain_id: int, number: int) -> None:
    """Drops everything that was read of blocks after `number`: they are no longer canonical."""
    for table in (raw_logs, raw_calls, blocks):
        connection.execute(
            delete(table).where(table.c.chain_id == chain_id, table.c.block_number > number)
        )
    for ranges in (verified_ranges, unverified_ranges):
        mine = ranges.c.chain_id == chain_id
        connection.execute(delete(ranges).where(mine, ranges.c.first_block > number))
        connection.execute(
            ranges.update().where(mine, ranges.c.last_block > number).values(last_block=number)
        )
