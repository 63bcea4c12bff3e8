"""Headers: many at once by number, or the newest, which no lagging node may take back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from defirisk.chain.answers import Request
from defirisk.chain.endpoints import Endpoints, Node
from defirisk.chain.transport import JsonRpcTransport
from defirisk.chain.wire import read_block, read_quantity, to_quantity
from defirisk.core.errors import NodeBehind, NodeError, RetryableNodeError
from defirisk.core.evm import Block, BlockTag

# How often a single endpoint is asked before a newest block below a known one is believed.
_ASKED_AGAIN = 3


class BrokenAnswer(RetryableNodeError):
    """Came in time and says nothing: what a transport does not ask again by itself."""


async def chain_id_of(transport: JsonRpcTransport) -> int:
    """EIP-155. Errors: `NodeError`."""

    async def ask() -> int:
        answer = await transport.request("eth_chainId")
        try:
            return read_quantity(answer, "chain id")
        except RetryableNodeError as error:
            raise BrokenAnswer(str(error)) from error

    return await transport.settings.retry.run(ask, BrokenAnswer)


async def headers(transport: JsonRpcTransport, numbers: Sequence[int]) -> list[Block]:
    """Headers in the given order. Errors: `NodeBehind` where the node lacks one of them."""
    found: dict[int, Block] = {}
    host = transport.endpoint.host

    async def ask_missing() -> None:
        missing = sorted(set(numbers) - found.keys())
        requests = [
            Request("eth_getBlockByNumber", [to_quantity(number), False]) for number in missing
        ]
        for number, answer in zip(missing, await transport.batch(requests), strict=True):
            if isinstance(answer, NodeError):
                raise answer
            if answer is not None:
                found[number] = _numbered(answer, number, host)
        left = sorted(set(numbers) - found.keys())
        if left:
            raise NodeBehind(
                f"{host} does not have block {left[0]}: wait for it, or use another --rpc-url"
            )

    try:
        await transport.settings.retry.run(ask_missing, RetryableNodeError, NodeBehind)
    except RetryableNodeError as error:
        raise NodeError(f"{error}, after all retries: use another --rpc-url") from error
    return [found[number] for number in numbers]


class NewestBlocks:
    """The blocks that tags mean. One below a block that was seen is the answer of a node that
    lags: the endpoint is asked less, and others are asked; only what all say is believed.
    """

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._seen: dict[BlockTag, int] = {}

    async def block(self, tag: BlockTag) -> Block:
        """One header. Errors: `NodeBehind` where no endpoint has such a block."""
        lower: list[Block] = []

        async def ask(node: Node) -> Block:
            answer = await node.transport.request("eth_getBlockByNumber", tag, False)
            if answer is None:
                kind = _NoBlock if tag == "latest" else NodeBehind
                raise kind(
                    f"{node.transport.endpoint.host} has no {tag!r} block: "
                    "use --block N or --block latest"
                )
            try:
                block = read_block(answer)
            except RetryableNodeError as error:
                raise BrokenAnswer(str(error)) from error
            if block.number < self._seen.get(tag, 0):
                lower.append(block)
                raise _WentBack(f"{node.name} went back to block {block.number} as {tag}")
            return block

        async def ask_again(node: Node) -> Block:
            retry = node.transport.settings.retry
            few = replace(retry, attempts=min(retry.attempts, _ASKED_AGAIN))
            return await few.run(lambda: retry.run(lambda: ask(node), *_BROKEN), _WentBack)

        try:
            block = await self._endpoints.ask(ask_again)
        except NodeError:
            if not lower:
                raise
            block = max(lower, key=lambda one: one.number)
        self._seen[tag] = block.number
        return block


class _WentBack(NodeBehind):
    """The newest block is below one that was seen."""


class _NoBlock(NodeBehind):
    """No newest block at all, which no chain is without."""


_BROKEN = (BrokenAnswer, _NoBlock)


def _numbered(answer: object, number: int, host: str) -> Block:
    block = read_block(answer)
    if block.number != number:
        raise RetryableNodeError(f"{host} gave block {block.number} for block {number}")
    return block
