"""A batch on its way: what has no final answer yet is asked again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from defirisk.chain.answers import Request
from defirisk.chain.node_errors import NodeUnavailable, Overwhelmed
from defirisk.core.errors import NodeError, RetryableNodeError


class Post(Protocol):
    """Sends once: each request's result or error."""

    async def __call__(
        self, requests: Sequence[Request], *, together: bool
    ) -> list[object | NodeError]:
        """Errors: `NodeError` where the exchange failed as a whole."""


class Exchange:
    """A batch on its way: repeated for those requests only that have no final answer yet."""

    def __init__(self, post: Post, requests: Sequence[Request], together: bool) -> None:
        self._post = post
        self._requests = requests
        self._together = together
        self._pending = list(range(len(requests)))
        self.answers: list[object | NodeError] = [None] * len(requests)

    async def attempt(self) -> None:
        """One exchange. Errors: a RetryableNodeError while any request is still unanswered."""
        found = await self._post(
            [self._requests[p] for p in self._pending], together=self._together
        )
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
