"""Many views in the state of one block, in few requests.

The aggregator is our own code, put in place by a state override: so it works at any block and on
any chain. Where the node refuses overrides the deployed Multicall3 does it, and where that does not
exist, a JSON-RPC batch of plain calls. `msg.sender` is the aggregator, or zero in plain calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from defirisk.chain.aggregate3 import decode_results, encode_calls
from defirisk.chain.answers import Request
from defirisk.chain.node_errors import CallReverted, NodeUnavailable
from defirisk.chain.tasks import gather_or_cancel
from defirisk.chain.transport import JsonRpcTransport
from defirisk.chain.wire import read_block, read_bytes, to_quantity
from defirisk.core.errors import NodeBehind, NodeError, ReorgDetected, RetryableNodeError
from defirisk.core.evm import Address, Block, Call, CallResult

# The last 20 bytes of keccak("defirisk.aggregate3"): nobody has the key, nothing is deployed there.
AGGREGATOR: Address = "0x1cbe70eeb3feb3af4f8027bb7293af11f3070236"
MULTICALL3: Address = "0xca11bde05977b3631167028862be2a173976ca11"
# Single calls that travel together; an answer may be long, so fewer than headers.
_SINGLE_CALLS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettings:
    """How much goes into one aggregated call: views, and bytes of their calldata."""

    max_calls: int = 300
    max_calldata: int = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How the node lets itself be asked: through which aggregator, at a block named by what."""

    aggregator: Address | None
    by_hash: bool


class ViewCalls:
    """Asks views in one block's state; what it learns of the node lasts as long as it does."""

    def __init__(
        self, transport: JsonRpcTransport, code: bytes, settings: CallSettings | None = None
    ) -> None:
        self._transport = transport
        self._settings = settings or CallSettings()
        self._override = {AGGREGATOR: {"code": "0x" + code.hex()}}
        self._way: tuple[_Way, Block] | None = None

    async def ask(self, calls: Sequence[Call], block: Block) -> list[CallResult]:
        """The views' answers in the state after `block`, in the given order.

        A view that reverts has `ok` false and its revert data; one that the node cannot run even
        alone has `ok` false and no data. Errors: `ReorgDetected` where the node has another block
        at that height, `NodeBehind` where it does not have the block or its state.
        """
        if not calls:
            return []
        try:
            exchange = _AtBlock(self._transport, self._override, await self._find_way(block), block)
            if exchange.way.aggregator is None:
                parts = await gather_or_cancel(map(exchange.alone, _slices(calls)))
            else:
                parts = await gather_or_cancel(map(exchange.chunk, self._chunks(calls)))
        except NodeBehind:
            await self._refuse_other_block(block)
            raise
        return [result for part in parts for result in part]

    def _chunks(self, calls: Sequence[Call]) -> Iterator[Sequence[Call]]:
        first, size = 0, 0
        for index, call in enumerate(calls):
            full = index - first == self._settings.max_calls
            if index > first and (full or size + len(call.data) > self._settings.max_calldata):
                yield calls[first:index]
                first, size = index, 0
            size += len(call.data)
        yield calls[first:]

    async def _find_way(self, block: Block) -> _Way:
        """The best way that works: found once, or per block where a deployed contract matters."""
        if self._way is not None:
            way, found_at = self._way
            if way.aggregator == AGGREGATOR or found_at == block:
                return way
        retry = self._transport.settings.retry
        way = await retry.run(lambda: self._probe(block), NodeBehind)
        self._way = (way, block)
        return way

    async def _probe(self, block: Block) -> _Way:
        """The first way in which the node answers the question that asks no views."""
        ways = [
            _Way(aggregator=aggregator, by_hash=by_hash)
            for aggregator in (AGGREGATOR, MULTICALL3, None)
            for by_hash in (True, False)
        ]
        probes = [_AtBlock(self._transport, self._override, way, block) for way in ways]
        refusal = NodeError(f"{self._transport.endpoint.host} does not answer eth_call")
        answers = await self._transport.batch([probe.request([]) for probe in probes])
        for probe, answer in zip(probes, answers, strict=True):
            if isinstance(answer, NodeBehind | NodeUnavailable):
                raise answer
            if isinstance(answer, NodeError):
                refusal = answer
            elif _works(probe, answer):
                return probe.way
        raise refusal

    async def _refuse_other_block(self, block: Block) -> None:
        answer = await self._transport.request(
            "eth_getBlockByNumber", to_quantity(block.number), False
        )
        if answer is not None:
            _check_hash(answer, block)


class _AtBlock:
    """Views asked in one way at one block."""

    def __init__(
        self, transport: JsonRpcTransport, override: object, way: _Way, block: Block
    ) -> None:
        self._transport = transport
        self._override = override
        self._block = block
        self.way = way

    async def chunk(self, calls: Sequence[Call]) -> list[CallResult]:
        """One aggregated call, halved while it fails as a whole.

        What failed inside is asked again alone: a view that burns all gas takes those after it
        along, and their failure would not be theirs.
        """
        if len(calls) == 1:
            return await self.alone(calls)
        (results,) = await self._exchange([calls])
        if isinstance(results, NodeError):
            await self._refuse_dead_node([results])
            middle = len(calls) // 2
            halves = await gather_or_cancel(map(self.chunk, (calls[:middle], calls[middle:])))
            return [*chain.from_iterable(halves)]
        failed = [index for index, result in enumerate(results) if not result.ok]
        again = await gather_or_cancel(map(self.alone, _slices([calls[i] for i in failed])))
        for index, result in zip(failed, chain.from_iterable(again), strict=True):
            results[index] = result
        return results

    async def alone(self, calls: Sequence[Call]) -> list[CallResult]:
        """Each view by itself, in one JSON-RPC batch."""
        answers = await self._exchange([[call] for call in calls])
        await self._refuse_dead_node(answers)
        return [_single(answer, plain=self.way.aggregator is None) for answer in answers]

    def request(self, calls: Sequence[Call]) -> Request:
        """The eth_call that asks these views: a single one where there is no aggregator."""
        if self.way.aggregator is not None:
            call = Call(self.way.aggregator, encode_calls(calls))
        else:
            call = calls[0] if calls else Call(AGGREGATOR, b"")
        number = to_quantity(self._block.number)
        params: list[object] = [
            {"to": call.to, "data": "0x" + call.data.hex()},
            {"blockHash": self._block.hash} if self.way.by_hash else number,
        ]
        if self.way.aggregator == AGGREGATOR:
            params.append(self._override)
        return Request("eth_call", params)

    def read(self, answer: object, expected: int) -> list[CallResult]:
        """The results in one eth_call's answer. Errors: `Overwhelmed` where it is no such thing."""
        data = read_bytes(answer, "eth_call answer")
        if self.way.aggregator is None:
            return [CallResult(True, data)]
        return decode_results(data, expected)

    async def _refuse_dead_node(self, answers: Sequence[object]) -> None:
        """A failure is the view's own only where the node does answer another question."""
        unclear = [a for a in answers if isinstance(a, NodeError) and type(a) is not CallReverted]
        if unclear:
            (probe,) = await self._exchange([[]])
            if isinstance(probe, NodeError):
                raise unclear[0]

    async def _exchange(
        self, groups: Sequence[Sequence[Call]]
    ) -> list[list[CallResult] | NodeError]:
        """Each group's results, or an error that is about the views and not about the block."""
        if not groups:
            return []
        retry = self._transport.settings.retry
        try:
            return await retry.run(lambda: self._attempt(groups), RetryableNodeError, NodeBehind)
        except RetryableNodeError as error:
            raise NodeError(
                f"{self._transport.endpoint.host} eth_call: {error}, after all retries: "
                "use another --rpc-url"
            ) from error

    async def _attempt(
        self, groups: Sequence[Sequence[Call]]
    ) -> list[list[CallResult] | NodeError]:
        requests = [self.request(group) for group in groups]
        if self.way.by_hash:
            answers = await self._transport.batch(requests)
        else:
            header = Request("eth_getBlockByNumber", [to_quantity(self._block.number), False])
            *answers, found = await self._transport.batch([*requests, header], together=True)
            _check_hash(found, self._block)
        results: list[list[CallResult] | NodeError] = []
        for group, answer in zip(groups, answers, strict=True):
            if isinstance(answer, NodeBehind | NodeUnavailable):
                raise answer
            if isinstance(answer, NodeError):
                results.append(answer)
            else:
                results.append(self.read(answer, len(group)))
        return results


def _single(answer: list[CallResult] | NodeError, *, plain: bool) -> CallResult:
    """One view's result. Only a plain call's error carries the view's own revert data."""
    if not isinstance(answer, NodeError):
        return answer[0]
    return CallResult(False, answer.data if plain and isinstance(answer, CallReverted) else b"")


def _slices(calls: Sequence[Call]) -> Iterator[Sequence[Call]]:
    return (calls[i : i + _SINGLE_CALLS] for i in range(0, len(calls), _SINGLE_CALLS))


def _works(probe: _AtBlock, answer: object) -> bool:
    """Whether this is the answer to no views at all.

    It is empty where no code is, for instance because the node overlooks the override.
    """
    try:
        probe.read(answer, 0)
    except RetryableNodeError:
        return False
    return True


def _check_hash(answer: object, block: Block) -> None:
    """Refuse answers about another block. Errors: `ReorgDetected`, `NodeBehind`, `NodeError`."""
    if isinstance(answer, NodeError):
        raise answer
    if answer is None:
        raise NodeBehind(f"the node does not have block {block.number}: wait for it")
    found = read_block(answer).hash
    if found != block.hash:
        raise ReorgDetected(
            f"block {block.number} was {block.hash} and is now {found}: index again from before it"
        )
