"""Rows in bulk: what comes back is what was put, few or many, in SQLite and in PostgreSQL."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Connection, Table, event, insert, select
from sqlalchemy.exc import IntegrityError

from defirisk.core.adapter import Deployment
from defirisk.core.evm import Block, Call, CallResult, RawLog
from defirisk.core.row import Row, Wide
from defirisk.store import bulk
from defirisk.store.base_tables import metadata, raw_calls, tokens, verified_ranges
from defirisk.store.bulk import change_each, insert_new, insert_rows, upsert
from defirisk.store.database import Store
from defirisk.store.derived import FoldState, StoredRows
from defirisk.store.ranges import add_verified, verified
from defirisk.store.raw import logs_of, put_blocks, put_calls, put_logs
from defirisk.store.registry import put_deployment
from defirisk.store.row_tables import row_table
from defirisk.store.types import by_code_point

WIDE = [0, 1, -1, 2**63, -(2**63) - 1, 10**77, 2**256 - 1, -(2**255), 2**256 - 1 - 2**200]
COLUMNS = ("chain_id", "contract_address", "first_block", "last_block")
SIZES = [1, bulk.FEW, bulk.FEW + 1, 700]
HOSTILE = [
    "\0",
    "\x01",
    "\x01\0",
    "\0\x01",
    "\0\0",
    "a\0b",
    "\x01\x02",
    "\x02",
    "é\U0001f600",
    "%s",
    "\\N",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wide(Row, table="test_wide", key=("account",)):
    """A row as adapters have them."""

    account: str
    amount: Wide = 0


@pytest.fixture
def table() -> Iterator[Table]:
    """The table of such rows, which no other test knows of."""
    made = row_table(_Wide)
    yield made
    metadata.remove(made)


def ranges(connection: Connection) -> list[tuple[Any, ...]]:
    return sorted(map(tuple, connection.execute(select(verified_ranges))))


@pytest.mark.parametrize("size", SIZES)
def test_what_is_there_stays_or_is_brought_up_to_date(store: Store, size: int) -> None:
    rows = [(1, f"0x{n:03}", n, n) for n in range(size)]
    more = [(1, f"0x{n:03}", n, 99_999) for n in range(size // 2, size + 3)]
    with store.transaction() as connection:
        insert_rows(connection, verified_ranges, COLUMNS, rows)
        insert_new(connection, verified_ranges, COLUMNS, more)
        assert ranges(connection) == rows + more[size - size // 2 :]
        upsert(connection, verified_ranges, COLUMNS, more)
        assert ranges(connection) == rows[: size // 2] + more
    with pytest.raises(IntegrityError), store.transaction() as connection:
        connection.execute(
            insert(verified_ranges).values(**dict(zip(COLUMNS, rows[0], strict=True)))
        )


@pytest.mark.parametrize("size", SIZES)
def test_one_change_for_each_row(store: Store, size: int) -> None:
    rows = [(chain, f"0x{n:03}", n, n) for chain in (1, 2) for n in range(size)]
    mine = "verified_ranges.chain_id = {chain_id} AND verified_ranges.first_block = {first_block}"
    named = ("last_block", "chain_id", "first_block")
    with store.transaction() as connection:
        insert_rows(connection, verified_ranges, COLUMNS, rows)
        changes = [(n * 7, 1, n) for n in range(0, size, 2)]
        change_each(
            connection,
            verified_ranges,
            named,
            changes,
            doing="SET last_block = {last_block}",
            where=mine,
        )
        gone = [(0, 1, n) for n in range(1, size, 2)]
        change_each(connection, verified_ranges, named, gone, doing="DELETE", where=mine)
        left = [(1, f"0x{n:03}", n, n * 7) for n in range(0, size, 2)]
        assert ranges(connection) == left + rows[size:]


@pytest.mark.parametrize("size", [3, 700])
def test_numbers_texts_and_bytes_come_back_as_they_were(
    store: Store, table: Table, size: int
) -> None:
    """Also through the state of a fold, which writes and reads the rows of adapters."""
    source = random.Random(size)
    values = [source.choice(WIDE) for _ in range(size)]
    names = [f"{source.choice(HOSTILE)}{n}" for n in range(size)]
    columns = ("deployment_id", "valid_from_block", "valid_to_block", "account", "amount")
    with store.transaction() as connection:
        market = Deployment(name="a", protocol="aave-v3", chain_id=1, first_block=0)
        mine = put_deployment(connection, market, 1).id
        table.create(connection)
        rows = [(mine, 1, None, *pair) for pair in zip(names, values, strict=True)]
        insert_rows(connection, table, columns, rows)
        query = select(table.c.account, table.c.amount)
        assert dict(map(tuple, connection.execute(query))) == dict(zip(names, values, strict=True))
        by_amount = connection.scalars(select(table.c.amount).order_by(table.c.amount))
        assert list(by_amount) == sorted(values)
        ordered = [row.account for row in StoredRows(connection, mine, 1).all(_Wide)]
        assert ordered == sorted(names)
        state = FoldState(connection, mine, 0)
        state.at = 2
        for name in names:
            state.put(_Wide(account=name, amount=-state.get(_Wide, name).amount // 2))
        state.write()
        again = {row.account: row.amount for row in StoredRows(connection, mine, 2).all(_Wide)}
        assert again == {n: -v // 2 for n, v in zip(names, values, strict=True)}


def test_the_order_of_text_is_asked_of_postgresql(store: Store) -> None:
    """A database may have any collation; the one of these tests happens to be by code point."""
    names = ["b", "B", "a", "_", "é", "Z", "0", "\U0001f600", "\uffff"]
    rows = [(1, f"0x{n}", name, name, 18, 1) for n, name in enumerate(names)]
    with store.transaction() as connection:
        insert_rows(connection, tokens, [c.name for c in tokens.columns], rows)
        query = select(tokens.c.name).order_by(by_code_point(connection, tokens.c.name))
        assert list(connection.scalars(query)) == sorted(names)
        collated = 'COLLATE "C"' in str(query.compile(connection.engine))
        assert collated == (connection.dialect.name == "postgresql")


def test_logs_come_back_in_chain_order_with_their_topics_and_times(store: Store) -> None:
    """More than are read at once, in any order of arrival, some of them twice."""
    source = random.Random(3)
    logs = [
        RawLog(
            block_number=n // 7,
            block_hash=f"0x{n // 7:064x}",
            tx_hash=f"0x{n:064x}",
            log_index=n % 7,
            address=f"0x{n % 3:040x}",
            topics=tuple(bytes([t]) * 32 for t in range(n % 5)),
            data=n.to_bytes(n % 40 + 8, "big"),
        )
        for n in range(6_000)
    ]
    heads = [
        Block(number=n, hash=f"0x{n:064x}", parent_hash="0x", timestamp=n * 12)
        for n in range(6_000 // 7 + 1)
    ]
    with store.transaction() as connection:
        put_blocks(connection, 1, heads)
        for _ in range(2):
            source.shuffle(logs)
            put_logs(connection, 1, logs)
        addresses = [f"0x{n:040x}" for n in (0, 2)]
        found = list(logs_of(connection, 1, addresses, 10, 800))
    wanted = sorted(
        (log for log in logs if log.address in addresses and 10 <= log.block_number <= 800),
        key=lambda log: (log.block_number, log.log_index),
    )
    assert [
        (log.block_number, log.block_number * 12, log.log_index, log.address, log.topics, log.data)
        for log in wanted
    ] == list(map(tuple, found))


def test_a_page_of_logs_is_read_by_key_and_nothing_is_sorted(store: Store) -> None:
    """Of tables that were filled just now, of which PostgreSQL has no statistics."""
    logs = [
        RawLog(
            block_number=n // 7,
            block_hash="0x",
            tx_hash="0x",
            log_index=n % 7,
            address=f"0x{n % 30:040x}",
            topics=(bytes(32),),
            data=bytes(96),
        )
        for n in range(7_000)
    ]
    plans = []
    explain = "EXPLAIN" if store.engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"

    def keep(_c: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "FROM raw_logs" in statement:
            plans.append(str(cursor.execute(f"{explain} {statement}", parameters).fetchall()))

    with store.transaction() as connection:
        heads = [Block(number=n, hash="0x", parent_hash="0x", timestamp=1) for n in range(1_000)]
        put_blocks(connection, 1, heads)
        put_logs(connection, 1, logs)
        event.listen(connection, "before_cursor_execute", keep)
        assert len(list(logs_of(connection, 1, [logs[0].address], 0, 999))) == 234
        if connection.dialect.name == "postgresql":
            assert connection.exec_driver_sql("SHOW enable_sort").scalar_one() == "on"
    assert len(plans) == 3
    assert all("pk_raw_logs" in plan or "autoindex_raw_logs_1" in plan for plan in plans), plans
    assert not any("Sort" in plan or "TEMP B-TREE" in plan for plan in plans), plans


def test_answers_come_back(store: Store) -> None:
    block = Block(number=5, hash="0x05", parent_hash="0x04", timestamp=1)
    asked = [
        (Call(f"0x{n:040x}", bytes([n % 256, 0])), CallResult(n % 2 == 0, b"\0" * (n % 9)))
        for n in range(90)
    ]
    with store.transaction() as connection:
        put_calls(connection, 1, block, asked[:60])
        put_calls(connection, 1, block, asked)
        query = select(
            raw_calls.c.contract_address, raw_calls.c.calldata, raw_calls.c.ok, raw_calls.c.answer
        )
        found = sorted(map(tuple, connection.execute(query)))
    assert found == sorted((call.to, call.data, said.ok, said.data) for call, said in asked)


def test_many_contracts_are_verified_at_once_as_one_by_one(store: Store) -> None:
    source = random.Random(9)
    addresses = [f"0x{n:040x}" for n in range(900)]
    blocks: dict[str, set[int]] = {address: set() for address in addresses}
    with store.transaction() as connection:
        for _ in range(8):
            some = source.sample(addresses, 600)
            first = source.randrange(40)
            last = first + source.randrange(9)
            add_verified(connection, 1, some, first, last)
            for address in some:
                blocks[address] |= set(range(first, last + 1))
        for address in addresses[::9]:
            found = verified(connection, 1, address)
            assert {b for a, z in found for b in range(a, z + 1)} == blocks[address]
            assert all(one[1] + 1 < other[0] for one, other in pairwise(found))
