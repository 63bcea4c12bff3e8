"""A proxy in front of a node that does, with given chances, what nodes and balancers do wrong.

Every decision is drawn from the seed, what is asked and how often it was asked before, so that it
does not depend on the order in which requests that are under way together arrive.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
from aiohttp import web

from benchmarks.generated_chain import Node, served
from tests.faults.wordings import Refusal

Ask = Callable[[bytes], Awaitable[bytes]]
Json = dict[str, Any]
Forward = Callable[[Sequence[Json]], Awaitable[list[Json]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Chances in [0, 1]: of one HTTP request, or of one call within it where "call" is said.

    `empty` (call): logs are silently left out, all of an answer's. `lost_blocks` (call): all logs
    of some of its blocks. `lost_logs` (call): some logs of blocks of which others are served; where
    there are receipts, they are cut in the same way, and no root gives them away but their own.
    `doubled_logs`, `null` (call): a log twice, null as the result. `doubled_answers`: one twice in
    a batch. `refused`: 429, every other time with Retry-After. `failing`: 5xx. `silent`: no answer
    for `silence` seconds. `cut`: half of the JSON. `lagging`: all of a request is answered by a
    node that is some blocks behind, and knows it.
    `max_logs` and `max_blocks` cap ranges, in the words of `refusal`. `unknown`: methods that the
    node does not have.
    """

    seed: int = 1
    empty: float = 0.0
    lost_blocks: float = 0.0
    lost_logs: float = 0.0
    doubled_logs: float = 0.0
    doubled_answers: float = 0.0
    null: float = 0.0
    refused: float = 0.0
    failing: float = 0.0
    silent: float = 0.0
    cut: float = 0.0
    lagging: float = 0.0
    silence: float = 1.0
    max_logs: int = 0
    max_blocks: int = 0
    refusal: Refusal | None = None
    unknown: frozenset[str] = frozenset()


@dataclass
class FaultProxy:
    """Use `proxied`. `done` counts faults by name; `hurt` are the blocks of whose logs some were
    kept back in an answer; `asked` counts calls by method, `exchanges` HTTP requests. `before` is
    what happens just before the exchange of that number.
    """

    ask: Ask
    faults: Faults
    url: str = ""
    done: Counter[str] = field(default_factory=Counter)
    hurt: set[int] = field(default_factory=set)
    asked: Counter[str] = field(default_factory=Counter)
    exchanges: int = 0
    before: dict[int, Callable[[], None]] = field(default_factory=dict)
    _times: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def become_honest(self) -> None:
        """No faults from now on, and no caps."""
        self.faults = Faults(seed=self.faults.seed)

    def change(self, **faults: Any) -> None:
        """Other chances from now on."""
        self.faults = replace(self.faults, **faults)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One HTTP exchange."""
        self.exchanges += 1
        self.before.pop(self.exchanges, _nothing)()
        asked = json.loads(await request.read())
        calls: list[Json] = asked if isinstance(asked, list) else [asked]
        self.asked.update(str(call["method"]) for call in calls)
        draw = self._draw("http", [[call["method"], call.get("params")] for call in calls])
        refused = await self._refused(draw)
        if refused is not None:
            return refused
        lag = draw.randint(1, 40) if self._happens(draw, "lagging") else 0
        answers = await (Behind(self._forward, lag).ask(calls) if lag else self._forward(calls))
        said = [self._spoilt(call, one) for call, one in zip(calls, answers, strict=True)]
        if isinstance(asked, list) and self._happens(draw, "doubled_answers"):
            said.append(draw.choice(said))
        body = json.dumps(said if isinstance(asked, list) else said[0]).encode()
        if self._happens(draw, "cut"):
            body = body[: len(body) // 2]
        return web.Response(body=body, content_type="application/json")

    async def _refused(self, draw: random.Random) -> web.Response | None:
        """What HTTP says instead of an answer."""
        if self._happens(draw, "silent"):
            await asyncio.sleep(self.faults.silence)
            return web.Response(status=504)
        if self._happens(draw, "refused"):
            wish = {"Retry-After": "0"} if self.done["refused"] % 2 else {}
            return web.Response(status=429, headers=wish, text="Too Many Requests")
        if self._happens(draw, "failing"):
            status = draw.choice([500, 502, 503, 504])
            return web.Response(status=status, text="<html>bad gateway</html>")
        return None

    async def _forward(self, calls: Sequence[Json]) -> list[Json]:
        """The node's own answers, in the order of the calls."""
        numbered = [call | {"id": at} for at, call in enumerate(calls)]
        answers = json.loads(await self.ask(json.dumps(numbered).encode()))
        by_id = {one["id"]: one for one in answers}
        return [by_id[at] | {"id": call.get("id")} for at, call in enumerate(calls)]

    def _spoilt(self, call: Json, answer: Json) -> Json:
        if "result" not in answer:
            return answer
        method, params = call["method"], call.get("params") or []
        if method in self.faults.unknown:
            error = {"code": -32601, "message": f"the method {method} does not exist"}
            return {key: answer[key] for key in answer if key != "result"} | {"error": error}
        draw = self._draw("call", [method, params])
        if self._happens(draw, "null"):
            return answer | {"result": None}
        if method == "eth_getLogs":
            return self._spoilt_logs(params[0], answer, draw)
        if method == "eth_getBlockReceipts" and answer["result"]:
            return self._spoilt_receipts(answer, draw)
        return answer

    def _spoilt_logs(self, query: Json, answer: Json, draw: random.Random) -> Json:
        logs: list[Json] = answer["result"]
        if "fromBlock" in query and (error := self._capped(query, logs)) is not None:
            return {key: answer[key] for key in answer if key != "result"} | {"error": error}
        if logs and self._happens(draw, "empty"):
            return answer | {"result": self._without(logs, logs)}
        if logs and self._happens(draw, "lost_blocks"):
            blocks = sorted({log["blockNumber"] for log in logs})
            lost = set(draw.sample(blocks, draw.randint(1, len(blocks))))
            logs = self._without(logs, [log for log in logs if log["blockNumber"] in lost])
        several = {n for n, c in Counter(log["blockNumber"] for log in logs).items() if c > 1}
        if several and self._happens(draw, "lost_logs"):
            block = draw.choice(sorted(several))
            inside = [log for log in logs if log["blockNumber"] == block]
            logs = self._without(logs, draw.sample(inside, draw.randint(1, len(inside) - 1)))
        if logs and self._happens(draw, "doubled_logs"):
            logs = [*logs, draw.choice(logs)]
        return answer | {"result": logs}

    def _without(self, logs: Iterable[Json], lost: Iterable[Json]) -> list[Json]:
        places = {(log["blockNumber"], log["logIndex"]) for log in lost}
        self.hurt.update(int(number, 16) for number, _ in places)
        return [log for log in logs if (log["blockNumber"], log["logIndex"]) not in places]

    def _spoilt_receipts(self, answer: Json, draw: random.Random) -> Json:
        if self.faults.lost_logs and self._happens(draw, "lost_logs"):
            receipts = [dict(one) for one in answer["result"]]
            one = draw.choice(receipts)
            one["logs"] = one["logs"][:-1]
            return answer | {"result": receipts}
        return answer

    def _capped(self, query: Json, logs: Sequence[Json]) -> Mapping[str, Any] | None:
        faults = self.faults
        if faults.refusal is None:
            return None
        first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
        if "blocks" in faults.refusal.caps and 0 < faults.max_blocks < last - first + 1:
            self.done["capped"] += 1
            return faults.refusal.error(first, first + faults.max_blocks - 1, faults.max_blocks)
        if "logs" in faults.refusal.caps and 0 < faults.max_logs < len(logs):
            self.done["capped"] += 1
            fits = int(logs[faults.max_logs]["blockNumber"], 16) - 1
            return faults.refusal.error(first, max(first, fits), faults.max_logs)
        return None

    def _draw(self, what: str, asked: object) -> random.Random:
        key = f"{self.faults.seed} {what} {json.dumps(asked)}"
        self._times[key] += 1
        return random.Random(f"{key} {self._times[key]}")

    def _happens(self, draw: random.Random, fault: str) -> bool:
        happens: bool = draw.random() < getattr(self.faults, fault)
        self.done[fault] += happens
        return happens


class Behind:
    """A node that has not seen the last `lag` blocks yet, and answers as such a node does."""

    def __init__(self, forward: Forward, lag: int) -> None:
        self._forward = forward
        self._lag = lag

    async def ask(self, calls: Sequence[Json]) -> list[Json]:
        """The answers of a node that is behind."""
        tags = ("latest", "safe", "finalized")
        known = await self._forward(
            [{"method": "eth_getBlockByNumber", "params": [tag, False]} for tag in tags]
        )
        seen = {
            tag: max(0, int(one["result"]["number"], 16) - self._lag)
            for tag, one in zip(tags, known, strict=True)
        }
        answers = await self._forward([self._asked(call, seen) for call in calls])
        return [self._said(call, one, seen) for call, one in zip(calls, answers, strict=True)]

    def _asked(self, call: Json, seen: Mapping[str, int]) -> Json:
        params = list(call.get("params") or [])
        if call["method"] == "eth_getBlockByNumber" and params[0] in seen:
            return call | {"params": [hex(seen[params[0]]), *params[1:]]}
        if call["method"] == "eth_getLogs" and "toBlock" in params[0]:
            end = min(int(params[0]["toBlock"], 16), seen["latest"])
            return call | {"params": [params[0] | {"toBlock": hex(end)}]}
        return call

    def _said(self, call: Json, answer: Json, seen: Mapping[str, int]) -> Json:
        result, head = answer.get("result"), seen["latest"]
        if call["method"] == "eth_blockNumber":
            return answer | {"result": hex(head)}
        if not result:
            return answer
        if call["method"].startswith("eth_getBlockBy") and int(result["number"], 16) > head:
            return answer | {"result": None}
        if call["method"] == "eth_getBlockReceipts" and int(result[0]["blockNumber"], 16) > head:
            return answer | {"result": None}
        if call["method"] == "eth_getLogs":
            there = [log for log in result if int(log["blockNumber"], 16) <= head]
            if not there and "blockHash" in call["params"][0]:
                error = {"code": -32000, "message": "unknown block"}
                return {key: answer[key] for key in answer if key != "result"} | {"error": error}
            return answer | {"result": there}
        return answer


def _nothing() -> None:
    pass


def of_node(node: Node) -> Ask:
    """A generated chain's node in this process, without HTTP between."""

    async def ask(body: bytes) -> bytes:
        return node.answer(body)

    return ask


def of_url(url: str) -> Ask:
    """Any node, such as anvil."""

    async def ask(body: bytes) -> bytes:
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=body, headers={"Content-Type": "application/json"}) as answer,
        ):
            return await answer.read()

    return ask


@contextmanager
def proxied(ask: Ask, faults: Faults | None = None) -> Iterator[FaultProxy]:
    """A proxy on a port of its own; `url` is where it listens."""
    proxy = FaultProxy(ask, faults or Faults())
    made = web.Application(client_max_size=1 << 26)
    made.router.add_post("/", proxy.answer)
    with served(made) as url:
        proxy.url = url
        yield proxy
