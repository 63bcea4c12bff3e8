"""A token bucket per provider, which learns the provider's limit and may be shared by processes."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import time

from defirisk.chain.rate_state import (
    CATCH_UP,
    MemoryShelf,
    RateShelf,
    RateState,
    Row,
    Seen,
    Tally,
    Turn,
    first_slot,
    refuse,
    reserve,
)

_log = logging.getLogger(__name__)
# Seconds of the clock in which something went well that are looked back to.
_REMEMBERED = 20
# A shared state is read this often (seconds) while no limit is known.
_LOOK = 1.0
# Places are taken for this long (seconds) at once where others share them, so that few
# transactions are needed.
_LEASE = 0.1
# A shared state that others hold is not asked for so long (seconds).
_ALONE = 1.0
_LONGEST_BLOCK = 120.0
# Nothing is asked for half the time of a request after a refusal without Retry-After, and for twice
# as long after each one more: a provider that counts by the second may refuse until it is over.
_LONGEST_PAUSE = 1.0


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
        self._looked = self._alone_until = 0.0
        self._done: deque[float] = deque()
        self._seconds: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED)
        self._went_well = 0
        self._tally = Tally()
        self._refusals = 0
        self._turn = asyncio.Lock()

    def share(self, shelf: RateShelf) -> None:
        """Keep the state on a shelf that others use too."""
        self._shelf, self._shared, self._looked = shelf, True, 0.0

    async def take(self) -> Turn:
        """Wait for the turn of one request, and say what it was, for `refused`."""
        now = self._clock()
        limited = self.state.rate or self.state.blocked_until > now
        if limited or (self._shared and now - self._looked >= _LOOK):
            # One at a time: what is learned while it waits holds for those behind it, too.
            async with self._turn:
                while (wait := min(await self._slot() - self._clock(), _LONGEST_BLOCK)) > 0:
                    await asyncio.sleep(wait)
                    if not self.blocked():
                        break
        return Turn(self.state.rate, self.state.refused_at)

    def blocked(self) -> bool:
        """Whether the provider wishes not to be asked now."""
        return self.state.blocked_until > self._clock()

    def succeeded(self, turn: Turn) -> None:
        """A request went well that was sent at this turn."""
        now = self._clock()
        self._done.append(now)
        if not self._seconds or self._seconds[-1][0] != int(now):
            self._seconds.append((int(now), 0))
        self._seconds[-1] = (int(now), self._seconds[-1][1] + 1)
        self._went_well += 1
        if turn.refused_at == self.state.refused_at:
            self._tally.served += 1
            self._refusals = 0
        self._forget()

    async def refused(self, turn: Turn, retry_after: float | None) -> None:
        """The provider refused for its rate. `retry_after` in seconds, where it stated a wish."""
        self._forget()
        now = self._clock()
        pause = min(retry_after or 0.0, _LONGEST_BLOCK)
        if not pause and self.state.rate and self.state.blocked_until <= now:
            pause = min(0.5 * 2.0 ** min(self._refusals, 16) / self.state.rate, _LONGEST_PAUSE)
            self._refusals += 1
        best = max((count for _, count in self._seconds), default=0)
        seen = Seen(len(self._done), best)
        if turn.refused_at == self.state.refused_at:
            self._tally.refused += 1
            if not self._shared:
                held_back = now + pause - max(now, self.state.blocked_until)
                self._tally.refused += max(0.0, held_back) * turn.rate
        tally = replace(self._tally)
        await self._change(partial(refuse, now=now, turn=turn, pause=pause, seen=seen, tally=tally))

    async def _slot(self) -> float:
        now = self._clock()
        while self._slots:
            slot = self._slots.popleft()
            if slot >= max(now - CATCH_UP, self.state.blocked_until):
                return slot
        self._looked = now
        count = max(1, int(self.state.rate * _LEASE)) if self._shared else 1
        served, self._went_well = self._went_well, 0
        await self._change(partial(reserve, now=now, slots=count, served=served))
        if not self.state.rate:
            return first_slot(self.state, now)
        last = self.state.next_free
        self._slots.extend(last - n / self.state.rate for n in range(count, 0, -1))
        return self._slots.popleft()

    async def _change(self, change: Callable[[RateState], RateState]) -> None:
        def on_row(row: Row) -> Row:
            return change(RateState(*row))

        if not self._shared:
            self._know(RateState(*self._shelf.update(self._provider, on_row)))
            return
        if self._clock() >= self._alone_until:
            try:
                row = await asyncio.to_thread(self._shelf.update, self._provider, on_row)
                self._know(RateState(*row))
                return
            except TimeoutError:
                # The others' state cannot be had now: go on with what was known of it.
                _log.debug("the shared rate of %s is locked", self._provider)
                self._alone_until = self._clock() + _ALONE
        self._know(change(self.state))

    def _know(self, state: RateState) -> None:
        if state.refused_at != self.state.refused_at:
            self._tally = Tally()
        self.state = state

    def _forget(self) -> None:
        oldest = self._clock() - 1.0
        while self._done and self._done[0] < oldest:
            self._done.popleft()
