"""256-bit integers in a real SQLite: nothing lost, and sorted as integers are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, MetaData, Table, create_engine, func, select
from sqlalchemy.dialects import postgresql, sqlite

from defirisk.store.types import WideInteger, from_sortable, to_sortable

LOWEST, HIGHEST = -(2**255), 2**256 - 1
WIDE = st.one_of(
    st.integers(LOWEST, HIGHEST),
    st.integers(-1000, 1000),
    st.integers(0, 77).flatmap(lambda p: st.integers(10**p - 2, 10**p + 2)),
    st.integers(0, 76).flatmap(lambda p: st.integers(-(10**p) - 2, -(10**p) + 2)),
)
NUMBERS = Table("numbers", MetaData(), Column("value", WideInteger()))


def stored(values: list[int]) -> Connection:
    """A database that holds these values."""
    connection = create_engine("sqlite://").connect()
    NUMBERS.create(connection)
    connection.execute(NUMBERS.insert(), [{"value": value} for value in values])
    return connection


@given(WIDE)
def test_the_text_of_an_integer_reads_back(value: int) -> None:
    assert from_sortable(to_sortable(value)) == value


@given(WIDE, WIDE)
def test_texts_compare_as_their_integers_do(one: int, other: int) -> None:
    assert (to_sortable(one) < to_sortable(other)) == (one < other)
    assert (to_sortable(one) == to_sortable(other)) == (one == other)


@given(st.lists(WIDE, min_size=1, max_size=30), WIDE)
def test_the_database_sorts_and_compares_as_python_does(values: list[int], limit: int) -> None:
    with stored(values) as connection:
        column = NUMBERS.c.value
        assert list(connection.scalars(select(column).order_by(column))) == sorted(values)
        assert connection.scalar(select(func.max(column))) == max(values)
        above = connection.scalars(select(column).where(column > limit).order_by(column))
        assert list(above) == sorted(value for value in values if value > limit)


def test_the_extremes_survive() -> None:
    extremes = [LOWEST, -1, 0, 1, HIGHEST]
    with stored(extremes) as connection:
        assert list(connection.scalars(select(NUMBERS.c.value))) == extremes


def test_nothing_is_stored_as_a_float() -> None:
    with stored([HIGHEST, -HIGHEST, 0]) as connection:
        kinds = connection.exec_driver_sql("SELECT typeof(value) FROM numbers").scalars()
        assert set(kinds) == {"text"}


def test_an_unknown_value_stays_unknown() -> None:
    with stored([0]) as connection:
        connection.execute(NUMBERS.update().values(value=None))
        assert connection.scalars(select(NUMBERS.c.value)).all() == [None]


@pytest.mark.parametrize("value", [10**78, -(10**78), 10**200])
def test_what_does_not_fit_is_refused(value: int) -> None:
    with pytest.raises(OverflowError, match="does not fit"):
        to_sortable(value)


def test_the_text_fits_into_its_column() -> None:
    assert NUMBERS.c.value.type.compile(sqlite.dialect()) == "VARCHAR(81)"
    assert len(to_sortable(-(10**78 - 1))) == 81


def test_postgresql_gets_a_number_without_decimals() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    assert NUMBERS.c.value.type.compile(dialect) == "NUMERIC(78, 0)"
