"""What the store takes for complete is audited against the headers that a node has now.

The logs are those of the store: only headers are fetched, and receipts where they are audited. A
log that is missing is stored as soon as it is proven, one that its block is proven not to have is
dropped. Its block, as one of which nothing could be proven, is marked and no verified block any
more: the run goes on with fetching it, audits it as any other, and folds again from there. All that
is read of the chain is audited, as one header speaks of every contract.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from time import time
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from defirisk.core.errors import ReorgDetected, UsageError
from defirisk.core.evm import Address, ChainReader, LogPage, LogQuery, RawLog
from defirisk.indexing.audit.auditor import HEADERS_AT_ONCE, Audited, Auditor
from defirisk.indexing.audit.figures import Unproven
from defirisk.indexing.audit.given import Range
from defirisk.indexing.audit.keeping import keep_again, note_catches, receipts_work
from defirisk.indexing.audit.settings import AuditSettings
from defirisk.indexing.regained import rewind_behind
from defirisk.indexing.source import Progress
from defirisk.store.asked import AskedRange, asked_ranges
from defirisk.store.base_tables import raw_logs
from defirisk.store.database import Store
from defirisk.store.raw import put_blocks, put_logs
from defirisk.store.unverified import Unverified, put_unverified

LOST = "the store lacks logs that the node proves"


class Stretch(NamedTuple):
    """Blocks of which the same contracts are read, and the events that each is asked for."""

    first: int
    last: int
    topics: Mapping[Address, frozenset[bytes]]


async def audit_again(
    reader: ChainReader,
    store: Store,
    chain_id: int,
    settings: AuditSettings,
    progress: Progress,
) -> bool:
    """Audits all verified ranges of a chain; returns whether one was found incomplete.

    It begins anew each time: only where it comes to its end, its figures take the place of the
    earlier ones. Errors: `UsageError` where the reader cannot be asked block by block,
    `ReorgDetected` where a stored block is another one at the node.
    """
    auditor = Auditor(reader, settings, None, receipts_work=receipts_work(store, chain_id))
    if auditor.asks is None or not settings.every_block:
        raise UsageError("--again needs a node, and --audit bloom or receipts")
    note_catches(store, chain_id, auditor)
    with store.transaction() as connection:
        read = asked_ranges(connection, chain_id)
    total, done = sum(one.last - one.first + 1 for one in stretches(read)), 0
    for given in (piece for one in stretches(read) for piece in _pieces(store, chain_id, one)):
        audited = await auditor.audit(given, ())
        _same_blocks(given, audited)
        _keep(store, chain_id, audited, settings)
        done += given.last - given.first + 1
        progress("audit again", done, total)
    keep_again(store, chain_id, auditor)
    return auditor.caught


def stretches(read: Sequence[AskedRange]) -> Iterator[Stretch]:
    """Cuts inclusive ranges, disjoint for each contract, where one of them begins or ends."""
    begins: dict[int, dict[Address, frozenset[bytes]]] = {}
    ends: dict[int, set[Address]] = {}
    for address, first, last, topics in read:
        begins.setdefault(first, {})[address] = topics
        ends.setdefault(last + 1, set()).add(address)
    cuts = sorted(begins.keys() | ends.keys())
    watched: dict[Address, frozenset[bytes]] = {}
    for cut, following in pairwise(cuts):
        for address in ends.get(cut, ()):
            del watched[address]
        watched.update(begins.get(cut, {}))
        if watched:
            yield Stretch(cut, following - 1, dict(watched))


def _pieces(store: Store, chain_id: int, one: Stretch) -> Iterator[Range]:
    """As many blocks at a time as headers are asked for at once, with the logs that we have."""
    query = LogQuery(
        addresses=tuple(sorted(one.topics)),
        topics0=tuple(sorted(frozenset().union(*one.topics.values()))),
    )
    for first in range(one.first, one.last + 1, HEADERS_AT_ONCE):
        last = min(one.last, first + HEADERS_AT_ONCE - 1)
        with store.transaction() as connection:
            logs = [log for log in _stored(connection, chain_id, first, last) if _of(one, log)]
        page = LogPage(first, last, tuple(logs))
        yield Range(query=query, topics=one.topics, pages=[page])


def _of(one: Stretch, log: RawLog) -> bool:
    return bool(log.topics) and log.topics[0] in one.topics.get(log.address, ())


def _stored(connection: Connection, chain_id: int, first: int, last: int) -> list[RawLog]:
    table = raw_logs.c
    query = (
        select(raw_logs)
        .where(table.chain_id == chain_id, table.block_number.between(first, last))
        .order_by(table.block_number, table.evt_index)
    )
    return [
        RawLog(
            block_number=row.block_number,
            block_hash=row.block_hash,
            tx_hash=row.tx_hash,
            log_index=row.evt_index,
            address=row.contract_address,
            topics=tuple(t for t in (row.topic0, row.topic1, row.topic2, row.topic3) if t),
            data=row.data,
        )
        for row in connection.execute(query)
    ]


def _same_blocks(given: Range, audited: Audited) -> None:
    for log in given.logs:
        header = audited.headers.get(log.block_number)
        if header is not None and header.hash != log.block_hash:
            raise ReorgDetected(
                f"block {log.block_number} of the store is another one at the node: "
                "defirisk db check says whether the store is sound"
            )


def _keep(store: Store, chain_id: int, audited: Audited, settings: AuditSettings) -> None:
    """Stores what was missing, drops what never was, and marks what is to be read once more."""
    gained, marks = audited.gained, list(audited.unproven)  # with a mark for all that is refuted
    if not gained and not marks:
        return
    numbers = sorted({log.block_number for log in gained})
    if numbers:  # one range, so that it takes one request
        contracts = tuple(sorted({log.address for log in gained}))
        marks.append(Unproven(numbers[0], numbers[-1], contracts, settings.mode, LOST))
    with store.transaction() as connection:
        put_blocks(connection, chain_id, (audited.headers[n] for n in numbers))
        _drop(connection, chain_id, audited.refuted)
        rewind_behind(connection, chain_id, [*gained, *audited.refuted])
        put_logs(connection, chain_id, gained)
        put_unverified(connection, chain_id, _rows(marks))


def _drop(connection: Connection, chain_id: int, refuted: Iterable[RawLog]) -> None:
    table = raw_logs.c
    for log in refuted:
        place = table.block_number == log.block_number, table.evt_index == log.log_index
        connection.execute(delete(raw_logs).where(table.chain_id == chain_id, *place))


def _rows(marks: Iterable[Unproven]) -> Iterator[Unverified]:
    now = int(time())
    for mark in marks:
        for contract in mark.contracts:
            where = mark.first_block, mark.last_block
            yield Unverified(contract, *where, mark.audit, mark.reason, now)
