"""Remembers which blocks were compared with the contracts, and how that went."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from defirisk.core.verdict import Checked, Verdict
from defirisk.store.base_tables import verifications


def put_verdict(connection: Connection, deployment_id: int, verdict: Verdict) -> None:
    """Stores a verdict, in place of an earlier one of the same block."""
    mine = (verifications.c.deployment_id == deployment_id) & (
        verifications.c.block_number == verdict.block.number
    )
    connection.execute(delete(verifications).where(mine))
    connection.execute(
        insert(verifications).values(
            deployment_id=deployment_id,
            block_number=verdict.block.number,
            block_hash=verdict.block.hash,
            accounts=verdict.accounts,
            compared=verdict.compared,
            only_read=verdict.read,
            mismatches=len(verdict.mismatches),
        )
    )


def last_checked(connection: Connection, deployment_id: int, at_most: int) -> Checked | None:
    """The latest comparison at or before a block."""
    query = (
        select(verifications)
        .where(
            verifications.c.deployment_id == deployment_id,
            verifications.c.block_number <= at_most,
        )
        .order_by(verifications.c.block_number.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Checked(
        block_number=row.block_number,
        accounts=row.accounts,
        compared=row.compared,
        mismatches=row.mismatches,
    )


def forget_verdicts_after(connection: Connection, deployment_id: int, block: int) -> None:
    """Drops comparisons at blocks that are no longer canonical, or whose rows were made anew."""
    connection.execute(
        delete(verifications).where(
            verifications.c.deployment_id == deployment_id, verifications.c.block_number > block
        )
    )
