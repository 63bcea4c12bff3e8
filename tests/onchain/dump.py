"""Everything that a store holds, as plain values: two stores are equal if their dumps are."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from defirisk.store.base_tables import metadata
from defirisk.store.database import Store

READ_AT_RUNS = frozenset(
    {
        *("raw_calls", "blocks", "tokens", "watched_contracts"),
        *("aave_v3_prices", "chainlink_feeds", "erc4626_total_assets"),
    }
)
"""What views said, and when, depends on where runs ended; what logs said does not."""

HOW_IT_CAME = frozenset(
    {"reorgs", "reorged_blocks", "audits", "alerts", "leases", "endpoint_health"}
)
"""What happened on the way, and what it took: never compared."""


def dump(
    store: Store, *, without: frozenset[str] = frozenset()
) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table, sorted, by the table's name."""
    with store.transaction() as connection:
        return {
            table.name: sorted(tuple(row) for row in connection.execute(select(table)))
            for table in metadata.sorted_tables
            if table.name not in without | HOW_IT_CAME
        }
