"""A generated chain of ERC-20 Transfer logs, served over JSON-RPC on loopback.

    chain = GeneratedChain(ChainShape(blocks=2_000_000, every=100, logs_per_block=10))
    with serve(chain, ServeLimits(latency=0.1, rate=25, max_logs=10_000), process=True) as url:
        ...index deployment(chain) from url...

Every block is computed from its number, so that a chain of millions of blocks costs nothing until
it is read: `hash = H(seed, number, fork)` and the parent is the hash of the block before. Hashes
are not the RLP's of their headers; parents, blooms and receipts roots are right.

Every token is an ERC-4626 vault (`asset` is a token without transfers, one share is worth one unit
of it), so that the adapter `erc4626` folds the transfers into balances and a supply, and
`totalSupply`, `balanceOf` and all else can be asked at any block. Block 1 endows a few whales with
so much that no transfer is ever more than its sender has; the other logs move tokens from a whale
to any account, and one in eight mints or burns. `deployment(chain)` is what `index` is given; with
`watched` fewer than the shape's tokens, the others are strangers in the same blocks.

Served: eth_chainId, eth_blockNumber, eth_getBlockByNumber (with a number or latest, safe,
finalized, earliest), eth_getBlockByHash, eth_getLogs (by range or block hash, with addresses and
topics), eth_getBlockReceipts, eth_call (also at a block hash, and with a state override that puts
an aggregator in place), batches, and anvil_mine [count] and anvil_reorg [depth, seed], which are
also methods of the chain where it is served by a thread of the same process.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from aiohttp import web

from benchmarks.generated_blocks import ChainShape, GeneratedChain
from benchmarks.generated_node import Node, ServeLimits
from defirisk.core.adapter import Deployment

__all__ = ["ChainShape", "GeneratedChain", "Node", "ServeLimits", "deployment", "serve"]

NAME = "generated"
_BODY = 1 << 26
_PIECE = 1 << 18


def deployment(chain: GeneratedChain, watched: int | None = None) -> Deployment:
    """The first `watched` tokens of the chain (all where None is given) as ERC-4626 vaults."""
    tokens = chain.tokens[:watched]
    return Deployment(
        name=NAME,
        protocol="erc4626",
        chain_id=chain.shape.chain_id,
        first_block=0,
        contracts={f"vault_{at}": token for at, token in enumerate(tokens)},
    )


async def send(request: web.Request, body: bytes) -> web.StreamResponse:
    """An answer in pieces: asyncio moves all that is unsent whenever the socket takes a part."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = len(body)
    await response.prepare(request)
    for at in range(0, len(body), _PIECE):
        await response.write(body[at : at + _PIECE])
    await response.write_eof()
    return response


class _Turns:
    """Requests a second, counted as a bucket that holds a tenth of a second's worth."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._free_at = time.monotonic()

    def wait(self) -> float:
        """Seconds until there is room, which is then taken."""
        if not self._rate:
            return 0.0
        now = time.monotonic()
        self._free_at = max(self._free_at, now - 0.1)
        waiting = self._free_at - now
        self._free_at += 1 / self._rate
        return max(0.0, waiting)

    def give_back(self) -> None:
        """Of who was refused."""
        self._free_at -= 1 / self._rate


def application(node: Node) -> web.Application:
    """The HTTP side of a node."""
    turns = _Turns(node.limits.rate)

    async def answer(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        node.exchanges += 1
        waiting = turns.wait()
        if waiting and node.limits.over == "refuse":
            turns.give_back()
            node.refused += 1
            return web.Response(status=429, headers={"Retry-After": f"{waiting:.3f}"})
        if waiting + node.limits.latency:
            await asyncio.sleep(waiting + node.limits.latency)
        return await send(request, node.answer(body))

    made = web.Application(client_max_size=_BODY)
    made.router.add_post("/", answer)
    return made


async def _serving(
    made: web.Application, tell: Callable[[str], object], over: asyncio.Event
) -> None:
    runner = web.AppRunner(made, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    tell(f"http://127.0.0.1:{port}")
    await over.wait()
    await runner.cleanup()


@contextmanager
def served(made: web.Application) -> Iterator[str]:
    """The address of an application that a thread of this process serves."""
    loop, over, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    urls: list[str] = []

    def tell(url: str) -> None:
        urls.append(url)
        ready.set()

    thread = threading.Thread(
        target=loop.run_until_complete, args=(_serving(made, tell, over),), daemon=True
    )
    thread.start()
    if not ready.wait(30):
        raise RuntimeError("the generated chain could not be served")
    try:
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)


def _serve_process(shape: ChainShape, limits: ServeLimits, pipe: Connection) -> None:
    made = application(Node(GeneratedChain(shape), limits))
    asyncio.run(_serving(made, pipe.send, asyncio.Event()))


@contextmanager
def serve(
    chain: GeneratedChain, limits: ServeLimits | None = None, *, process: bool = False
) -> Iterator[str]:
    """The address of a node of the chain.

    `process`: in a process of its own, which starts from the chain's shape and is changed by
    anvil_mine and anvil_reorg only; else by a thread of this one.
    """
    if not process:
        with served(application(Node(chain, limits or ServeLimits()))) as url:
            yield url
        return
    context = multiprocessing.get_context("spawn")
    mine, its = context.Pipe()
    arguments = (chain.shape, limits or ServeLimits(), its)
    child = context.Process(target=_serve_process, args=arguments, daemon=True)
    child.start()
    try:
        if not mine.poll(60):
            raise RuntimeError("the generated chain could not be served")
        yield mine.recv()
    finally:
        child.terminate()
        child.join(10)
