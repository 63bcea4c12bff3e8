"""Which events the verified ranges of a contract are complete for.

A range that was read for some events says nothing of others. Where a contract is asked for more (a
second deployment watches it, an adapter learned an event), its ranges are taken back, and read
again. A contract of which this is not known has been asked for nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select

from defirisk.core.evm import Address
from defirisk.store.base_tables import asked_events, verified_ranges
from defirisk.store.bulk import upsert
from defirisk.store.ranges import forget_verified

_ASKED = ("chain_id", "contract_address", "topics")
_TOPIC = 32


def ask_for(
    connection: Connection, chain_id: int, wanted: Mapping[Address, Iterable[bytes]]
) -> None:
    """From now on these contracts are asked for logs with these first topics, and no others."""
    query = select(asked_events.c.contract_address, asked_events.c.topics)
    query = query.where(asked_events.c.chain_id == chain_id)
    asked = {address: _cut(topics) for address, topics in connection.execute(query)}
    changed = {
        address: topics
        for address, topics in ((address, set(topics)) for address, topics in wanted.items())
        if asked.get(address) != topics
    }
    more = [address for address, topics in changed.items() if topics - asked.get(address, set())]
    forget_verified(connection, chain_id, more)
    rows = [(chain_id, address, b"".join(sorted(topics))) for address, topics in changed.items()]
    upsert(connection, asked_events, _ASKED, rows)


def asked_beyond(
    connection: Connection, chain_id: int, block: int
) -> list[tuple[tuple[Address, ...], tuple[bytes, ...]]]:
    """Contracts whose logs are complete beyond a block, grouped by the first topics they hold."""
    same = verified_ranges.c.contract_address == asked_events.c.contract_address
    query = (
        select(asked_events.c.contract_address, asked_events.c.topics)
        .join(verified_ranges, same & (verified_ranges.c.chain_id == asked_events.c.chain_id))
        .where(asked_events.c.chain_id == chain_id, verified_ranges.c.last_block > block)
        .order_by(asked_events.c.contract_address)
        .distinct()
    )
    groups: dict[bytes, list[Address]] = defaultdict(list)
    for address, topics in connection.execute(query):
        groups[topics].append(address)
    return [(tuple(groups[topics]), tuple(sorted(_cut(topics)))) for topics in sorted(groups)]


def _cut(topics: bytes) -> set[bytes]:
    return {topics[at : at + _TOPIC] for at in range(0, len(topics), _TOPIC)}
