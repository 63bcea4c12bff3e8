"""JSON-RPC over HTTP: single and batch requests, retries, and errors that say what to do next."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from itertools import count
from time import monotonic, time

import aiohttp
import orjson

from defirisk import __version__
from defirisk.chain.answers import BatchRefused, Request, describe, match, read
from defirisk.chain.counts import Counts, RequestBudget
from defirisk.chain.endpoint import Endpoint
from defirisk.chain.health import Health
from defirisk.chain.node_errors import (
    Asked,
    NodeUnavailable,
    Overwhelmed,
    RateLimited,
    classify,
    classify_status,
)
from defirisk.chain.rate import TokenBucket
from defirisk.chain.retry import RetryPolicy
from defirisk.chain.tasks import gather_or_cancel
from defirisk.core.errors import NodeError, RangeTooLarge, RetryableNodeError

# With these statuses the body is a web page or a gateway's own JSON, not the node's.
_STATUS_DECIDES = frozenset({401, 402, 403, 404, 413, 429})
# A gateway that refuses batches may say no more than this.
_MAY_REFUSE_BATCH = frozenset({400, 405, 413})


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportSettings:
    """`timeout` in seconds for one HTTP exchange; `batch_size` in requests per exchange."""

    timeout: float = 30.0
    batch_size: int = 200
    concurrency: int = 8
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    user_agent: str = f"defirisk/{__version__}"


class JsonRpcTransport:
    """One node's JSON-RPC. Belongs to the event loop in which it was first used.

    `budget` may be shared by several; so may `bucket` by those of one provider.
    """

    def __init__(
        self,
        url: str,
        settings: TransportSettings | None = None,
        *,
        budget: RequestBudget | None = None,
        bucket: TokenBucket | None = None,
    ) -> None:
        self.endpoint = Endpoint(url)
        self.settings = settings or TransportSettings()
        self.budget = budget or RequestBudget()
        self.bucket = bucket or TokenBucket(self.endpoint.host)
        self.counts = Counts()
        self.health = Health()
        self._batch_limit = max(1, self.settings.batch_size)
        self._ids = count(1)
        self._slots = asyncio.Semaphore(self.settings.concurrency)
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"JsonRpcTransport({self.endpoint.host})"

    async def aclose(self) -> None:
        """Close the connections; a later request opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def request(self, method: str, *params: object) -> object:
        """One call's result. Errors: `NodeError` and its kinds."""
        (answer,) = await self.batch([Request(method, params)])
        if isinstance(answer, NodeError):
            raise answer
        return answer

    async def batch(
        self, requests: Sequence[Request], *, together: bool = False
    ) -> list[object | NodeError]:
        """Each call's result, or the error that it alone ran into after all retries.

        `together`: the requests are repeated as a whole or not at all, and where the node refuses
        batches each is sent after the answer to the one before. Errors: `NodeError` where the node
        refuses the exchange as a whole.
        """
        size = self._batch_limit
        chunks = [requests[i : i + size] for i in range(0, len(requests), size)]
        if together:
            answered = [await self._settle(chunk, together) for chunk in chunks]
        else:
            answered = await gather_or_cancel(self._settle(chunk, together) for chunk in chunks)
        return [answer for chunk in answered for answer in chunk]

    async def _settle(
        self, requests: Sequence[Request], together: bool
    ) -> list[object | NodeError]:
        exchange = _Exchange(self, requests, together)
        try:
            await self.settings.retry.run(exchange.attempt)
        except BatchRefused as refusal:
            self._batch_limit = min(self._batch_limit, refusal.try_size)
        except RetryableNodeError as last:
            return exchange.given_up(last)
        else:
            return exchange.answers
        return await self.batch(requests, together=together)

    async def post(self, requests: Sequence[Request]) -> list[object | NodeError]:
        """One HTTP exchange without retries: each request's result or error."""
        try:
            answers = await self._exchange(requests)
        except RateLimited as error:
            await self._slow_down([error])
            raise
        limited = [answer for answer in answers if isinstance(answer, RateLimited)]
        if limited:
            await self._slow_down(limited)
        else:
            self.bucket.succeeded()
        return answers

    async def _slow_down(self, refusals: Sequence[RateLimited]) -> None:
        self.counts.refused += 1
        wished = max(error.retry_after or 0.0 for error in refusals)
        await self.bucket.refused(min(wished, self.settings.retry.max_retry_after))

    async def _exchange(self, requests: Sequence[Request]) -> list[object | NodeError]:
        host, scrub = self.endpoint.host, self.endpoint.scrub
        asked = describe(requests, host)
        ids = [next(self._ids) for _ in requests]
        calls = [
            {"jsonrpc": "2.0", "id": i, "method": r.method, "params": r.params}
            for i, r in zip(ids, requests, strict=True)
        ]
        payload = orjson.dumps(calls if len(calls) > 1 else calls[0], default=list)
        status, retry_after, body = await self._send(payload, len(calls), asked)
        parsed = _parse(body)
        refused = classify_status(status, asked, retry_after)
        if refused is not None and not self._is_nodes_own(status, parsed, asked):
            batched = len(ids) > 1 and not isinstance(refused, RangeTooLarge)
            if batched and status in _MAY_REFUSE_BATCH:
                raise BatchRefused(str(refused), try_size=len(ids) // 2 if status == 413 else 1)
            raise refused
        if not isinstance(parsed, dict | list):
            raise Overwhelmed(asked.says("the answer is cut off, empty or no JSON"))
        found = match(parsed, ids, asked, scrub)
        return [
            read(found.get(position), describe([request], host), scrub)
            for position, request in enumerate(requests)
        ]

    def _is_nodes_own(self, status: int, parsed: object, asked: Asked) -> bool:
        """Whether the body of a failed exchange is a JSON-RPC answer that says more than HTTP."""
        if status in _STATUS_DECIDES:
            return False
        if isinstance(parsed, dict) and "error" in parsed:
            meant = classify(parsed["error"], asked, self.endpoint.scrub)
            return status < 500 or type(meant) is not NodeError
        return isinstance(parsed, list)

    async def _send(
        self, payload: bytes, calls: int, asked: Asked
    ) -> tuple[int, float | None, bytes]:
        """Status, Retry-After in seconds and body. No exception of aiohttp gets out of here."""
        async with self._slots:
            await self.bucket.take()
            self.budget.spend()
            self.counts.requests += 1
            self.counts.calls += calls
            start = monotonic()
            try:
                async with self._open().post(
                    self.endpoint.reveal(), data=payload, allow_redirects=False
                ) as response:
                    wished = _seconds(response.headers.get("Retry-After"))
                    answer = response.status, wished, await response.read()
                self.health.measured(monotonic() - start)
                return answer
            except (TimeoutError, aiohttp.ClientError, OSError) as error:
                self.counts.failed += 1
                failure = self._connection_failure(error, asked)
        # Raised outside the except clause: the caught exception holds the URL and must not become
        # the context of this one.
        raise failure

    def _connection_failure(self, error: Exception, asked: Asked) -> NodeError:
        kind = type(error).__name__
        if isinstance(error, TimeoutError):
            return Overwhelmed(asked.says(f"no answer within {self.settings.timeout:g} s"))
        if isinstance(error, aiohttp.ClientSSLError | aiohttp.InvalidURL):
            return NodeUnavailable(asked.says(f"{kind}: check --rpc-url or ETH_RPC_URL"))
        if isinstance(error, aiohttp.ClientConnectorError):
            return RetryableNodeError(asked.says(f"no connection ({kind})"))
        # The node answered the connection and then broke it off: perhaps the answer was too much.
        return Overwhelmed(asked.says(f"the connection broke ({kind})"))

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self.settings.concurrency),
                timeout=aiohttp.ClientTimeout(total=self.settings.timeout),
                headers={
                    "Content-Type": "application/json",
                    "User-Agent": self.settings.user_agent,
                },
            )
        return self._session


class _Exchange:
    """A batch on its way: repeated for those requests only that have no final answer yet."""

    def __init__(
        self, transport: JsonRpcTransport, requests: Sequence[Request], together: bool
    ) -> None:
        self._transport = transport
        self._requests = requests
        self._together = together
        self._pending = list(range(len(requests)))
        self.answers: list[object | NodeError] = [None] * len(requests)

    async def attempt(self) -> None:
        """One exchange. Errors: a RetryableNodeError while any request is still unanswered."""
        found = await self._transport.post([self._requests[p] for p in self._pending])
        for position, answer in zip(self._pending, found, strict=True):
            self.answers[position] = answer
        failed = [a for a in found if isinstance(a, RetryableNodeError)]
        if not failed:
            return
        if not self._together:
            self._pending = [
                p for p in self._pending if isinstance(self.answers[p], RetryableNodeError)
            ]
        raise max(failed, key=lambda error: error.retry_after or 0.0)

    def given_up(self, last: RetryableNodeError) -> list[object | NodeError]:
        """The answers, with final errors for what is still unanswered."""
        for position in self._pending:
            error = self.answers[position]
            self.answers[position] = _final(
                error if isinstance(error, RetryableNodeError) else last
            )
        return self.answers


def _final(error: RetryableNodeError) -> NodeError:
    if isinstance(error, Overwhelmed):
        return NodeError(f"{error}, after all retries: raise the time-out or use another --rpc-url")
    return NodeUnavailable(
        f"{error}, after all retries: try later, with less concurrency or another --rpc-url"
    )


def _parse(body: bytes) -> object:
    try:
        parsed: object = orjson.loads(body)
    except ValueError:
        return None
    return parsed


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After as seconds from now; it is a number of seconds or an HTTP date."""
    if retry_after is None:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time())
    except ValueError:
        return None
