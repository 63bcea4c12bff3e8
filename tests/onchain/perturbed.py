"""A store with one number changed, for as long as a test looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select, update

from defirisk.core.row import Row
from defirisk.store.database import Store
from defirisk.store.row_tables import row_table


def _any(_: Mapping[str, Any]) -> bool:
    return True


@contextmanager
def changed(
    store: Store,
    row_type: type[Row],
    column: str,
    by: int = 1,
    *,
    largest: str = "",
    among: Callable[[Mapping[str, Any]], bool] = _any,
) -> Iterator[None]:
    """Of the current row with the largest number, this one is `by` higher; a flag is turned."""
    table = row_table(row_type)
    current = table.c.valid_to_block.is_(None)
    with store.engine.connect() as connection:
        rows = connection.execute(select(table).where(current)).mappings().all()
    chosen = [row for row in rows if among(dict(row))]
    victim = max(chosen, key=lambda row: abs(int(row[largest or column])))
    here = [current, *(table.c[name] == victim[name] for name in row_type.key)]

    def put(value: object) -> None:
        with store.transaction() as connection:
            connection.execute(update(table).where(*here).values(**{column: value}))

    old = victim[column]
    put(not old if isinstance(old, bool) else old + by)
    try:
        yield
    finally:
        put(old)
