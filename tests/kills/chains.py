"""A small generated chain, its node, which notes what it gave, and a folder to work in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from benchmarks.generated_chain import (
    ChainShape,
    GeneratedChain,
    Node,
    ServeLimits,
    application,
    deployment,
    served,
)
from tests.devnet.record import as_toml

Range = tuple[int, int]
RANGE_BLOCKS = 60


@dataclass
class Remembering(Node):
    """A node that notes the ranges of blocks whose logs it gave, and may give no more of them."""

    given: list[Range] = field(default_factory=list)
    most: int | None = None

    def answer(self, body: bytes) -> bytes:
        """The answer to a request, or to a batch."""
        answer = super().answer(body)
        asked, said = orjson.loads(body), orjson.loads(answer)
        if not isinstance(asked, list):
            asked, said = [asked], [said]
        for call, result in zip(asked, said, strict=True):
            if call["method"] == "eth_getLogs" and "result" in result:
                query = call["params"][0]
                if "fromBlock" in query:
                    self.given.append((int(query["fromBlock"], 16), int(query["toBlock"], 16)))
        return answer

    def take(self) -> list[Range]:
        """What was given since the last time."""
        given, self.given = self.given, []
        return given


def overlapping(asked: list[Range], stored: list[Range]) -> list[Range]:
    """Ranges that were asked for though at least one of their blocks was stored."""
    return [
        (first, last)
        for first, last in asked
        if any(first <= end and start <= last for start, end in stored)
    ]


@contextmanager
def node_of(shape: ChainShape, most: int | None = None) -> Iterator[tuple[Remembering, str]]:
    """A node that gives logs of few blocks at a time, and its address. After `most` ranges it is
    silent when it is asked for logs, until `node.most` is None again.
    """
    node = Remembering(GeneratedChain(shape), ServeLimits(max_blocks=RANGE_BLOCKS), most=most)

    @web.middleware
    async def silent(request: web.Request, handler: Handler) -> web.StreamResponse:
        while (
            node.most is not None
            and len(node.given) >= node.most
            and b"eth_getLogs" in await request.read()
        ):
            await asyncio.sleep(0.02)
        return await handler(request)

    made = application(node)
    made.middlewares.append(silent)
    with served(made) as url:
        yield node, url


def configured(folder: Path, shape: ChainShape, rpc_url: str, database_url: str) -> Path:
    """The folder, with settings that name the chain's node, its deployment and the store."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "defirisk.toml").write_text(
        f'db = "{database_url}"\n\n'
        f'[chains.local]\nchain_id = {shape.chain_id}\nrpc_url = "{rpc_url}"\n\n'
        f"{as_toml(deployment(GeneratedChain(shape)))}\n"
    )
    return folder
