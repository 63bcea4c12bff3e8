"""Which blocks of a contract are read completely: inclusive ranges, joined where they touch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, bindparam, delete, select

from defirisk.core.evm import Address
from defirisk.store.base_tables import verified_ranges
from defirisk.store.bulk import change_each, upsert

_ADDRESSES_PER_QUERY = 500
_RANGE = ("chain_id", "contract_address", "first_block", "last_block")


def verified(connection: Connection, chain_id: int, address: Address) -> list[tuple[int, int]]:
    """The block ranges of a contract whose logs are stored completely, ascending, disjoint."""
    query = (
        select(verified_ranges.c.first_block, verified_ranges.c.last_block)
        .where(
            verified_ranges.c.chain_id == chain_id,
            verified_ranges.c.contract_address == address,
        )
        .order_by(verified_ranges.c.first_block)
    )
    return [(first, last) for first, last in connection.execute(query)]


def add_verified(
    connection: Connection, chain_id: int, addresses: Iterable[Address], first: int, last: int
) -> None:
    """Marks [first, last] complete for these contracts, joined with what touches it."""
    wanted = sorted(set(addresses))
    kept: dict[Address, tuple[int, int]] = dict.fromkeys(wanted, (first, last))
    dropped = []
    for address, start, end in _touching(connection, chain_id, wanted, first, last):
        dropped.append((chain_id, address, start, end))
        low, high = kept[address]
        kept[address] = (min(low, start), max(high, end))
    # What begins where the joined range does is brought up to date; the rest is in it now.
    change_each(
        connection,
        verified_ranges,
        _RANGE,
        [row for row in dropped if row[2] != kept[row[1]][0]],
        doing="DELETE",
        where="verified_ranges.chain_id = {chain_id} "
        "AND verified_ranges.contract_address = {contract_address} "
        "AND verified_ranges.first_block = {first_block}",
    )
    rows = [(chain_id, address, start, end) for address, (start, end) in kept.items()]
    upsert(connection, verified_ranges, _RANGE, rows)


def _touching(
    connection: Connection, chain_id: int, addresses: Sequence[Address], first: int, last: int
) -> Iterator[tuple[Address, int, int]]:
    """The verified ranges of these contracts that overlap [first, last] or lie next to it."""
    columns = verified_ranges.c
    query = select(columns.contract_address, columns.first_block, columns.last_block).where(
        columns.chain_id == chain_id,
        columns.contract_address.in_(bindparam("addresses", expanding=True)),
        columns.first_block <= last + 1,
        columns.last_block >= first - 1,
    )
    for some in in_pieces(addresses):
        yield from (tuple(row) for row in connection.execute(query, {"addresses": some}))


def in_pieces(addresses: Sequence[Address]) -> Iterator[list[Address]]:
    """As many as one query bears, at a time."""
    for at in range(0, len(addresses), _ADDRESSES_PER_QUERY):
        yield list(addresses[at : at + _ADDRESSES_PER_QUERY])


def joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Inclusive ranges, sorted, with those that overlap or touch made one."""
    result: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if result and first <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(last, result[-1][1]))
        else:
            result.append((first, last))
    return result


def missing(ranges: Iterable[tuple[int, int]], first: int, last: int) -> list[tuple[int, int]]:
    """What of [first, last] is in none of the ranges."""
    gaps = []
    at = first
    for start, end in joined(ranges):
        if start > at:
            gaps.append((at, min(start - 1, last)))
        at = max(at, end + 1)
        if at > last:
            break
    if at <= last:
        gaps.append((at, last))
    return [(start, end) for start, end in gaps if start <= end]


def forget_verified(connection: Connection, chain_id: int, addresses: Iterable[Address]) -> None:
    """Takes back that the logs of these contracts are complete: they will be fetched again."""
    for some in in_pieces(sorted(set(addresses))):
        connection.execute(
            delete(verified_ranges).where(
                verified_ranges.c.chain_id == chain_id,
                verified_ranges.c.contract_address.in_(some),
            )
        )
