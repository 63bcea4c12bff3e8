"""A JSON-RPC server on loopback with a small chain, which misbehaves as told."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web
from eth_abi.abi import decode, encode

from defirisk.chain.multicall import AGGREGATOR, MULTICALL3
from defirisk.chain.retry import RetryPolicy
from defirisk.chain.transport import TransportSettings

T = TypeVar("T")
Fault = Callable[[Any], web.Response | None]
TOPIC = bytes(31) + b"\x07"
FAST = TransportSettings(
    timeout=2.0, retry=RetryPolicy(attempts=4, first_delay=0.001, max_delay=0.003)
)


class Refused(Exception):
    """A JSON-RPC error object to answer with."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, "data": data}


def block_hash(number: int) -> str:
    return "0x" + number.to_bytes(32, "big").hex().replace("00", "ab", 1)


def address(n: int) -> str:
    return f"0x{n:040x}"


def log_json(block: int, index: int, emitter: str) -> dict[str, object]:
    return {
        "blockNumber": hex(block),
        "blockHash": block_hash(block),
        "transactionHash": "0x" + f"{block:032x}{index:032x}",
        "logIndex": hex(index),
        "address": emitter,
        "topics": ["0x" + TOPIC.hex()],
        "data": "0x" + f"{index:064x}",
        "removed": False,
    }


@dataclass
class FakeNode:
    """The chain and its manners. `faults` are used up one per HTTP request, None being honest."""

    head: int = 100
    logs: list[dict[str, Any]] = field(default_factory=list)
    faults: deque[Fault | None] = field(default_factory=deque)
    max_logs: int | None = None
    max_blocks: int | None = None
    max_addresses: int | None = None
    chain_id: int = 31337
    genesis: str = ""
    too_many_addresses: str = "exceed max addresses"
    message: Callable[[int, int], str] = lambda *_: "query returned more than 10 results"
    batches: bool = True
    lagging_answers: int = 0
    overrides: bool = True
    overlooks_overrides: bool = False
    eip1898: bool = True
    multicall3_since: int | None = None
    views: dict[tuple[str, bytes], bytes | str] = field(default_factory=dict)
    requests: list[Any] = field(default_factory=list)
    url: str = ""

    async def __aenter__(self) -> FakeNode:
        app = web.Application()
        app.router.add_post("/{key:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}/v3/SECRETKEY12345"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def count(self, method: str) -> int:
        """How many calls of a method arrived."""
        flat = [c for r in self.requests for c in (r if isinstance(r, list) else [r])]
        return sum(1 for call in flat if call["method"] == method)

    async def _answer(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        self.requests.append(body)
        fault = self.faults.popleft() if self.faults else None
        response = fault(body) if fault is not None else None
        if response is not None:
            return response
        if isinstance(body, list) and not self.batches:
            error = {"code": -32600, "message": "batch requests are not supported"}
            return web.json_response({"jsonrpc": "2.0", "id": None, "error": error})
        calls = body if isinstance(body, list) else [body]
        answers = [self._one(call) for call in calls]
        return web.json_response(answers if isinstance(body, list) else answers[0])

    def _one(self, call: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": call["id"]}
        try:
            handler = getattr(self, call["method"], None)
            if handler is None:
                raise Refused(-32601, "Method not found")
            return answer | {"result": handler(*call["params"])}
        except Refused as refused:
            return answer | {"error": refused.error}

    def eth_chainId(self) -> str:
        return hex(self.chain_id)

    def eth_blockNumber(self) -> str:
        if self.lagging_answers > 0:
            return hex(self.head - 50)
        return hex(self.head)

    def eth_getBlockByNumber(self, ref: str, _full: bool) -> dict[str, str] | None:
        tags = {"latest": self.head, "safe": self.head - 10, "finalized": self.head - 20}
        number = tags[ref] if ref in tags else int(ref, 16)
        if number > self.head:
            return None
        return {
            "number": hex(number),
            "hash": self.genesis or block_hash(0) if number == 0 else block_hash(number),
            "parentHash": block_hash(number - 1) if number else "0x" + "0" * 64,
            "timestamp": hex(1_700_000_000 + 12 * number),
        }

    def eth_getLogs(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        named = query.get("address")
        if self.max_addresses is not None and named is not None and len(named) > self.max_addresses:
            raise Refused(-32000, self.too_many_addresses)
        if "blockHash" in query:
            chosen = [x for x in self.logs if x["blockHash"] == query["blockHash"]]
            return [x for x in chosen if named is None or x["address"] in named]
        first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
        reached = self.head
        if self.lagging_answers > 0:
            self.lagging_answers -= 1
            reached = self.head - 50
        found = [
            x
            for x in self.logs
            if first <= int(x["blockNumber"], 16) <= min(last, reached)
            and (named is None or x["address"] in named)
            and ("topics" not in query or x["topics"][0] in query["topics"][0])
        ]
        too_many = self.max_logs is not None and len(found) > self.max_logs
        if too_many or (self.max_blocks is not None and last - first + 1 > self.max_blocks):
            raise Refused(-32005 if too_many else -32602, self.message(first, last))
        return found

    def eth_call(self, tx: dict[str, str], ref: Any, override: Any = None) -> str:
        if override is not None and not self.overrides:
            raise Refused(-32602, "too many arguments, want at most 2")
        if isinstance(ref, dict):
            if not self.eip1898:
                raise Refused(-32602, "invalid argument 1: json: cannot unmarshal object")
            numbers = [n for n in range(self.head + 1) if block_hash(n) == ref["blockHash"]]
            if not numbers:
                raise Refused(-32000, "header for hash not found")
            number = numbers[0]
        else:
            number = int(ref, 16)
        data = bytes.fromhex(tx["data"][2:])
        deployed = self.multicall3_since is not None and number >= self.multicall3_since
        overridden = override is not None and not self.overlooks_overrides
        overridden = overridden and tx["to"] == AGGREGATOR
        if overridden or (tx["to"] == MULTICALL3 and deployed):
            return self._aggregate(data)
        if (tx["to"], data) not in self.views:
            return "0x"
        answer = self.views[tx["to"], data]
        if isinstance(answer, bytes):
            return "0x" + answer.hex()
        if answer == "revert":
            raise Refused(3, "execution reverted: no", "0xdeadbeef")
        raise Refused(-32603, "EVM error OutOfGas")

    def _aggregate(self, data: bytes) -> str:
        (calls,) = decode(["(address,bool,bytes)[]"], data[4:])
        results: list[tuple[bool, bytes]] = []
        burnt = False
        for to, _, calldata in calls:
            answer = self.views.get((to, calldata), b"")
            if answer == "poison":
                raise Refused(-32603, "EVM error OutOfGas")
            if answer == "hang" and len(calls) > 0:
                raise Refused(-32000, "something nobody has seen before")
            burnt = burnt or answer == "burn"
            if burnt:
                results.append((False, b""))
            elif answer == "revert":
                results.append((False, b"\xde\xad\xbe\xef"))
            else:
                assert isinstance(answer, bytes)
                results.append((True, answer))
        return "0x" + encode(["(bool,bytes)[]"], [results]).hex()


def status(code: int, **headers: str) -> Fault:
    """A fault that answers with an HTTP status and no more."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: web.Response(status=code, text="<html>sorry</html>", headers=named)


def body(text: str, code: int = 200) -> Fault:
    """A fault that answers with this text."""
    return lambda _: web.Response(status=code, text=text, content_type="application/json")


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """Run one asynchronous test."""
    return asyncio.run(asyncio.wait_for(scenario, 30))
