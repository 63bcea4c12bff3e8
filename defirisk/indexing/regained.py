"""Logs that come late: what was folded past them is taken back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from defirisk.core.evm import RawLog
from defirisk.core.plugins import adapters
from defirisk.indexing.rewinding import rewind_deployment
from defirisk.store.base_tables import raw_logs
from defirisk.store.registry import StoredDeployment, stored_deployments, watched


def rewind_behind(connection: Connection, chain_id: int, logs: Sequence[RawLog]) -> None:
    """Rewinds every deployment that was folded past one of these logs which is not stored yet.

    To be called before they are stored, in the same transaction.
    """
    if not logs:
        return
    first = min(log.block_number for log in logs)
    passed = [
        stored
        for stored in stored_deployments(connection)
        if stored.deployment.chain_id == chain_id
        and stored.deployment.protocol in adapters()
        and stored.folded_to >= first
    ]
    late = _unstored(connection, chain_id, logs) if passed else []
    for stored in passed:
        block = _first_watched(connection, stored, late)
        if block is not None and block <= stored.folded_to:
            rewind_deployment(connection, stored, block - 1)


def _unstored(connection: Connection, chain_id: int, logs: Sequence[RawLog]) -> list[RawLog]:
    numbers = [log.block_number for log in logs]
    query = select(raw_logs.c.block_number, raw_logs.c.evt_index).where(
        raw_logs.c.chain_id == chain_id,
        raw_logs.c.block_number.between(min(numbers), max(numbers)),
    )
    known = {(number, index) for number, index in connection.execute(query)}
    return [log for log in logs if (log.block_number, log.log_index) not in known]


def _first_watched(
    connection: Connection, stored: StoredDeployment, logs: Iterable[RawLog]
) -> int | None:
    since = {c.address: c.first_block for c in watched(connection, stored.id)}
    return min(
        (
            log.block_number
            for log in logs
            if log.address in since and log.block_number >= since[log.address]
        ),
        default=None,
    )
