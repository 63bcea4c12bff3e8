"""Logs and receipts of single blocks, many blocks to a request: what audits ask again.

A block is named by its hash: a node that does not have it says so, where a range of numbers would
only come back empty.
"""

from __future__ import annotations

from collections.abc import Sequence

from defirisk.chain.answers import Request
from defirisk.chain.receipts import Receipts, RootDiffers, read_receipts
from defirisk.chain.transport import JsonRpcTransport
from defirisk.chain.wire import LogFilter
from defirisk.core.errors import NodeError
from defirisk.core.evm import Block, LogQuery, RawLog

RECEIPTS_PER_REQUEST = 10
"""Lists of receipts in one answer: a busy block's is half a megabyte."""


async def logs_at(
    transport: JsonRpcTransport, asked: Sequence[tuple[Block, LogQuery]]
) -> list[list[RawLog] | None]:
    """What each query finds in its block, in chain order; None where the node did not answer."""
    filters = [
        LogFilter(
            addresses=frozenset(address.lower() for address in query.addresses),
            topics0=query.topics0,
            first_block=block.number,
            last_block=block.number,
            block_hash=block.hash,
        )
        for block, query in asked
    ]
    requests = [Request("eth_getLogs", [one.params()]) for one in filters]
    found: list[list[RawLog] | None] = []
    for one, answer in zip(filters, await transport.batch(requests), strict=True):
        try:
            found.append(None if isinstance(answer, NodeError) else _ordered(one.read(answer)))
        except NodeError:
            found.append(None)
    return found


def _ordered(logs: list[RawLog]) -> list[RawLog] | None:
    """None where two logs have one place: that is no answer."""
    if len({log.log_index for log in logs}) != len(logs):
        return None
    return sorted(logs, key=lambda log: log.log_index)


async def receipts_at(
    transport: JsonRpcTransport, blocks: Sequence[Block]
) -> list[Receipts | RootDiffers | None]:
    """The receipts of each block, proven; the error where they do not give its root; None where
    the node has none to give.
    """
    found: list[Receipts | RootDiffers | None] = []
    for at in range(0, len(blocks), RECEIPTS_PER_REQUEST):
        chunk = blocks[at : at + RECEIPTS_PER_REQUEST]
        requests = [Request("eth_getBlockReceipts", [hex(block.number)]) for block in chunk]
        for block, answer in zip(chunk, await transport.batch(requests), strict=True):
            found.append(_proven(block, answer))
    return found


def _proven(block: Block, answer: object) -> Receipts | RootDiffers | None:
    if isinstance(answer, NodeError) or answer is None:
        return None
    try:
        return read_receipts(block, answer)
    except RootDiffers as error:
        return error
    except NodeError:
        return None
