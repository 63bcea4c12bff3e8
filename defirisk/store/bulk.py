"""Many rows at once, as tuples: several times as fast as SQLAlchemy's own inserts.

SQLite takes tuples through the driver. PostgreSQL takes them by COPY: into the table itself, and
where that meets a row that is there already, into a temporary table from which one statement goes
on. Both within the caller's transaction. A row has a value for each of `columns`, in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

from sqlalchemy import BigInteger, Boolean, Connection, Double, Integer, LargeBinary, String, Table
from sqlalchemy.types import TypeEngine

from defirisk.store.types import AnyText, WideInteger, to_sortable, written_text

Values = tuple[Any, ...]
_PG_TYPES: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (WideInteger, "numeric"),
    (AnyText, "text"),
    (String, "text"),
    (LargeBinary, "bytea"),
    (Boolean, "bool"),
    (BigInteger, "int8"),
    (Integer, "int4"),
    (Double, "float8"),
)
FEW = 50
"""Up to so many rows PostgreSQL is told one by one: a temporary table would take longer."""
_numbers = count()


def insert_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Values]
) -> None:
    """Inserts rows; `IntegrityError` where one of their keys is there already."""
    if not rows:
        return
    values = _bound(connection, table, columns, rows)
    if _copies(connection, rows):
        _copy(connection, table.name, table, columns, values)
    else:
        connection.exec_driver_sql(_insert(connection, table, columns), values)


def insert_new(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Values]
) -> None:
    """Inserts rows; one whose key is there already stays as it is."""
    _put(connection, table, columns, rows, "ON CONFLICT DO NOTHING")


def upsert(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Values]
) -> None:
    """Inserts rows, or brings what is there under their keys up to date. No key may come twice."""
    keys = [column.name for column in table.primary_key]
    changed = ", ".join(
        f"{quoted(name)} = excluded.{quoted(name)}" for name in columns if name not in keys
    )
    named = ", ".join(map(quoted, keys))
    _put(connection, table, columns, rows, f"ON CONFLICT ({named}) DO UPDATE SET {changed}")


def change_each(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Values],
    *,
    doing: str,
    where: str,
) -> None:
    """One DELETE or UPDATE for each row: `doing` is `DELETE` or `SET a = {b}`, and in both texts
    `{b}` stands for the row's value of column b, which is one of `columns`. `{` in no other use.
    """
    if not rows:
        return
    values = _bound(connection, table, columns, rows)
    name = quoted(table.name)
    delete = doing == "DELETE"
    if not _copies(connection, rows):
        verb = f"DELETE FROM {name}" if delete else f"UPDATE {name} {doing}"
        statement, order = _placed(connection, f"{verb} WHERE {where}", columns)
        connection.exec_driver_sql(statement, [tuple(row[at] for at in order) for row in values])
        return
    with _staged(connection, table, columns, values) as stage:
        verb = (
            f"DELETE FROM {name} USING {stage}" if delete else f"UPDATE {name} {doing} FROM {stage}"
        )
        named = {column: f"{stage}.{quoted(column)}" for column in columns}
        connection.exec_driver_sql(f"{verb} WHERE {where}".format_map(named))


def quoted(name: str) -> str:
    """A name of a table or column as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def _put(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Values],
    conflict: str,
) -> None:
    if not rows:
        return
    values = _bound(connection, table, columns, rows)
    if not _copies(connection, rows):
        statement = f"{_insert(connection, table, columns)} {conflict}"
        connection.exec_driver_sql(statement, values)
        return
    from psycopg.errors import UniqueViolation

    try:
        with connection.begin_nested():
            _copy(connection, table.name, table, columns, values)
        return
    except UniqueViolation:
        pass  # Seldom: what is read of a chain is read once.
    with _staged(connection, table, columns, values) as stage:
        named = ", ".join(map(quoted, columns))
        connection.exec_driver_sql(
            f"INSERT INTO {quoted(table.name)} ({named}) SELECT {named} FROM {stage} {conflict}"
        )


def _copies(connection: Connection, rows: Sequence[Values]) -> bool:
    return connection.dialect.name == "postgresql" and len(rows) > FEW


def _insert(connection: Connection, table: Table, columns: Sequence[str]) -> str:
    named = ", ".join(map(quoted, columns))
    marks = ", ".join([_mark(connection)] * len(columns))
    return f"INSERT INTO {quoted(table.name)} ({named}) VALUES ({marks})"


def _mark(connection: Connection) -> str:
    return "%s" if connection.dialect.name == "postgresql" else "?"


def _placed(connection: Connection, text: str, columns: Sequence[str]) -> tuple[str, list[int]]:
    """The statement with marks, and which of the row's values each mark takes."""
    order: list[int] = []

    class Places(dict[str, str]):
        def __missing__(self, column: str) -> str:
            order.append(columns.index(column))
            return _mark(connection)

    return text.format_map(Places()), order


@contextmanager
def _staged(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Values]
) -> Iterator[str]:
    """A temporary table that holds these rows."""
    stage = f"stage_{next(_numbers)}"
    named = ", ".join(map(quoted, columns))
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE {stage} ON COMMIT DROP AS "
        f"SELECT {named} FROM {quoted(table.name)} WITH NO DATA"
    )
    _copy(connection, stage, table, columns, rows)
    yield stage
    connection.exec_driver_sql(f"DROP TABLE {stage}")


def _copy(
    connection: Connection,
    target: str,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Values],
) -> None:
    """COPY as psycopg does it, on the connection that SQLAlchemy holds."""
    named = ", ".join(map(quoted, columns))
    begin = f"COPY {quoted(target)} ({named}) FROM STDIN (FORMAT BINARY)"
    cursor: Any = connection.connection.cursor()
    with cursor, cursor.copy(begin) as copy:
        copy.set_types([_pg_type(table.c[name].type) for name in columns])
        write = copy.write_row
        for row in rows:
            write(row)


def _pg_type(column: TypeEngine[Any]) -> str:
    """What PostgreSQL calls a column's type."""
    return next(name for kind, name in _PG_TYPES if isinstance(column, kind))


def _bound(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Values]
) -> list[Values]:
    """The rows as the database's driver takes them."""
    changed = _converters(connection.dialect.name, table, columns)
    if not changed:
        return list(rows)
    found = []
    for row in rows:
        values = list(row)
        for at, convert in changed:
            if values[at] is not None:
                values[at] = convert(values[at])
        found.append(tuple(values))
    return found


def _converters(
    dialect: str, table: Table, columns: Sequence[str]
) -> list[tuple[int, Callable[[Any], Any]]]:
    kind, convert = (
        (AnyText, written_text) if dialect == "postgresql" else (WideInteger, to_sortable)
    )
    return [
        (at, convert) for at, name in enumerate(columns) if isinstance(table.c[name].type, kind)
    ]
