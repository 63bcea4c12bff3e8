"""When and how long to wait before the same question is asked again."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from defirisk.chain.node_errors import Overwhelmed, RateLimited
from defirisk.core.errors import NodeError, RetryableNodeError

_log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff with full jitter; all delays in seconds.

    `overwhelmed_attempts` bounds what asking for less may cure (time-outs, 5xx): a caller that can
    ask for less should get there soon. What was refused for its rate waits at most
    `limited_max_delay`, as it has to wait for its turn besides, and half as many times more.
    """

    attempts: int = 7
    limited_max_delay: float = 2.0
    overwhelmed_attempts: int = 4
    first_delay: float = 0.25
    max_delay: float = 20.0
    max_retry_after: float = 120.0

    async def run(
        self,
        operation: Callable[[], Awaitable[T]],
        *kinds: type[NodeError],
    ) -> T:
        """Repeat `operation` on `kinds` (RetryableNodeError where none is named).

        Errors: the last one that `operation` raised, once the attempts are used up.
        """

        # tenacity awaits coroutine functions only: it would take a lambda's coroutine for a result.
        async def attempt() -> T:
            return await operation()

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(kinds or (RetryableNodeError,)),
            stop=self._used_up,
            wait=self._delay,
            before_sleep=_report,
            reraise=True,
        )
        return await retrying(attempt)

    def _used_up(self, state: RetryCallState) -> bool:
        failure, most = _failure(state), self.attempts
        if isinstance(failure, Overwhelmed):
            most = min(most, self.overwhelmed_attempts)
        elif isinstance(failure, RateLimited):
            most += most // 2
        return state.attempt_number >= most

    def _delay(self, state: RetryCallState) -> float:
        # The exponent is bounded because 2.0**1024 overflows.
        failure = _failure(state)
        limited = isinstance(failure, RateLimited)
        most = min(self.max_delay, self.limited_max_delay) if limited else self.max_delay
        ceiling = min(most, self.first_delay * 2 ** min(state.attempt_number - 1, 30))
        wished = getattr(failure, "retry_after", None) or 0.0
        return max(random.uniform(0, ceiling), min(wished, self.max_retry_after))


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None


def _report(state: RetryCallState) -> None:
    _log.debug("asking again in %.2f s: %s", state.upcoming_sleep, _failure(state))
