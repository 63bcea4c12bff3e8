"""Rows with validity: one version per key and block, corrected in place, undone exactly."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, inspect

from defirisk.core.adapter import Deployment
from defirisk.store import derived
from defirisk.store.database import Store
from defirisk.store.derived import Held, StoredRows, drop_all, undo_after
from defirisk.store.registry import put_deployment
from tests.logical_dump import differences, logical_dump
from tests.unit.store.rows import AAVE, FIRST_BLOCK, Account, Ledger, ledger

Version = tuple[object, ...]
KEYS = ("0xaa", "0xbb", "0xcc")
STEPS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(KEYS), st.integers(0, 3)), max_size=25
)


def account(name: str, mode: int) -> Account:
    return Account(account=name, emode_category_id=mode)


def modes(book: Ledger) -> list[Version]:
    return book.versions(Account, "emode_category_id")


def put(book: Ledger, *steps: tuple[int, str, int], held: Held | None = None) -> int:
    """One batch of puts: (block, key, value)."""
    state = book.state(held)
    for block, name, mode in steps:
        state.at = block
        state.put(account(name, mode))
    return state.write()


def test_a_key_that_was_never_written_reads_as_defaults() -> None:
    with ledger() as book:
        assert book.state().get(Account, "0xaa") == account("0xaa", 0)
        assert modes(book) == []


def test_several_writes_in_one_block_make_one_version() -> None:
    with ledger() as book:
        written = put(book, (20, "0xaa", 1), (20, "0xaa", 2), (20, "0xaa", 3), (30, "0xaa", 4))
        assert written == 2
        assert modes(book) == [("0xaa", 20, 30, 3), ("0xaa", 30, None, 4)]


def test_writing_what_is_there_already_makes_no_version() -> None:
    with ledger() as book:
        put(book, (20, "0xaa", 1))
        assert put(book, (30, "0xaa", 1)) == 0
        assert modes(book) == [("0xaa", 20, None, 1)]


def test_a_default_row_is_written_all_the_same() -> None:
    with ledger() as book:
        assert put(book, (20, "0xaa", 0)) == 1
        assert modes(book) == [("0xaa", 20, None, 0)]


def test_a_later_batch_closes_what_an_earlier_one_left_open() -> None:
    with ledger() as book:
        put(book, (20, "0xaa", 1), (20, "0xbb", 5))
        put(book, (30, "0xaa", 2))
        assert modes(book) == [("0xaa", 20, 30, 1), ("0xaa", 30, None, 2), ("0xbb", 20, None, 5)]


def test_a_batch_sees_its_own_writes_and_those_before() -> None:
    with ledger() as book:
        put(book, (20, "0xaa", 1))
        state = book.state()
        state.prefetch([(Account, ("0xaa",)), (Account, ("0xbb",))])
        assert state.get(Account, "0xaa") == account("0xaa", 1)
        state.at = 30
        state.put(account("0xaa", 2))
        assert state.get(Account, "0xaa") == account("0xaa", 2)


def test_amending_corrects_the_current_version_where_it_began() -> None:
    with ledger() as book:
        put(book, (20, "0xaa", 1), (30, "0xaa", 2))
        state = book.state()
        state.at = 90
        state.amend(account("0xaa", 7))
        assert state.write() == 1
        assert modes(book) == [("0xaa", 20, 30, 1), ("0xaa", 30, None, 7)]


def test_amending_what_was_never_written_holds_from_the_first_block_on() -> None:
    with ledger() as book:
        state = book.state()
        state.at = 90
        state.amend(account("0xaa", 7))
        state.amend(account("0xaa", 8))
        state.put(account("0xaa", 9))
        state.write()
        assert modes(book) == [("0xaa", FIRST_BLOCK, 90, 8), ("0xaa", 90, None, 9)]


def test_amending_to_what_is_there_already_writes_nothing() -> None:
    with ledger() as book:
        put(book, (20, "0xaa", 1))
        state = book.state()
        state.amend(account("0xaa", 1))
        assert state.write() == 0


def test_amending_a_version_of_the_same_batch_replaces_it() -> None:
    with ledger() as book:
        state = book.state()
        state.at = 40
        state.put(account("0xaa", 1))
        state.amend(account("0xaa", 2))
        assert state.write() == 1
        assert modes(book) == [("0xaa", 40, None, 2)]


@pytest.mark.parametrize(
    ("block", "left"),
    [
        (19, []),
        (20, [("0xaa", 20, None, 1)]),
        (29, [("0xaa", 20, None, 1)]),
        (30, [("0xaa", 20, 30, 1), ("0xaa", 30, None, 2)]),
        (99, [("0xaa", 20, 30, 1), ("0xaa", 30, None, 2)]),
    ],
)
def test_undoing_deletes_what_came_after_and_reopens_what_it_closed(
    block: int, left: list[Version]
) -> None:
    with ledger() as book:
        put(book, (20, "0xaa", 1), (30, "0xaa", 2))
        undo_after(book.connection, AAVE, book.deployment_id, block)
        assert modes(book) == left


@settings(max_examples=40)
@given(STEPS, st.integers(0, 60), st.integers(1, 9), st.sampled_from([None, 0, 2, 50_000]))
def test_any_history_reads_back_at_every_block_however_it_was_batched(
    steps: list[tuple[int, str, int]], cut: int, size: int, most_held: int | None
) -> None:
    """Against a plain dictionary per block; and fold, undo, fold equals fold.

    `most_held`: so many rows are remembered from batch to batch; None: nothing is.
    """
    history, block = [], FIRST_BLOCK
    for gap, name, mode in steps:
        block += gap
        history.append((block, name, mode))
    held: Held | None = None if most_held is None else defaultdict(dict)
    with ledger() as book, patch.object(derived, "_MOST_HELD", most_held or 0):
        for batch in _whole_blocks(history, size):
            put(book, *batch, held=held)
        once = modes(book)
        for at in range(FIRST_BLOCK - 1, block + 2):
            expected = {name: mode for when, name, mode in history if when <= at}
            found = StoredRows(book.connection, book.deployment_id, at).all(Account)
            assert {row.account: row.emode_category_id for row in found} == expected
            assert [row.account for row in found] == sorted(expected)

        undo_after(book.connection, AAVE, book.deployment_id, cut)
        put(book, *(step for step in history if step[0] > cut))
        assert modes(book) == once


def test_what_is_held_is_not_loaded_again() -> None:
    held: Held = defaultdict(dict)
    asked: list[str] = []
    with ledger() as book:
        put(book, (20, "0xaa", 1), held=held)
        event.listen(book.connection, "before_cursor_execute", lambda *args: asked.append(args[2]))
        put(book, (30, "0xaa", 1), held=held)
        assert not asked
        put(book, (30, "0xaa", 2), held=held)
        assert not any(words.startswith("SELECT") for words in asked)
        assert modes(book) == [("0xaa", 20, 30, 1), ("0xaa", 30, None, 2)]


def test_all_rows_of_one_deployment_go_and_those_of_another_stay() -> None:
    with ledger() as book:
        put(book, (20, "0xaa", 1), (30, "0xaa", 2))
        drop_all(book.connection, AAVE, book.deployment_id)
        assert modes(book) == []


def test_a_table_of_one_deployment_alone_is_emptied_or_nothing_happened(store: Store) -> None:
    """SQLite makes it anew: with the columns and indexes it had, and only if all succeeds."""
    with store.transaction() as connection:
        market = Deployment(name="a", protocol="aave-v3", chain_id=1, first_block=0)
        mine = put_deployment(connection, market, 1).id
        put(Ledger(connection, mine), (20, "0xaa", 1), (30, "0xaa", 2))
    before, schema = logical_dump(store), _schema(store)
    with store.engine.connect() as connection:
        drop_all(connection, AAVE, mine)
        assert modes(Ledger(connection, mine)) == []
        connection.rollback()
    assert not differences(logical_dump(store), before)
    with store.transaction() as connection:
        drop_all(connection, AAVE, mine)
    assert len(before["aave_v3_accounts"]) == 2
    assert logical_dump(store)["aave_v3_accounts"] == []
    assert _schema(store) == schema


def _schema(store: Store) -> dict[str, Any]:
    """Columns, keys and indexes of every table, in an order of their own."""
    seen = inspect(store.engine)
    return {
        table: [
            sorted(map(repr, seen.get_columns(table))),
            repr(seen.get_pk_constraint(table)),
            sorted(map(repr, seen.get_indexes(table))),
            sorted(map(repr, seen.get_foreign_keys(table))),
        ]
        for table in seen.get_table_names()
    }


def _whole_blocks(history: list[tuple[int, str, int]], size: int) -> list[list[Any]]:
    batches: list[list[Any]] = [[]]
    for step in history:
        if len(batches[-1]) >= size and batches[-1][-1][0] != step[0]:
            batches.append([])
        batches[-1].append(step)
    return batches


def test_rows_are_found_by_key_at_a_block() -> None:
    with ledger() as book:
        put(book, (20, "0xaa", 1), (30, "0xaa", 2))
        rows = StoredRows(book.connection, book.deployment_id, 25)
        assert rows.find(Account, "0xaa") == account("0xaa", 1)
        assert rows.find(Account, "0xbb") is None
