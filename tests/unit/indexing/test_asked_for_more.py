"""A contract that is asked for more events than before is read again, by an ordinary run."""

from __future__ import annotations

import asyncio

from sqlalchemy import delete, func, select, update

from defirisk.indexing.run import index
from defirisk.store.base_tables import asked_events, raw_logs
from defirisk.store.database import Store
from tests.demo import demo_markets, demo_reader


def test_logs_that_nobody_asked_for_until_now_are_read(demo_copy: Store) -> None:
    """As if one event of a contract had only been wanted from this run on."""
    with demo_copy.transaction() as connection:
        count = func.count().label("logs")
        by_event = select(raw_logs.c.contract_address, raw_logs.c.topic0, count)
        by_event = by_event.group_by(raw_logs.c.contract_address, raw_logs.c.topic0)
        address, topic, logs = max(connection.execute(by_event), key=lambda row: int(row.logs))
        mine = asked_events.c.contract_address == address
        asked: bytes = connection.execute(select(asked_events.c.topics).where(mine)).scalar_one()
        topics = [asked[at : at + 32] for at in range(0, len(asked), 32)]
        assert topic in topics
        fewer = b"".join(one for one in topics if one != topic)
        connection.execute(update(asked_events).where(mine).values(topics=fewer))
        its = (raw_logs.c.contract_address == address, raw_logs.c.topic0 == topic)
        connection.execute(delete(raw_logs).where(*its))

    asyncio.run(index(demo_reader(), demo_copy, demo_markets(), "finalized"))

    with demo_copy.transaction() as connection:
        again = connection.execute(select(func.count()).where(*its)).scalar_one()
    assert again == logs > 10
