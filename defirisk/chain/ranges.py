"""eth_getLogs over any range: in pieces that the node can answer, and that it proved to have.

The head is asked in the same JSON-RPC batch as the logs, because a node that lags behind its load
balancer answers an empty list, not an error, for blocks it does not have.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from defirisk.chain.answers import Request
from defirisk.chain.log_filters import FilterChoice
from defirisk.chain.node_errors import (
    NodeUnavailable,
    TooManyAddresses,
    TooManyBlocks,
)
from defirisk.chain.range_size import RangeSettings, RangeSize
from defirisk.chain.tasks import gather_or_cancel
from defirisk.chain.transport import JsonRpcTransport
from defirisk.chain.wire import (
    LogFilter,
    broken,
    in_chain_order,
    read_block,
    read_quantity,
    to_quantity,
)
from defirisk.core.errors import NodeBehind, NodeError, RangeTooLarge, RetryableNodeError
from defirisk.core.evm import LogPage, LogQuery, RawLog

Cover = Callable[[int, int], Awaitable[list[LogPage]]]
# Filters whose answers travel together.
_FILTERS_PER_REQUEST = 5


@dataclass(frozen=True, slots=True)
class _Answer:
    """One filter's logs, and how many the node gave for it."""

    logs: list[RawLog]
    served: int


@dataclass(frozen=True, slots=True)
class _Page:
    page: LogPage
    most: int


class LogRanges:
    """Reads logs page by page; what it learns of the node's limits lasts as long as it does."""

    def __init__(self, transport: JsonRpcTransport, settings: RangeSettings | None = None) -> None:
        self._transport = transport
        self._settings = settings or RangeSettings()
        self._choice = FilterChoice(self._settings)
        self.size = RangeSize(self._settings)

    def pages(self, query: LogQuery, first_block: int, last_block: int) -> AsyncIterator[LogPage]:
        """Pages that cover [first_block, last_block] without gap, in order.

        A few pages are read ahead. Errors: `NodeBehind` where the node does not get to a page's
        last block, `NodeError` where it cannot give a single block either.
        """
        refuse_everything(query)
        cover = partial(self.cover, query)
        return in_order(lambda _: (self.size, cover), first_block, last_block)

    async def cover(self, query: LogQuery, first_block: int, last_block: int) -> list[LogPage]:
        """All pages of a range, in ever smaller pieces while the node refuses.

        Errors: as `pages`.
        """
        refuse_everything(query)
        pages: list[LogPage] = []
        block, width, alive = first_block, last_block - first_block + 1, False
        while block <= last_block:
            width = min(width, last_block - block + 1)
            try:
                found = await self._page(query, block, block + width - 1)
            except (NodeBehind, NodeUnavailable):
                self.size.start()
                raise
            except TooManyAddresses:
                if not self._choice.fewer():
                    raise
                continue
            except NodeError as error:
                if not (alive or isinstance(error, RangeTooLarge)):
                    await self._still_there(error)
                    alive = True
                if width > 1:
                    width = self._refused(query, width, error)
                    continue
                hashed = await self._by_hash(query, block)
                if hashed is None:
                    continue
                found = hashed
            self.size.answered(width, found.most)
            pages.append(found.page)
            block += width
            width = self.size.plan(max(1, last_block - block + 1))
        return pages

    def _refused(self, query: LogQuery, width: int, error: NodeError) -> int:
        """The width to ask for instead."""
        about_blocks = isinstance(error, TooManyBlocks)
        if not about_blocks:
            self._choice.refused(query)
        suggested = error.suggested if isinstance(error, RangeTooLarge) else None
        allowed = suggested[1] - suggested[0] + 1 if suggested is not None else None
        return self.size.refused(width, allowed, about_blocks=about_blocks)

    async def _still_there(self, error: NodeError) -> None:
        """Of a node that answers nothing at all, smaller ranges would only be asked in vain."""
        settings = self._transport.settings
        try:
            await asyncio.wait_for(self._transport.request("eth_blockNumber"), settings.timeout)
        except (NodeError, TimeoutError):
            raise NodeUnavailable(str(error)) from error

    async def _page(self, query: LogQuery, first_block: int, last_block: int) -> _Page:
        filters = self._choice.filters(query, first_block, last_block, self.size.widest)
        chunks = [
            filters[i : i + _FILTERS_PER_REQUEST]
            for i in range(0, len(filters), _FILTERS_PER_REQUEST)
        ]

        async def attempt() -> _Page:
            parts = await gather_or_cancel(map(self._proven, chunks))
            answers = [answer for part in parts for answer in part]
            return _page_of(first_block, last_block, answers)

        found = await self._patiently(attempt, f"blocks {first_block} to {last_block}")
        if filters[0].by_topics:
            kept = len(found.page.logs)
            dropped = found.most - kept
            self._choice.answered(query, last_block - first_block + 1, kept, dropped)
            self._transport.counts.strangers += dropped
        return found

    async def _proven(self, filters: Sequence[LogFilter]) -> list[_Answer]:
        """The filters' logs from a node that showed with them that it has all blocks asked for."""
        requests = [Request("eth_getLogs", [one.params()]) for one in filters]
        head, *answers = await self._transport.batch(
            [Request("eth_blockNumber"), *requests], together=True
        )
        for answer in (head, *answers):
            if isinstance(answer, NodeError):
                raise answer
        reached = read_quantity(head, "eth_blockNumber")
        if reached < filters[0].last_block:
            raise NodeBehind(
                f"{self._transport.endpoint.host} is at block {reached}, before the block "
                f"{filters[0].last_block} that was asked for: wait, or use another --rpc-url"
            )
        return [_read(one, answer) for one, answer in zip(filters, answers, strict=True)]

    async def _by_hash(self, query: LogQuery, block: int) -> _Page | None:
        """One block's logs by its hash, which many nodes answer without their usual limits.

        None where it is worth another try, with fewer addresses in a filter.
        """
        filters = self._choice.filters(query, block, block, 1)

        async def attempt() -> _Page:
            answer = await self._transport.request(
                "eth_getBlockByNumber", to_quantity(block), False
            )
            if answer is None:
                raise NodeBehind(f"{self._transport.endpoint.host} does not have block {block}")
            answers = []
            for one in filters:
                asked = replace(one, block_hash=read_block(answer).hash)
                found = await self._transport.request("eth_getLogs", asked.params())
                answers.append(_read(asked, found))
            return _page_of(block, block, answers)

        try:
            return await self._patiently(attempt, f"the single block {block}")
        except (NodeBehind, NodeUnavailable):
            raise
        except NodeError:
            # Perhaps it is the addresses that are too many, in words that nobody recorded.
            if max(len(one.addresses) for one in filters) > 1 and self._choice.fewer():
                return None
            raise

    async def _patiently(self, attempt: Callable[[], Awaitable[_Page]], what: str) -> _Page:
        """Repeat what another node behind the same URL may do better."""
        try:
            return await self._transport.settings.retry.run(attempt, RetryableNodeError, NodeBehind)
        except RetryableNodeError as error:
            raise NodeError(
                f"{self._transport.endpoint.host} eth_getLogs of {what}: {error}, after all "
                "retries: use another --rpc-url"
            ) from error


async def in_order(
    plan: Callable[[int], tuple[RangeSize, Cover]], first_block: int, last_block: int
) -> AsyncIterator[LogPage]:
    """Pages that cover a range, in order, while the next ones are under way.

    `plan` says for the block at which a page begins whose size holds and who covers it.
    """
    ahead: deque[asyncio.Task[list[LogPage]]] = deque()
    block = first_block
    size, _ = plan(block)
    size.start()
    try:
        while ahead or block <= last_block:
            while block <= last_block:
                size, cover = plan(block)
                if len(ahead) >= size.pages_ahead:
                    break
                end = block + size.plan(last_block - block + 1) - 1
                ahead.append(asyncio.ensure_future(cover(block, end)))
                block = end + 1
            for page in await ahead[0]:
                yield page
            ahead.popleft()
    finally:
        for task in ahead:
            task.cancel()
        await asyncio.gather(*ahead, return_exceptions=True)


def refuse_everything(query: LogQuery) -> None:
    """Errors: `ValueError` where a query names no address."""
    if not query.addresses:
        raise ValueError("a query without addresses would ask for every log of the chain")


def _read(asked: LogFilter, answer: object) -> _Answer:
    return _Answer(asked.read(answer), len(answer) if isinstance(answer, list) else broken("logs"))


def _page_of(first_block: int, last_block: int, answers: Sequence[_Answer]) -> _Page:
    logs = in_chain_order(log for answer in answers for log in answer.logs)
    most = max(answer.served for answer in answers)
    return _Page(LogPage(first_block, last_block, logs), most)
