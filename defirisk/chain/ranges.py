"""eth_getLogs over any range: in pieces that the node can answer, and that it proved to have.

The head is asked in the same JSON-RPC batch as the logs, because a node that lags behind its load
balancer answers an empty list, not an error, for blocks it does not have.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

from defirisk.chain.answers import Request
from defirisk.chain.node_errors import NodeUnavailable
from defirisk.chain.range_size import RangeSettings, RangeSize
from defirisk.chain.tasks import gather_or_cancel
from defirisk.chain.transport import JsonRpcTransport
from defirisk.chain.wire import (
    LogFilter,
    groups_of,
    in_chain_order,
    read_block,
    read_quantity,
    to_quantity,
)
from defirisk.core.errors import NodeBehind, NodeError, RangeTooLarge, RetryableNodeError
from defirisk.core.evm import LogPage, LogQuery, RawLog

_Attempt = Callable[[], Awaitable[LogPage]]


class LogRanges:
    """Reads logs page by page; what it learns of the node's limits lasts as long as it does."""

    def __init__(self, transport: JsonRpcTransport, settings: RangeSettings | None = None) -> None:
        self._transport = transport
        self._settings = settings or RangeSettings()
        self._size = RangeSize(self._settings)

    async def pages(
        self, query: LogQuery, first_block: int, last_block: int
    ) -> AsyncIterator[LogPage]:
        """Pages that cover [first_block, last_block] without gap, in order.

        A few pages are read ahead. Errors: `NodeBehind` where the node does not get to a page's
        last block, `NodeError` where it cannot give a single block either.
        """
        if not query.addresses:
            raise ValueError("a query without addresses would ask for every log of the chain")
        filters = self._filters(query, first_block, last_block)
        ahead: deque[asyncio.Task[list[LogPage]]] = deque()
        block = first_block
        try:
            while ahead or block <= last_block:
                while block <= last_block and len(ahead) < self._size.pages_ahead:
                    end = min(last_block, block + self._size.blocks - 1)
                    ahead.append(asyncio.ensure_future(self._cover(filters, block, end)))
                    block = end + 1
                for page in await ahead[0]:
                    yield page
                ahead.popleft()
        finally:
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)

    def _filters(self, query: LogQuery, first_block: int, last_block: int) -> list[LogFilter]:
        return [
            LogFilter(
                addresses=group,
                topics0=query.topics0,
                first_block=first_block,
                last_block=last_block,
            )
            for group in groups_of(query.addresses, self._settings.addresses_per_filter)
        ]

    async def _cover(
        self, filters: list[LogFilter], first_block: int, last_block: int
    ) -> list[LogPage]:
        """All pages of a range, in ever smaller pieces while the node refuses."""
        pages: list[LogPage] = []
        block, width = first_block, last_block - first_block + 1
        while block <= last_block:
            width = min(width, last_block - block + 1)
            try:
                page = await self._page(filters, block, block + width - 1)
            except (NodeBehind, NodeUnavailable):
                raise
            except NodeError as error:
                if not isinstance(error, RangeTooLarge):
                    await self._still_there(error)
                if width > 1:
                    width = self._size.refused(width, _suggested_width(error))
                    continue
                page = await self._by_hash(filters, block)
            self._size.answered(width, len(page.logs))
            pages.append(page)
            block, width = block + width, self._size.blocks
        return pages

    async def _still_there(self, error: NodeError) -> None:
        """Of a node that answers nothing at all, smaller ranges would only be asked in vain."""
        settings = self._transport.settings
        try:
            await asyncio.wait_for(self._transport.request("eth_blockNumber"), settings.timeout)
        except (NodeError, TimeoutError):
            raise NodeUnavailable(str(error)) from error

    async def _page(self, filters: list[LogFilter], first_block: int, last_block: int) -> LogPage:
        asked = [replace(f, first_block=first_block, last_block=last_block) for f in filters]

        async def attempt() -> LogPage:
            parts = await gather_or_cancel(map(self._proven, asked))
            return LogPage(first_block, last_block, in_chain_order(log for p in parts for log in p))

        return await self._patiently(attempt, f"blocks {first_block} to {last_block}")

    async def _proven(self, asked: LogFilter) -> list[RawLog]:
        """One filter's logs from a node that showed with them that it has all blocks asked for."""
        head, logs = await self._transport.batch(
            [Request("eth_blockNumber"), Request("eth_getLogs", [asked.params()])], together=True
        )
        for answer in (head, logs):
            if isinstance(answer, NodeError):
                raise answer
        reached = read_quantity(head, "eth_blockNumber")
        if reached < asked.last_block:
            raise NodeBehind(
                f"{self._transport.endpoint.host} is at block {reached}, before the block "
                f"{asked.last_block} that was asked for: wait, or use another --rpc-url"
            )
        return asked.read(logs)

    async def _by_hash(self, filters: list[LogFilter], block: int) -> LogPage:
        """One block's logs by its hash, which many nodes answer without their usual limits."""

        async def attempt() -> LogPage:
            answer = await self._transport.request(
                "eth_getBlockByNumber", to_quantity(block), False
            )
            if answer is None:
                raise NodeBehind(f"{self._transport.endpoint.host} does not have block {block}")
            parts = []
            for f in filters:
                asked = replace(
                    f, first_block=block, last_block=block, block_hash=read_block(answer).hash
                )
                parts += asked.read(await self._transport.request("eth_getLogs", asked.params()))
            return LogPage(block, block, in_chain_order(parts))

        return await self._patiently(attempt, f"the single block {block}")

    async def _patiently(self, attempt: _Attempt, what: str) -> LogPage:
        """Repeat what another node behind the same URL may do better."""
        try:
            return await self._transport.settings.retry.run(attempt, RetryableNodeError, NodeBehind)
        except RetryableNodeError as error:
            raise NodeError(
                f"{self._transport.endpoint.host} eth_getLogs of {what}: {error}, after all "
                "retries: use another --rpc-url"
            ) from error


def _suggested_width(error: NodeError) -> int | None:
    if not isinstance(error, RangeTooLarge) or error.suggested is None:
        return None
    return error.suggested[1] - error.suggested[0] + 1
