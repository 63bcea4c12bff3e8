"""Live nodes as a ChainReader."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeVar

from defirisk.chain.answerers import Answerers
from defirisk.chain.block_proofs import BlockLogs, block_logs_at, receipts_at
from defirisk.chain.counts import Counts, RequestBudget
from defirisk.chain.endpoints import Endpoints, Node, nodes_of
from defirisk.chain.headers import NewestBlocks, chain_id_of, headers
from defirisk.chain.multicall import CallSettings
from defirisk.chain.range_size import RangeSettings, RangeSize
from defirisk.chain.ranges import Cover, in_order, refuse_everything
from defirisk.chain.rate_state import RateShelf
from defirisk.chain.receipts import Receipts, RootDiffers
from defirisk.chain.transport import JsonRpcTransport, TransportSettings
from defirisk.core.errors import NodeError
from defirisk.core.evm import Block, BlockTag, Call, CallResult, LogPage, LogQuery
from defirisk.resources import read_text

T = TypeVar("T")


class EndpointsReader:
    """Reads a chain through its endpoints. Implements `core.evm.ChainReader`.

    `first` is another reader, whose answers are to be heard from other endpoints.
    Errors: all reading raises `NodeError` and its kinds, and `RequestBudgetSpent` where the budget
    of the endpoints is.
    """

    def __init__(self, endpoints: Endpoints, first: EndpointsReader | None = None) -> None:
        self._endpoints = endpoints
        self._first = first
        self._chain_id: int | None = None
        self._newest = NewestBlocks(endpoints)
        self._answerers = Answerers()

    def __repr__(self) -> str:
        hosts = ", ".join(node.name for node in self._endpoints.nodes)
        return f"{type(self).__name__}({hosts})"

    @property
    def counts(self) -> Mapping[str, Counts]:
        """What was asked of each endpoint, by its host."""
        return self._endpoints.counts

    @property
    def asked(self) -> Counts:
        """What was asked of all endpoints together."""
        return sum(self._endpoints.counts.values(), Counts())

    def second(self) -> EndpointsReader | None:
        """The same chain, but each range and block of logs asked of an endpoint other than the one
        that gave it to this reader; None where only one endpoint can be asked.
        """
        able = [node for node in self._endpoints.nodes if node.banned is None]
        return EndpointsReader(self._endpoints, self) if len(able) > 1 else None

    def share_rates(self, shelf: RateShelf) -> None:
        """From now on, the rates at which providers are asked lie on this shelf."""
        for node in self._endpoints.nodes:
            node.transport.bucket.share(shelf)

    async def chain_id(self) -> int:
        """The chain's id by EIP-155; asked once."""
        if self._chain_id is None:
            self._chain_id = await self._endpoints.ask(lambda node: chain_id_of(node.transport))
        return self._chain_id

    async def block(self, ref: int | BlockTag) -> Block:
        """One header. Errors: `NodeBehind` where no endpoint has it."""
        if isinstance(ref, int):
            return (await self.blocks([ref]))[0]
        return await self._newest.block(ref)

    async def blocks(self, numbers: Sequence[int]) -> list[Block]:
        """Headers in the given order, many to a request. Errors: `NodeBehind` where no endpoint
        has all of them.
        """
        return await self._endpoints.ask(lambda node: headers(node.transport, numbers))

    def logs(self, query: LogQuery, first_block: int, last_block: int) -> AsyncIterator[LogPage]:
        """Pages without gap, each from a node that proved to have reached the page's end."""
        refuse_everything(query)

        def plan(block: int) -> tuple[RangeSize, Cover]:
            chosen = self._endpoints.choose(self._others(block, block, query))

            async def cover(first: int, last: int) -> list[LogPage]:
                return await self._cover(chosen, query, first, last)

            return chosen.ranges.size, cover

        return in_order(plan, first_block, last_block)

    async def block_logs(self, blocks: Sequence[Block]) -> list[BlockLogs | NodeError | None]:
        """All logs of each block, as proven as its bloom can; see `block_proofs.block_logs_at`."""
        return await self._of_blocks(blocks, block_logs_at)

    async def receipts(self, blocks: Sequence[Block]) -> list[Receipts | RootDiffers | None]:
        """The proven receipts of each block; None where the node has none to give."""
        return await self._of_blocks(blocks, receipts_at)

    async def calls(self, calls: Sequence[Call], block: Block) -> list[CallResult]:
        """The views' answers, all in the state after `block`. See `multicall.ViewCalls.ask`."""
        return await self._endpoints.ask(lambda node: node.views.ask(calls, block))

    async def aclose(self) -> None:
        """Close the connections; a second reader leaves them to the first."""
        if self._first is None:
            await self._endpoints.aclose()

    async def _cover(
        self, chosen: Node, query: LogQuery, first_block: int, last_block: int
    ) -> list[LogPage]:
        pages: list[LogPage] = []
        for first, last, avoiding in self._spans(first_block, last_block, query):

            async def cover(node: Node, first: int = first, last: int = last) -> list[LogPage]:
                found = await node.ranges.cover(query, first, last)
                self._answerers.gave(query, first, last, node.name)
                return found

            wished = chosen if chosen.name not in avoiding else None
            pages += await self._endpoints.ask(cover, first=wished, avoiding=avoiding)
        return pages

    async def _of_blocks(
        self,
        blocks: Sequence[Block],
        ask: Callable[[JsonRpcTransport, Sequence[Block]], Awaitable[list[T]]],
    ) -> list[T]:
        """One answer for each block, in order."""
        groups: dict[frozenset[str], list[Block]] = defaultdict(list)
        for block in blocks:
            groups[frozenset(self._others(block.number, block.number))].append(block)
        found: dict[int, T] = {}
        for avoiding, some in groups.items():
            node = await self._endpoints.met(avoiding)
            answers = await ask(node.transport, some)
            found.update((block.number, one) for block, one in zip(some, answers, strict=True))
        return [found[block.number] for block in blocks]

    def _spans(
        self, first_block: int, last_block: int, query: LogQuery
    ) -> list[tuple[int, int, Collection[str]]]:
        if self._first is None:
            return [(first_block, last_block, ())]
        return self._first._answerers.spans(first_block, last_block, query)

    def _others(
        self, first_block: int, last_block: int, query: LogQuery | None = None
    ) -> Collection[str]:
        """The endpoints that gave these blocks to the first reader."""
        if self._first is None:
            return ()
        return self._first._answerers.of(first_block, last_block, query)


class RpcChainReader(EndpointsReader):
    """Reads a chain through the JSON-RPC of one or several endpoints.

    `urls` are secrets and not shown by anything here. With several, an endpoint that fails is
    replaced by another, and one that serves another chain is not asked; `chain_id` says which
    chain is wanted, else it is that of the first.
    Errors: `UsageError` where a URL is no http(s) URL; else as `EndpointsReader`.
    """

    def __init__(
        self,
        urls: str | Sequence[str],
        *,
        transport: TransportSettings | None = None,
        ranges: RangeSettings | None = None,
        calls: CallSettings | None = None,
        chain_id: int | None = None,
        budget: RequestBudget | None = None,
    ) -> None:
        settings = transport or TransportSettings()
        nodes = nodes_of(
            [urls] if isinstance(urls, str) else (urls or [""]),
            settings,
            ranges,
            calls,
            aggregator=_aggregator_code(),
            budget=budget,
        )
        super().__init__(Endpoints(nodes, settings, chain_id))


def _aggregator_code() -> bytes:
    return bytes.fromhex(read_text("abis", "Aggregate3.runtime.hex").strip().removeprefix("0x"))
