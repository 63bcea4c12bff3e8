"""Several endpoints of one chain: which is asked, and who is asked where it fails.

One endpoint is simply asked. Of several, the faster are asked more often, and those that fail, lag
or are rate limited are left alone for a while. None is used before it proved to serve the chain of
the others.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from defirisk.chain.answers import Request
from defirisk.chain.counts import Counts, RequestBudget
from defirisk.chain.multicall import CallSettings, ViewCalls
from defirisk.chain.node_errors import NodeUnavailable
from defirisk.chain.range_size import RangeSettings
from defirisk.chain.ranges import LogRanges
from defirisk.chain.rate import TokenBucket
from defirisk.chain.transport import JsonRpcTransport, TransportSettings
from defirisk.chain.wire import read_block, read_quantity
from defirisk.core.errors import NodeBehind, NodeError, ReorgDetected
from defirisk.core.evm import Hash

_log = logging.getLogger(__name__)
T = TypeVar("T")
# With others to ask, an endpoint is left after so many attempts of a kind.
_ATTEMPTS_AMONG_OTHERS = 2
# Seconds for which all are waited for at the start; who is later is met when it is first chosen.
_PATIENCE = 5.0


@dataclass(slots=True, eq=False)
class Node:
    """One endpoint with all that is learned of it. `name` is its host, numbered if not alone."""

    name: str
    transport: JsonRpcTransport
    ranges: LogRanges
    views: ViewCalls
    known: bool = False
    banned: NodeError | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Endpoints:
    """The endpoints of one chain, at least one. Belongs to one event loop.

    `chain_id` is that of the chain that is wanted, None where that is the first endpoint's.
    """

    def __init__(
        self, nodes: Sequence[Node], settings: TransportSettings, chain_id: int | None = None
    ) -> None:
        self.nodes = tuple(nodes)
        self._settings = settings
        self._chain_id = chain_id
        self._genesis: Hash | None = None
        self._random = random.Random(f"endpoints:{len(nodes)}")
        self._introduced = asyncio.Lock()

    @property
    def counts(self) -> Mapping[str, Counts]:
        """What was asked of each endpoint, by its name."""
        return {node.name: node.transport.counts for node in self.nodes}

    def choose(self, avoiding: Collection[str] = ()) -> Node:
        """One to be asked now, for who has to know before `ask`."""
        return self._choose((), avoiding) or self.nodes[0]

    async def met(self, avoiding: Collection[str] = ()) -> Node:
        """One to be asked now by who looks after failures himself."""
        if len(self.nodes) > 1:
            await self._introduce()
        return self.choose(avoiding)

    async def ask(
        self,
        operation: Callable[[Node], Awaitable[T]],
        *,
        first: Node | None = None,
        avoiding: Collection[str] = (),
    ) -> T:
        """What `operation` returns of an endpoint that does not fail.

        `first` is asked first; those named in `avoiding` only where no other is left. Errors: the
        last one, once all were asked several times; `ReorgDetected` at once.
        """
        if len(self.nodes) == 1:
            return await self._attempt(self.nodes[0], operation)
        await self._introduce()
        last: NodeError | None = None
        for round_ in range(max(1, self._settings.retry.attempts // _ATTEMPTS_AMONG_OTHERS)):
            if round_:
                await self._pause(round_)
            tried: list[Node] = []
            node = first if first is not None and first.banned is None else None
            while node := node or self._choose(tried, avoiding):
                tried.append(node)
                try:
                    return await self._attempt(node, operation)
                except ReorgDetected:
                    raise
                except NodeError as error:
                    last = error
                    _log.debug("the next endpoint is asked: %s", error)
                node = None
            first = None
            if not tried:
                break
        raise last or self._nobody()

    async def aclose(self) -> None:
        """Close all connections."""
        for node in self.nodes:
            await node.transport.aclose()

    async def _attempt(self, node: Node, operation: Callable[[Node], Awaitable[T]]) -> T:
        health = node.transport.health
        if len(self.nodes) > 1 and not node.known:
            async with node.turn:
                if not node.known:
                    await self._meet(node)
        if node.banned is not None:
            raise node.banned
        health.breaker.ask()
        try:
            result = await operation(node)
        except NodeBehind:
            health.breaker.succeeded()
            health.lags()
            raise
        except ReorgDetected:
            health.breaker.succeeded()
            raise
        except NodeError as error:
            health.breaker.failed(at_once=isinstance(error, NodeUnavailable))
            raise
        except BaseException:
            health.breaker.abandon()
            raise
        health.breaker.succeeded()
        return result

    def _choose(self, tried: Collection[Node], avoiding: Collection[str]) -> Node | None:
        left = [node for node in self.nodes if node not in tried and node.banned is None]
        wished = [node for node in left if node.name not in avoiding] or left
        able = [node for node in wished if node.transport.health.breaker.allows()]
        if not able:
            # All rest: the one that rests shortest is better than none.
            rests = [(node.transport.health.breaker.rests(), node) for node in wished]
            return min(rests, key=lambda one: one[0])[1] if rests else None
        weights = [
            node.transport.health.weight() * (0.01 if node.transport.bucket.blocked() else 1.0)
            for node in able
        ]
        return self._random.choices(able, weights)[0]

    async def _introduce(self) -> None:
        """Before the first question, all show whose chain they serve; the first one's holds."""
        async with self._introduced:
            if any(node.known for node in self.nodes):
                return
            tasks = [asyncio.ensure_future(self._identity(node)) for node in self.nodes]
            try:
                done, _ = await asyncio.wait(tasks, timeout=_PATIENCE)
                if not done:
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                answers = await asyncio.gather(*tasks, return_exceptions=True)
            for node, answer in zip(self.nodes, answers, strict=True):
                if isinstance(answer, NodeError | asyncio.CancelledError):
                    _log.debug("%s is not reached yet: %s", node.name, answer)
                    node.transport.health.breaker.failed(at_once=True)
                elif isinstance(answer, BaseException):
                    raise answer
                else:
                    self._admit(node, *answer)

    async def _meet(self, node: Node) -> None:
        try:
            identity = await self._identity(node)
        except NodeError:
            node.transport.health.breaker.failed(at_once=True)
            raise
        self._admit(node, *identity)

    async def _identity(self, node: Node) -> tuple[int, Hash | None]:
        """Chain id, and genesis hash where the node still has that block."""
        chain_id, genesis = await node.transport.batch(
            [Request("eth_chainId"), Request("eth_getBlockByNumber", ["0x0", False])]
        )
        if isinstance(chain_id, NodeError):
            raise chain_id
        known = genesis is not None and not isinstance(genesis, NodeError)
        return read_quantity(chain_id, "chain id"), read_block(genesis).hash if known else None

    def _admit(self, node: Node, chain_id: int, genesis: Hash | None) -> None:
        node.known = True
        if self._chain_id is None:
            self._chain_id = chain_id
        if chain_id != self._chain_id:
            served = f"chain {chain_id}, not chain {self._chain_id}"
        elif None not in (genesis, self._genesis) and genesis != self._genesis:
            served = f"another chain {chain_id}: its first block differs"
        else:
            self._genesis = self._genesis or genesis
            return
        node.banned = NodeUnavailable(f"{node.name} serves {served}: take it out of --rpc-url")
        _log.warning("%s: it is not asked", node.banned)

    async def _pause(self, round_: int) -> None:
        policy = self._settings.retry
        ceiling = min(policy.max_delay, policy.first_delay * 2**round_)
        await asyncio.sleep(self._random.uniform(0, ceiling))

    def _nobody(self) -> NodeError:
        banned = [node.banned for node in self.nodes if node.banned is not None]
        return banned[0] if banned else NodeUnavailable("no endpoint can be asked")


def nodes_of(
    urls: Sequence[str],
    settings: TransportSettings,
    ranges: RangeSettings | None,
    calls: CallSettings | None,
    *,
    aggregator: bytes,
    budget: RequestBudget | None = None,
) -> list[Node]:
    """One node for each URL; those of one provider share a token bucket."""
    if len(set(urls)) > 1:
        policy = settings.retry
        few = min(policy.attempts, _ATTEMPTS_AMONG_OTHERS)
        settings = replace(settings, retry=replace(policy, attempts=few, overwhelmed_attempts=few))
    budget = budget or RequestBudget()
    buckets: dict[str, TokenBucket] = {}
    hosts: Counter[str] = Counter()
    nodes = []
    for url in dict.fromkeys(url.strip() for url in urls):
        transport = JsonRpcTransport(url, settings, budget=budget)
        host = transport.endpoint.host
        transport.bucket = buckets.setdefault(host, TokenBucket(host))
        hosts[host] += 1
        nodes.append(
            Node(
                name=host if hosts[host] == 1 else f"{host} (no. {hosts[host]})",
                transport=transport,
                ranges=LogRanges(transport, ranges),
                views=ViewCalls(transport, aggregator, calls),
            )
        )
    return nodes
