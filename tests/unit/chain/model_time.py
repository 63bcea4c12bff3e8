"""An event loop whose time passes only while all tasks sleep, and providers that live in it."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Protocol

import pytest

from defirisk.chain.rate import TokenBucket
from defirisk.chain.rate_state import MemoryShelf

_BEGIN = 1e6


class _Selector(selectors.DefaultSelector):
    """Instead of waiting for a time it notes that it has passed."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(None if timeout is None else 0)
        if not found and timeout:
            self.passed += timeout
        return found


class ModelLoop(asyncio.SelectorEventLoop):
    """Its clock begins at a million seconds."""

    def __init__(self) -> None:
        self._model = _Selector()
        super().__init__(self._model)

    def time(self) -> float:
        return _BEGIN + self._model.passed


def in_model_time(work: Coroutine[object, object, None]) -> None:
    """Runs it to its end."""
    loop = ModelLoop()
    try:
        loop.run_until_complete(work)
    finally:
        loop.close()


class Provider(Protocol):
    """Grants a request at a time, or says in how many seconds it would."""

    def wait(self, now: float) -> float:
        """0 where the request is granted."""


class Refill:
    """A token bucket of `burst`, refilled at `rate` a second."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, max(1.0, burst)
        self._tokens, self._last = self._burst, _BEGIN

    def wait(self, now: float) -> float:
        self._tokens = min(self._burst, self._tokens + (now - self._last) * self._rate)
        self._last = now
        if self._tokens < 1:
            return (1 - self._tokens) / self._rate
        self._tokens -= 1
        return 0.0


class Windows:
    """So many requests in each second of the clock."""

    def __init__(self, rate: float) -> None:
        self._rate, self._second, self._count = rate, 0, 0

    def wait(self, now: float) -> float:
        if int(now) != self._second:
            self._second, self._count = int(now), 0
        if self._count >= self._rate:
            return self._second + 1 - now
        self._count += 1
        return 0.0


class Moody:
    """Refuses a share of the requests for no reason."""

    def __init__(self, inner: Provider, share: float) -> None:
        self._inner, self._share, self._random = inner, share, random.Random(3)

    def wait(self, now: float) -> float:
        return 0.1 if self._random.random() < self._share else self._inner.wait(now)


class Changing:
    """Another provider after so many seconds."""

    def __init__(self, before: Provider, at: float, after: Provider) -> None:
        self._before, self._at, self._after = before, _BEGIN + at, after

    def wait(self, now: float) -> float:
        return (self._before if now < self._at else self._after).wait(now)


@dataclass
class Seen:
    """When a provider granted and refused, in seconds from the beginning."""

    granted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    def served(self, first: float, last: float) -> float:
        """Requests granted per second of [first, last)."""
        return sum(first <= t < last for t in self.granted) / (last - first)

    def refused_share(self, first: float, last: float) -> float:
        """Refused requests per granted one."""
        refused = sum(first <= t < last for t in self.refused)
        return refused / max(1, sum(first <= t < last for t in self.granted))


def asked(
    provider: Provider,
    seconds: float,
    *,
    workers: int = 8,
    clients: int = 1,
    retry_after: bool = False,
    monkeypatch: pytest.MonkeyPatch | None = None,
) -> Seen:
    """`clients` processes with as many workers each ask as often as their bucket allows.

    Answers take about 0.1 s. Several processes share one shelf (`monkeypatch` has it asked in the
    loop, as a thread lives in real time).
    """
    seen, rng, shelf = Seen(), random.Random(11), MemoryShelf()

    async def call(change: Callable[..., object], *args: object) -> object:
        return change(*args)

    if monkeypatch is not None:
        monkeypatch.setattr("defirisk.chain.rate.asyncio.to_thread", call)

    async def work(bucket: TokenBucket) -> None:
        time, tries = asyncio.get_running_loop().time, 0
        while time() < _BEGIN + seconds:
            turn = await bucket.take()
            await asyncio.sleep(rng.expovariate(200))
            wait = provider.wait(time())
            if wait:
                seen.refused.append(time() - _BEGIN)
                await asyncio.sleep(0.01)
                await bucket.refused(turn, wait if retry_after else None)
                await asyncio.sleep(rng.uniform(0, min(2.0, 0.25 * 2**tries)))
                tries += 1
            else:
                seen.granted.append(time() - _BEGIN)
                await asyncio.sleep(rng.uniform(0.08, 0.13))
                bucket.succeeded(turn)
                tries = 0

    async def scenario() -> None:
        time = asyncio.get_running_loop().time
        shared = shelf if clients > 1 else None
        buckets = [TokenBucket("x", shared, clock=time) for _ in range(clients)]
        await asyncio.gather(*(work(bucket) for bucket in buckets for _ in range(workers)))

    in_model_time(scenario())
    return seen
