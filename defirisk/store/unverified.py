"""Ranges in which logs may be missing: they are no verified ranges, and are asked for again.

Every function works within the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from defirisk.core.evm import Address
from defirisk.store.base_tables import unverified_ranges
from defirisk.store.ranges import add_verified, forget_verified, missing, verified


class Unverified(NamedTuple):
    """Blocks in which logs of a contract may be missing; `since_ts` is UTC seconds."""

    contract: Address
    first_block: int
    last_block: int
    audit: str
    reason: str
    since_ts: int


def put_unverified(connection: Connection, chain_id: int, marks: Iterable[Unverified]) -> None:
    """Marks ranges, and takes back that their logs are complete. A mark that is there stays."""
    known = {(m.contract, m.first_block, m.audit) for m in unverified(connection, chain_id)}
    for mark in marks:
        _take_back(connection, chain_id, mark.contract, mark.first_block, mark.last_block)
        if (mark.contract, mark.first_block, mark.audit) in known:
            continue
        connection.execute(
            insert(unverified_ranges).values(
                chain_id=chain_id,
                contract_address=mark.contract,
                first_block=mark.first_block,
                last_block=mark.last_block,
                audit=mark.audit,
                reason=mark.reason,
                since_ts=mark.since_ts,
            )
        )


def unverified(connection: Connection, chain_id: int) -> list[Unverified]:
    """Every mark of a chain, by block."""
    table = unverified_ranges
    query = (
        select(table)
        .where(table.c.chain_id == chain_id)
        .order_by(table.c.first_block, table.c.contract_address, table.c.audit)
    )
    return [
        Unverified(
            contract=row.contract_address,
            first_block=row.first_block,
            last_block=row.last_block,
            audit=row.audit,
            reason=row.reason,
            since_ts=row.since_ts,
        )
        for row in connection.execute(query)
    ]


def clear_unverified(
    connection: Connection,
    chain_id: int,
    contracts: Collection[Address],
    first: int,
    last: int,
    audits: Collection[str],
) -> None:
    """Drops what marks of these audits say of [first, last]; the rest of a mark stays."""
    wanted = frozenset(contracts)
    table = unverified_ranges
    for mark in unverified(connection, chain_id):
        if mark.contract not in wanted or mark.audit not in audits:
            continue
        rest = missing([(first, last)], mark.first_block, mark.last_block)
        if rest == [(mark.first_block, mark.last_block)]:
            continue
        connection.execute(
            delete(table).where(
                table.c.chain_id == chain_id,
                table.c.contract_address == mark.contract,
                table.c.first_block == mark.first_block,
                table.c.audit == mark.audit,
            )
        )
        left = [mark._replace(first_block=start, last_block=end) for start, end in rest]
        put_unverified(connection, chain_id, left)


def take_back(
    connection: Connection, chain_id: int, contracts: Iterable[Address], first: int, last: int
) -> None:
    """The logs of these contracts in [first, last] are to be fetched again."""
    for contract in contracts:
        _take_back(connection, chain_id, contract, first, last)


def _take_back(
    connection: Connection, chain_id: int, contract: Address, first: int, last: int
) -> None:
    ranges = verified(connection, chain_id, contract)
    if not any(start <= last and first <= end for start, end in ranges):
        return
    forget_verified(connection, chain_id, [contract])
    for start, end in ranges:
        for kept in missing([(first, last)], start, end):
            add_verified(connection, chain_id, [contract], *kept)


def forget_unverified_after(connection: Connection, chain_id: int, block: int) -> None:
    """Drops what marks say of blocks after `block`: they are no longer canonical."""
    table = unverified_ranges
    mine = table.c.chain_id == chain_id
    connection.execute(delete(table).where(mine, table.c.first_block > block))
    cut = table.update().where(mine, table.c.last_block > block)
    connection.execute(cut.values(last_block=block))
