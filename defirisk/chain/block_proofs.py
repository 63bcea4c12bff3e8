"""All logs, or all receipts, of single blocks: each proven against the block's header.

A block is named by its hash: a node that does not have it says so, where a range of numbers would
only come back empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from defirisk.chain.answers import Request
from defirisk.chain.bloom import bloom_of
from defirisk.chain.node_errors import Overwhelmed
from defirisk.chain.receipts import Receipts, RootDiffers, read_receipts, state_sync_hash
from defirisk.chain.transport import JsonRpcTransport
from defirisk.chain.wire import broken, read_logs
from defirisk.core.errors import NodeError, RetryableNodeError
from defirisk.core.evm import Block, LogQuery, RawLog

BLOCKS_PER_REQUEST = 10
"""Blocks in one answer: the receipts of a busy one are half a megabyte, and its logs as much."""


@dataclass(frozen=True, slots=True)
class BlockLogs:
    """A block's logs in their order, whose bloom is the header's: none that sets a bit of its own
    is missing, and none before the last.
    """

    block: Block
    held: tuple[RawLog, ...]

    def logs(self, query: LogQuery) -> list[RawLog]:
        """Those that a query asks for, in chain order."""
        addresses = {address.lower() for address in query.addresses}
        wanted = set(query.topics0)
        return [
            log
            for log in self.held
            if log.address in addresses and (not wanted or {*log.topics[:1]} & wanted)
        ]


class BloomDiffers(Overwhelmed):
    """Logs that are not all there, or a chain whose blooms are made by another rule."""


async def block_logs_at(
    transport: JsonRpcTransport, blocks: Sequence[Block]
) -> list[BlockLogs | NodeError | None]:
    """The logs of each block; `BloomDiffers` where they are no proof; another error where the node
    refuses the question, as some do without an address; None where it gave no sound answer.
    """
    found: list[BlockLogs | NodeError | None] = []
    for at in range(0, len(blocks), BLOCKS_PER_REQUEST):
        chunk = blocks[at : at + BLOCKS_PER_REQUEST]
        requests = [Request("eth_getLogs", [{"blockHash": block.hash}]) for block in chunk]
        for block, answer in zip(chunk, await transport.batch(requests), strict=True):
            found.append(_whole(block, answer))
    return found


def read_block_logs(block: Block, answer: object) -> BlockLogs:
    """All logs of a block. Errors: `BloomDiffers` where some are missing; else `Overwhelmed`."""
    logs = sorted(read_logs(answer), key=lambda log: log.log_index)
    if any(log.block_hash != block.hash or log.block_number != block.number for log in logs):
        broken(f"answer: a log that is not of block {block.number}")
    # Polygon's state-sync logs are served with a block, but set no bit of its bloom.
    state_sync = state_sync_hash(block)
    bloom = bloom_of(log for log in logs if log.tx_hash != state_sync)
    whole = [log.log_index for log in logs] == [*range(len(logs))]
    if not whole or bloom != int.from_bytes(block.logs_bloom, "big"):
        raise BloomDiffers(f"the logs of block {block.number} do not give its logsBloom")
    return BlockLogs(block, tuple(logs))


def _whole(block: Block, answer: object) -> BlockLogs | NodeError | None:
    if isinstance(answer, NodeError):
        return None if isinstance(answer, RetryableNodeError) else answer
    try:
        return read_block_logs(block, answer)
    except BloomDiffers as error:
        return error
    except NodeError:
        return None


async def receipts_at(
    transport: JsonRpcTransport, blocks: Sequence[Block]
) -> list[Receipts | RootDiffers | None]:
    """The receipts of each block, proven; the error where they do not give its root; None where
    the node has none to give.
    """
    found: list[Receipts | RootDiffers | None] = []
    for at in range(0, len(blocks), BLOCKS_PER_REQUEST):
        chunk = blocks[at : at + BLOCKS_PER_REQUEST]
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
