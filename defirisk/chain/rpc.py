"""A live node as a ChainReader."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from defirisk.chain.answers import Request
from defirisk.chain.multicall import CallSettings, ViewCalls
from defirisk.chain.range_size import RangeSettings
from defirisk.chain.ranges import LogRanges
from defirisk.chain.transport import JsonRpcTransport, TransportSettings
from defirisk.chain.wire import read_block, read_quantity, to_quantity
from defirisk.core.errors import NodeBehind, NodeError, RetryableNodeError
from defirisk.core.evm import Block, BlockTag, Call, CallResult, LogPage, LogQuery
from defirisk.resources import read_text


class RpcChainReader:
    """Reads a chain through one node's JSON-RPC. Implements `core.evm.ChainReader`.

    `url` is a secret and is not shown by anything here. Errors: `UsageError` where it is no http(s)
    URL; all reading raises `NodeError` and its kinds.
    """

    def __init__(
        self,
        url: str,
        *,
        transport: TransportSettings | None = None,
        ranges: RangeSettings | None = None,
        calls: CallSettings | None = None,
    ) -> None:
        self._transport = JsonRpcTransport(url, transport)
        self._ranges = LogRanges(self._transport, ranges)
        self._views = ViewCalls(self._transport, _aggregator_code(), calls)
        self._chain_id: int | None = None

    def __repr__(self) -> str:
        return f"RpcChainReader({self._transport.endpoint.host})"

    async def chain_id(self) -> int:
        """The chain's id by EIP-155; asked once."""
        if self._chain_id is None:
            self._chain_id = read_quantity(await self._transport.request("eth_chainId"), "chain id")
        return self._chain_id

    async def block(self, ref: int | BlockTag) -> Block:
        """One header. Errors: `NodeBehind` where the node does not have it."""
        if isinstance(ref, int):
            return (await self.blocks([ref]))[0]
        answer = await self._transport.request("eth_getBlockByNumber", ref, False)
        if answer is None:
            raise NodeBehind(
                f"{self._transport.endpoint.host} has no {ref!r} block: "
                "use --block N or --block latest"
            )
        return read_block(answer)

    async def blocks(self, numbers: Sequence[int]) -> list[Block]:
        """Headers in the given order. Errors: `NodeBehind` where the node lacks one of them."""
        found: dict[int, Block] = {}

        async def ask_missing() -> None:
            missing = sorted(set(numbers) - found.keys())
            requests = [
                Request("eth_getBlockByNumber", [to_quantity(number), False]) for number in missing
            ]
            for number, answer in zip(missing, await self._transport.batch(requests), strict=True):
                if isinstance(answer, NodeError):
                    raise answer
                if answer is not None:
                    found[number] = self._numbered(answer, number)
            self._refuse_gap(sorted(set(numbers) - found.keys()))

        try:
            await self._transport.settings.retry.run(ask_missing, RetryableNodeError, NodeBehind)
        except RetryableNodeError as error:
            raise NodeError(f"{error}, after all retries: use another --rpc-url") from error
        return [found[number] for number in numbers]

    def logs(self, query: LogQuery, first_block: int, last_block: int) -> AsyncIterator[LogPage]:
        """Pages without gap, each from a node that proved to have reached the page's end."""
        return self._ranges.pages(query, first_block, last_block)

    async def calls(self, calls: Sequence[Call], block: Block) -> list[CallResult]:
        """The views' answers, all in the state after `block`. See `multicall.ViewCalls.ask`."""
        return await self._views.ask(calls, block)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    def _numbered(self, answer: object, number: int) -> Block:
        block = read_block(answer)
        if block.number != number:
            raise RetryableNodeError(
                f"{self._transport.endpoint.host} gave block {block.number} for block {number}"
            )
        return block

    def _refuse_gap(self, missing: Sequence[int]) -> None:
        if missing:
            raise NodeBehind(
                f"{self._transport.endpoint.host} does not have block {missing[0]}: "
                "wait for it, or use another --rpc-url"
            )


def _aggregator_code() -> bytes:
    return bytes.fromhex(read_text("abis", "Aggregate3.runtime.hex").strip().removeprefix("0x"))
