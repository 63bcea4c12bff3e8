"""What audits of a chain did, over all its runs. Works within the caller's transaction."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from defirisk.store.base_tables import audits


class StoredAudit(NamedTuple):
    """Sums over all runs: `checked` of `population` blocks (ranges, totals) were looked at with
    `calls` JSON-RPC calls, `suspicious` were asked again, `gained` logs came of it. `always` of the
    checked were no part of a sample.
    """

    audit: str
    population: int
    checked: int
    always: int
    calls: int
    suspicious: int
    gained: int
    note: str


def stored_audits(connection: Connection, chain_id: int) -> list[StoredAudit]:
    """By name."""
    query = select(audits).where(audits.c.chain_id == chain_id).order_by(audits.c.audit)
    return [
        StoredAudit(
            audit=row.audit,
            population=row.population,
            checked=row.checked,
            always=row.always,
            calls=row.calls,
            suspicious=row.suspicious,
            gained=row.gained,
            note=row.note,
        )
        for row in connection.execute(query)
    ]


def add_audit(connection: Connection, chain_id: int, done: StoredAudit) -> None:
    """Adds what a run did to what was done before; its note replaces the one before."""
    known = {one.audit: one for one in stored_audits(connection, chain_id)}.get(done.audit)
    if known is not None:
        done = StoredAudit(
            audit=done.audit,
            population=known.population + done.population,
            checked=known.checked + done.checked,
            always=known.always + done.always,
            calls=known.calls + done.calls,
            suspicious=known.suspicious + done.suspicious,
            gained=known.gained + done.gained,
            note=done.note or known.note,
        )
    mine = audits.c.chain_id == chain_id, audits.c.audit == done.audit
    connection.execute(delete(audits).where(*mine))
    connection.execute(insert(audits).values(chain_id=chain_id, **done._asdict()))
