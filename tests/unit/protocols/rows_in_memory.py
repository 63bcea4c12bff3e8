"""The rows of a fold in a dictionary: enough to see what one event or view does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from defirisk.core.row import Key, R, Row, key_of


class RowsInMemory:
    """Implements `core.row.State` and `core.row.Rows`, for one block only."""

    def __init__(self, *rows: Row) -> None:
        self._held: dict[tuple[type[Row], Key], Row] = {}
        for row in rows:
            self.put(row)

    def get(self, row_type: type[R], *key: Any) -> R:
        found = self._held.get((row_type, key))
        return cast(R, found) if found else row_type(**dict(zip(row_type.key, key, strict=True)))

    def put(self, row: Row) -> None:
        self._held[type(row), key_of(row)] = row

    amend = put

    def all(self, row_type: type[R]) -> Iterable[R]:
        return cast("list[R]", [row for (kind, _), row in self._held.items() if kind is row_type])

    def find(self, row_type: type[R], *key: Any) -> R | None:
        return cast("R | None", self._held.get((row_type, key)))
