"""The derived layer: rows with validity, written by folds and read at any block.

`FoldState` holds the rows that one batch of logs touches, and nothing else; writing it out leaves
one version per key and block. Undoing a block is deleting what it wrote and reopening what it
closed, so that fold, undo, fold equals fold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from operator import attrgetter
from typing import Any, cast

from sqlalchemy import Connection, delete, or_, select, tuple_, update

from defirisk.core.adapter import Adapter
from defirisk.core.row import Key, R, Row, key_of
from defirisk.store.bulk import change_each, insert_rows, quoted
from defirisk.store.row_tables import row_table
from defirisk.store.types import by_code_point

_KEYS_PER_QUERY = 200
_Version = tuple[int, Row]  # valid from this block


class FoldState:
    """Rows of one deployment while a batch is folded. Implements `core.row.State`.

    `at` is the block that is being folded; set it before each log.
    """

    def __init__(self, connection: Connection, deployment_id: int, first_block: int) -> None:
        self._connection = connection
        self._deployment_id = deployment_id
        self._first_block = first_block
        self._open: dict[type[Row], dict[Key, _Version | None]] = defaultdict(dict)
        self._written: dict[type[Row], dict[Key, list[_Version]]] = defaultdict(dict)
        self._begun: dict[type[Row], dict[Key, int]] = defaultdict(dict)
        self.at = first_block

    def prefetch(self, keys: Iterable[tuple[type[Row], Key]]) -> None:
        """Loads the current rows of these keys, in few queries."""
        wanted: dict[type[Row], set[Key]] = defaultdict(set)
        for row_type, key in keys:
            if key not in self._open[row_type]:
                wanted[row_type].add(key)
        for row_type, missing in wanted.items():
            ordered = sorted(missing)
            for at in range(0, len(ordered), _KEYS_PER_QUERY):
                self._load(row_type, ordered[at : at + _KEYS_PER_QUERY])

    def _load(self, row_type: type[Row], keys: list[Key]) -> None:
        table = row_table(row_type)
        names = list(row_type.__dataclass_fields__)  # type: ignore[attr-defined]
        key_columns = [table.c[name] for name in row_type.key]
        query = select(table.c.valid_from_block, *(table.c[name] for name in names)).where(
            table.c.deployment_id == self._deployment_id,
            table.c.valid_to_block.is_(None),
            tuple_(*key_columns).in_(keys),
        )
        held, begun = self._open[row_type], self._begun[row_type]
        held.update(dict.fromkeys(keys))
        for start, *values in self._connection.execute(query):
            row = row_type(**dict(zip(names, values, strict=True)))
            key = key_of(row)
            held[key] = (start, row)
            begun[key] = start

    def get(self, row_type: type[R], *key: Any) -> R:
        """The current row of this key; a row of defaults where none was written."""
        version = self._current(row_type, key)
        if version is None:
            return row_type(**dict(zip(row_type.key, key, strict=True)))
        return cast(R, version[1])

    def put(self, row: Row) -> None:
        """Makes `row` the current version of its key, from the block that is being folded."""
        self._store(row, self.at)

    def amend(self, row: Row) -> None:
        """Corrects the current version in place, or writes it from the first block on."""
        version = self._current(type(row), key_of(row))
        self._store(row, self._first_block if version is None else version[0])

    def _current(self, row_type: type[Row], key: Key) -> _Version | None:
        if key not in self._open[row_type]:
            self._load(row_type, [key])
        return self._open[row_type][key]

    def _store(self, row: Row, start: int) -> None:
        row_type, key = type(row), key_of(row)
        version = self._current(row_type, key)
        if version is not None and version[1] == row:
            return
        versions = self._written[row_type].setdefault(key, [])
        if versions and versions[-1][0] == start:
            versions.pop()
        versions.append((start, row))
        self._open[row_type][key] = (start, row)

    def write(self) -> int:
        """Writes every version; returns how many. One per key and block."""
        count = 0
        for row_type, by_key in self._written.items():
            count += self._write_type(row_type, by_key)
        self._written.clear()
        return count

    def _write_type(self, row_type: type[Row], by_key: dict[Key, list[_Version]]) -> int:
        names = list(row_type.__dataclass_fields__)  # type: ignore[attr-defined]
        values_of = _values(names)
        begun, mine = self._begun[row_type], self._deployment_id
        replaced, closed = list[Key](), list[Key]()
        inserts = []
        for key, versions in by_key.items():
            first = versions[0][0]
            if key in begun:
                (replaced if begun[key] >= first else closed).append((mine, *key, first))
            ends = [start for start, _ in versions[1:]]
            for (start, row), end in zip(versions, [*ends, None], strict=True):
                inserts.append((mine, start, end, *values_of(row)))
            begun[key] = versions[-1][0]
        self._end(row_type, replaced, closed)
        columns = ("deployment_id", "valid_from_block", "valid_to_block", *names)
        insert_rows(self._connection, row_table(row_type), columns, inserts)
        return len(inserts)

    def _end(self, row_type: type[Row], replaced: list[Key], closed: list[Key]) -> None:
        """Makes way for versions that begin at the block behind each key: what began there or
        later goes, what began before ends there.
        """
        table = row_table(row_type)
        columns = ("deployment_id", *row_type.key, "valid_from_block")
        same = [f"{quoted(table.name)}.{quoted(n)} = {{{n}}}" for n in columns[:-1]]
        start, end = (
            f"{quoted(table.name)}.{quoted(name)}"
            for name in ("valid_from_block", "valid_to_block")
        )
        change_each(
            self._connection,
            table,
            columns,
            replaced,
            doing="DELETE",
            where=" AND ".join([*same, f"{start} >= {{valid_from_block}}"]),
        )
        change_each(
            self._connection,
            table,
            columns,
            closed,
            doing='SET "valid_to_block" = {valid_from_block}',
            where=" AND ".join([*same, f"{end} IS NULL"]),
        )


def _values(names: list[str]) -> Any:
    """What gives these fields of a row as a tuple."""
    if len(names) == 1:
        one = attrgetter(names[0])
        return lambda row: (one(row),)
    return attrgetter(*names)


def to_row(row_type: type[R], found: Any) -> R:
    """A row of the database as its dataclass."""
    return row_type(**{name: found[name] for name in row_type.__dataclass_fields__})  # type: ignore[attr-defined]


def undo_after(connection: Connection, adapter: Adapter, deployment_id: int, block: int) -> None:
    """Takes every row of a deployment back to what it was after `block`."""
    for row_type in adapter.rows:
        table = row_table(row_type)
        mine = table.c.deployment_id == deployment_id
        connection.execute(delete(table).where(mine, table.c.valid_from_block > block))
        connection.execute(
            update(table).where(mine, table.c.valid_to_block > block).values(valid_to_block=None)
        )


class StoredRows:
    """All rows of a deployment that are valid at one block. Implements `core.row.Rows`."""

    def __init__(self, connection: Connection, deployment_id: int, block: int) -> None:
        self._connection = connection
        self._deployment_id = deployment_id
        self._block = block
        self._loaded: dict[type[Row], dict[Key, Row]] = {}

    def _rows(self, row_type: type[Row]) -> dict[Key, Row]:
        if row_type not in self._loaded:
            table = row_table(row_type)
            query = (
                select(table)
                .where(
                    table.c.deployment_id == self._deployment_id,
                    table.c.valid_from_block <= self._block,
                    or_(table.c.valid_to_block.is_(None), table.c.valid_to_block > self._block),
                )
                .order_by(*(by_code_point(self._connection, table.c[n]) for n in row_type.key))
            )
            rows = (to_row(row_type, found) for found in self._connection.execute(query).mappings())
            self._loaded[row_type] = {key_of(row): row for row in rows}
        return self._loaded[row_type]

    def all(self, row_type: type[R]) -> Iterable[R]:
        """Every row of this type, in the order of their keys."""
        return cast(Iterable[R], self._rows(row_type).values())

    def find(self, row_type: type[R], *key: Any) -> R | None:
        """The row of this key, if one was ever written."""
        return cast("R | None", self._rows(row_type).get(key))
