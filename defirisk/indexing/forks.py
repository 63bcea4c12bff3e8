"""Whether the node's chain still is the one that was read, and where they part.

A head below ours is a node that lags, and no reorg: only a hash that differs is one, or a parent
that does not fit. And that only counts once it was said twice, since behind a balancer one node may
be of another opinion than the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from defirisk.core.errors import FinalityBroken, ReorgDetected
from defirisk.core.evm import Block, ChainReader, Hash
from defirisk.store.database import Store
from defirisk.store.registry import find_chain
from defirisk.store.reorgs import (
    Link,
    forget_recent,
    put_recent,
    recent_links,
    stored_hashes,
)

MOST_RECENT = 5_000
"""Headers that are kept at most, where finality is further away or never comes."""
_AT_ONCE = 256
"""Headers that are compared at once, from the last one downwards."""
_ROUNDS = 5
_PAUSE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """The store and the node agree up to `ancestor` (-1: on nothing) and no further.

    `lost` are the stored hashes above it by number, `first` the lowest block of which both hashes
    are known, `new_hash` the node's.
    """

    ancestor: int
    lost: Mapping[int, Hash]
    first: int
    new_hash: Hash

    @property
    def depth(self) -> int:
        """How many blocks of those that were read are lost."""
        return max(self.lost) - self.ancestor


async def find_fork(
    reader: ChainReader, store: Store, chain_id: int, head: Block, *, suspicious: bool = False
) -> Fork | None:
    """Where the stored chain and the node's part; None where they do not.

    The last block that both know decides, without any request where `head` is it or its child;
    all recent blocks are compared where something is `suspicious`.
    Errors: `FinalityBroken` where what differs was final, `ReorgDetected` where nodes that answer
    in turn do not agree.
    """
    with store.transaction() as connection:
        last = stored_hashes(connection, chain_id, up_to=head.number, most=1)
    if not last or (not suspicious and await _still_there(reader, last[0], head)):
        return None
    fork = await _parting(reader, store, chain_id, head.number)
    if fork is not None:
        _refuse_final(store, chain_id, fork)
    return fork


async def _still_there(reader: ChainReader, last: tuple[int, Hash], head: Block) -> bool:
    number, block_hash = last
    if head.number == number + 1:
        return head.parent_hash == block_hash
    found = head if head.number == number else await reader.block(number)
    return found.hash == block_hash


async def _parting(reader: ChainReader, store: Store, chain_id: int, head: int) -> Fork | None:
    """Downwards until all of some blocks are as stored."""
    below = head
    differs: dict[int, Hash] = {}
    while True:
        with store.transaction() as connection:
            known = stored_hashes(connection, chain_id, up_to=below, most=_AT_ONCE)
        if not known:
            break
        numbers = sorted({number for number, _ in known})
        found = await _settled(reader, numbers)
        new = {number: found[number] for number, stored in known if found[number] != stored}
        differs |= new
        below = numbers[0] - 1
        if not new:
            break
    return _fork(store, chain_id, differs) if differs else None


def _fork(store: Store, chain_id: int, differs: Mapping[int, Hash]) -> Fork:
    first = min(differs)
    with store.transaction() as connection:
        below = stored_hashes(connection, chain_id, up_to=first - 1, most=1)
        ancestor = below[0][0] if below else -1
        lost = dict(stored_hashes(connection, chain_id, after=ancestor))
    return Fork(ancestor=ancestor, lost=lost, first=first, new_hash=differs[first])


async def _settled(reader: ChainReader, numbers: Sequence[int]) -> dict[int, Hash]:
    """The node's hashes of these blocks, once it has said the same twice."""
    before: dict[int, Hash] | None = None
    for asked in range(_ROUNDS):
        headers = await reader.blocks(numbers)
        found = {header.number: header.hash for header in headers}
        sound = first_unlinked(headers) is None
        if sound and found == before:
            return found
        before = found if sound else None
        if asked:
            await asyncio.sleep(_PAUSE * 2**asked)
    raise ReorgDetected(
        f"the node gives one block {numbers[-1]} and then another: run the command again, or use "
        "another --rpc-url"
    )


def first_unlinked(headers: Sequence[Block]) -> int | None:
    """The first block whose parent is there, too, and is not its parent; None where all fit."""
    hashes = {header.number: header.hash for header in headers}
    return next(
        (h.number for h in headers if hashes.get(h.number - 1, h.parent_hash) != h.parent_hash),
        None,
    )


async def keep_recent(
    reader: ChainReader, store: Store, chain_id: int, target: Block, final: int
) -> None:
    """Keeps the headers from the last final block to `target`; what was read must be of them.

    Only those that are not kept yet are asked for. Errors: `ReorgDetected` where the headers are no
    chain that ends in `target`, or what was read of a block is not of it.
    """
    first = max(0, min(final, target.number), target.number - MOST_RECENT)
    with store.transaction() as connection:
        kept = recent_links(connection, chain_id, first - 1)
        read = stored_hashes(connection, chain_id, after=first - 1, up_to=target.number)
    wanted = [number for number in range(first, target.number) if number not in kept]
    headers = [*(await reader.blocks(wanted) if wanted else ()), target]
    links = {n: link for n, link in kept.items() if n <= target.number}
    links |= {header.number: Link(header.hash, header.parent_hash) for header in headers}
    for number, link in links.items():
        parent = links.get(number - 1)
        if parent is not None and parent.hash != link.parent_hash:
            raise _replaced(number)
    for number, block_hash in read:
        if links[number].hash != block_hash:
            raise _replaced(number)
    with store.transaction() as connection:
        put_recent(connection, chain_id, headers)
        forget_recent(connection, chain_id, up_to=first - 1)


def _replaced(number: int) -> ReorgDetected:
    return ReorgDetected(f"block {number} was replaced while it was read: run the command again")


def _refuse_final(store: Store, chain_id: int, fork: Fork) -> None:
    with store.transaction() as connection:
        chain = find_chain(connection, chain_id)
    if chain is None or chain.finalized is None or fork.first > chain.finalized:
        return
    raise FinalityBroken(
        f"chain {chain_id}: block {fork.first} was final as {fork.lost[fork.first]}, and the node "
        f"now has {fork.new_hash}; nothing was changed. Ask another --rpc-url; if the chain itself "
        "went back, index it into another --db"
    )
