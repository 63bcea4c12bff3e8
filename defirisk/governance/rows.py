"""A deployment's rows in memory, some of them replaced: what the adapter would say of those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from defirisk.core.row import Key, R, Row, Rows, key_of


class HeldRows:
    """Rows that need no store any more. Implements `core.row.Rows`."""

    def __init__(self, by_type: Mapping[type[Row], Mapping[Key, Row]]) -> None:
        self._by_type = by_type

    def all(self, row_type: type[R]) -> Iterable[R]:
        """Every row of this type, in the order of their keys."""
        return cast(Iterable[R], self._by_type.get(row_type, {}).values())

    def find(self, row_type: type[R], *key: Any) -> R | None:
        """The row of this key, if there is one."""
        return cast("R | None", self._by_type.get(row_type, {}).get(key))

    def replaced(self, rows: Iterable[Row]) -> HeldRows:
        """With these instead of those of the same keys; the others are shared."""
        changed = {row_type: dict(held) for row_type, held in self._by_type.items()}
        for row in rows:
            changed[type(row)][key_of(row)] = row
        return HeldRows(changed)


def held(rows: Rows, types: Iterable[type[Row]]) -> HeldRows:
    """All rows of these types, taken out of wherever they are."""
    return HeldRows({kind: {key_of(row): row for row in rows.all(kind)} for kind in types})
