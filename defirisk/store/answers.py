"""What views answered, by the blocks where runs ended. Works within the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from defirisk.core.evm import Block, Call, CallResult
from defirisk.store.base_tables import raw_calls
from defirisk.store.raw import block_at

_ADDRESSES_PER_QUERY = 500


def run_ends(connection: Connection, chain_id: int, after: int, up_to: int) -> list[Block]:
    """The blocks in (`after`, `up_to`] at which views were asked, ascending."""
    query = (
        select(raw_calls.c.block_number)
        .where(
            raw_calls.c.chain_id == chain_id,
            raw_calls.c.block_number > after,
            raw_calls.c.block_number <= up_to,
        )
        .distinct()
        .order_by(raw_calls.c.block_number)
    )
    found = (block_at(connection, chain_id, number) for (number,) in connection.execute(query))
    return [block for block in found if block is not None]


def answers_at(
    connection: Connection, chain_id: int, number: int, calls: Sequence[Call]
) -> dict[Call, CallResult]:
    """The answers at a block to those of these calls that were asked there."""
    wanted = frozenset(calls)
    addresses = sorted({call.to for call in wanted})
    query = select(
        raw_calls.c.contract_address, raw_calls.c.calldata, raw_calls.c.ok, raw_calls.c.answer
    ).where(
        raw_calls.c.chain_id == chain_id,
        raw_calls.c.block_number == number,
        raw_calls.c.contract_address.in_(bindparam("addresses", expanding=True)),
    )
    found = {}
    for at in range(0, len(addresses), _ADDRESSES_PER_QUERY):
        some = {"addresses": addresses[at : at + _ADDRESSES_PER_QUERY]}
        for address, calldata, ok, answer in connection.execute(query, some):
            call = Call(address, bytes(calldata))
            if call in wanted:
                found[call] = CallResult(bool(ok), bytes(answer))
    return found
