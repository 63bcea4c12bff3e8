"""The rate at which a provider may be asked: what is known of it, and how that changes.

Additive increase, multiplicative decrease, on refusals (429). A provider that never refused has no
limit. The state is six numbers, so that processes can share it; times are UTC seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import NamedTuple, Protocol

Row = tuple[float, float, float, float, float, float]

# Of the rate, after one refusal in a while and after a second one soon.
_DECREASE, _DECREASE_AGAIN, _SOON = 0.9, 0.7, 5.0
# Refusals within this time, or that of so many requests, are of one burst.
_BURST, _BURST_REQUESTS = 1.0, 4
_LOWEST, _HIGHEST = 0.5, 1_000.0
# Requests per second that a provider is thought to bear which refused before many were sent.
_FIRST = 10.0
# Of the rate after a refusal, gained in each second in which the limit is felt; more of it while
# the rate is a first guess.
_INCREASE, _FIRST_INCREASE = 0.04, 0.15
# Seconds without refusal after which the rate rises twice as fast as at first, and so on: what was
# refused for another reason than the rate is had back, doubled within 10 seconds.
_SLOW = 3.0


class RateState(NamedTuple):
    """`rate` is in requests per second, 0 where no limit is known.

    The next request may go out at `next_free`, and none before `blocked_until` (Retry-After). The
    rate rises by `step` a second, and faster the longer nothing is refused.
    """

    rate: float = 0.0
    next_free: float = 0.0
    blocked_until: float = 0.0
    refused_at: float = 0.0
    raised_at: float = 0.0
    step: float = 0.0


class RateShelf(Protocol):
    """Where the states of providers lie; the store has one that processes share."""

    def update(self, provider: str, change: Callable[[Row], Row]) -> Row:
        """Replace a provider's state by what `change` makes of it, and return that.

        Nobody else's change gets lost. `change` may be called several times. A provider that is
        not known has the state of zeros. Errors: `TimeoutError` where others held it too long.
        """


class MemoryShelf:
    """Of one process."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}

    def update(self, provider: str, change: Callable[[Row], Row]) -> Row:
        """See `RateShelf`."""
        row = self._rows[provider] = change(self._rows.get(provider, RateState()))
        return row


def reserve(state: RateState, now: float, slots: int) -> RateState:
    """After `slots` requests were given their time, which is from `first_slot` on."""
    if not state.rate:
        return state
    first = first_slot(state, now)
    if first > now:
        felt = min(1.0, max(0.0, now - state.raised_at))
        faster = 1.0 + (now - state.refused_at) / _SLOW
        rate = min(_HIGHEST, state.rate + state.step * faster * felt)
        state = state._replace(rate=rate, raised_at=now)
    return state._replace(next_free=first + slots / state.rate)


def first_slot(state: RateState, now: float) -> float:
    """When the next request may go out."""
    return max(now, state.next_free, state.blocked_until)


def refuse(state: RateState, now: float, wished: float, seen: float) -> RateState:
    """After a refusal: `wished` is Retry-After in seconds, `seen` requests a second went well."""
    state = state._replace(blocked_until=max(state.blocked_until, now + wished if wished else 0.0))
    since = now - state.refused_at
    if since < max(_BURST, _BURST_REQUESTS / (state.rate or _FIRST)):
        return state
    factor = _DECREASE_AGAIN if since < _SOON else _DECREASE
    before = state.rate or max(seen, _FIRST)
    # Requests that wait for their turn tell late of a rate that rose too far: back, then, to the
    # geometric mean of what was borne and what was not.
    borne = state.step / _INCREASE or before
    rate = max(_LOWEST, min(before * factor, sqrt(before * borne)))
    step = rate * (_INCREASE if state.rate else _FIRST_INCREASE)
    return state._replace(
        rate=rate, refused_at=now, raised_at=now, next_free=max(now, state.next_free), step=step
    )
