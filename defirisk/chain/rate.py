"""A token bucket per provider, which learns the provider's limit and may be shared by processes."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from time import time

from defirisk.chain.rate_state import MemoryShelf, RateShelf, RateState, Row, refuse, reserve
from defirisk.chain.rate_state import first_slot as _first_slot

_log = logging.getLogger(__name__)
# A shared state is read this often (seconds) while no limit is known.
_LOOK = 1.0
# Places are taken for this long (seconds) at once, so that few transactions are needed.
_LEASE = 0.25
_LONGEST_BLOCK = 120.0


class TokenBucket:
    """Gives requests to one provider their turn. Belongs to one event loop.

    `shelf` keeps the state; without one it stays in this process. `clock` gives UTC seconds.
    """

    def __init__(
        self, provider: str, shelf: RateShelf | None = None, clock: Callable[[], float] = time
    ) -> None:
        self._provider = provider
        self._shelf = shelf or MemoryShelf()
        self._shared = shelf is not None
        self._clock = clock
        self.state = RateState()
        self._slots: deque[float] = deque()
        self._looked = 0.0
        self._done: deque[float] = deque()
        self._turn = asyncio.Lock()

    def share(self, shelf: RateShelf) -> None:
        """Keep the state on a shelf that others use too."""
        self._shelf, self._shared, self._looked = shelf, True, 0.0

    async def take(self) -> None:
        """Wait for the turn of one request."""
        now = self._clock()
        limited = self.state.rate or self.state.blocked_until > now
        if not limited and (not self._shared or now - self._looked < _LOOK):
            return
        async with self._turn:
            slot = await self._slot()
        wait = min(slot - self._clock(), _LONGEST_BLOCK)
        if wait > 0:
            await asyncio.sleep(wait)

    def blocked(self) -> bool:
        """Whether the provider wishes not to be asked now."""
        return self.state.blocked_until > self._clock()

    def succeeded(self) -> None:
        """A request went well."""
        self._done.append(self._clock())
        self._forget()

    async def refused(self, retry_after: float | None) -> None:
        """The provider refused for its rate. `retry_after` in seconds, where it stated a wish."""
        self._forget()
        wished = min(retry_after or 0.0, _LONGEST_BLOCK)
        now, seen = self._clock(), float(max(1, len(self._done)))
        self._slots.clear()
        await self._change(partial(refuse, now=now, wished=wished, seen=seen))

    async def _slot(self) -> float:
        now = self._clock()
        if self._slots and self.state.blocked_until <= now:
            return self._slots.popleft()
        self._looked = now
        count = max(1, int(self.state.rate * _LEASE))
        await self._change(partial(reserve, now=now, slots=count))
        if not self.state.rate:
            return _first_slot(self.state, now)
        last = self.state.next_free
        self._slots.extend(last - n / self.state.rate for n in range(count, 0, -1))
        return self._slots.popleft()

    async def _change(self, change: Callable[[RateState], RateState]) -> None:
        def on_row(row: Row) -> Row:
            return change(RateState(*row))

        if not self._shared:
            self.state = RateState(*self._shelf.update(self._provider, on_row))
            return
        try:
            row = await asyncio.to_thread(self._shelf.update, self._provider, on_row)
        except TimeoutError:
            # The others' state cannot be had now: go on with what was known of it.
            _log.debug("the shared rate of %s is locked", self._provider)
            row = on_row(self.state)
        self.state = RateState(*row)

    def _forget(self) -> None:
        oldest = self._clock() - 1.0
        while self._done and self._done[0] < oldest:
            self._done.popleft()
