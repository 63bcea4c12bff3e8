"""Alerts that are on: whoever was told of one is told again only when it is over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, delete, insert, select

from defirisk.store.base_tables import alerts


def alerts_on(connection: Connection) -> dict[str, str]:
    """What was said of each alert that is on, by its name."""
    query = select(alerts.c.alert, alerts.c.said).order_by(alerts.c.alert)
    return {row.alert: row.said for row in connection.execute(query)}


def put_alerts(connection: Connection, said: Mapping[str, str], now_ts: int) -> None:
    """Notes alerts that somebody was told of."""
    rows = [{"alert": alert, "since_ts": now_ts, "said": text} for alert, text in said.items()]
    if rows:
        connection.execute(insert(alerts), rows)


def end_alerts(connection: Connection, names: Iterable[str]) -> None:
    """Alerts that are over."""
    connection.execute(delete(alerts).where(alerts.c.alert.in_(list(names))))
