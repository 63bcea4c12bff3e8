"""The rate at which a provider may be asked: what is known of it, and how that changes.

A provider that never refused has no limit. After its first refusal (429) the rate doubles quickly
until the next one, which shows about where the limit is. From then on the rate follows a cubic
curve of the requests sent, as TCP CUBIC does (RFC 9438, section 4.2): fast up to what was refused
last, slow around it, and faster again beyond it. So a limit is held closely with few refusals, a
limit that rose is found, and a refusal that had nothing to do with the rate is soon made up for.
Where refusals go on after the rate was lowered, what was served meanwhile is the limit. All of it
is counted in requests, so that it holds for 2 of them a second as for 500.

The state is six numbers, so that processes can share it; times are UTC seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

Row = tuple[float, float, float, float, float, float]

_LOWEST, _HIGHEST = 0.5, 2_000.0
# Requests per second that a provider is thought to bear which refused before many were sent.
_FIRST = 16.0
# While only the first guess is known, the rate doubles within so many seconds.
_DOUBLING = 0.3
# The part of a refused rate that is given up, and the requests after which it is reached again:
# those of so many seconds, within bounds.
_DROP, _REGAIN, _REGAIN_SECONDS = 0.08, (16.0, 50.0), 4.0
# What is left at least of a rate at which requests go on being refused.
_MOST_DROP = 0.5
# Where more than this share of the turns goes well, and a second has so many of them, the rate is
# not lowered below what was borne in a second lately.
_STRAY, _MANY = 0.75, 8
# How steep the curve is at its flattest, where 1 is its steepness at the beginning.
_FLATTEST = 0.03
# What is served is measured for at least so many seconds (windows of providers are that long) and
# that of so many requests.
_MEASURED, _MEASURED_REQUESTS = 1.0, 4
# What has to be served at a rate, and of the first guess, before a refusal says that it has risen
# too far since. Until then it may be the same that was refused before.
_SERVED, _SERVED_FIRST = 12, 3
# A rate that was not in use for so long (seconds) is a first guess again.
_STALE = 3_600.0
# Turns that were missed by no more than this (seconds) are had at once, one after the other.
CATCH_UP = 0.06


class RateState(NamedTuple):
    """`rate` is in requests per second, 0 where no limit is known.

    The next request may go out at `next_free`, and none before `blocked_until` (Retry-After).
    The rate was last lowered at `refused_at`, from `refused` (0: it is a first guess). It was last
    in use, as requests had to wait for it, at `raised_at`.
    """

    rate: float = 0.0
    next_free: float = 0.0
    blocked_until: float = 0.0
    refused_at: float = 0.0
    raised_at: float = 0.0
    refused: float = 0.0


class Turn(NamedTuple):
    """What was known of the rate when a request was sent."""

    rate: float = 0.0
    refused_at: float = 0.0


@dataclass(slots=True)
class Tally:
    """What became of the turns since the rate was lowered last; those that passed while nothing was
    asked, because of a refusal, count as refused.
    """

    served: int = 0
    refused: float = 0.0

    @property
    def share(self) -> float:
        """Of the turns, those that went well."""
        return self.served / max(1.0, self.served + self.refused)


class Seen(NamedTuple):
    """Requests that went well in the last second, and in the best of the last few."""

    lately: float = 0.0
    best: float = 0.0


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


def reserve(state: RateState, now: float, slots: int, served: int = 0) -> RateState:
    """After `slots` requests were given their time, which is from `first_slot` on.

    `served` requests went well since this process said so last.
    """
    if not state.rate:
        return state
    first = first_slot(state, now)
    if now - state.raised_at > _STALE:
        state = state._replace(refused=0.0, raised_at=now)
    # Only where requests waited for their turn was the rate tried at all.
    if state.next_free >= now - CATCH_UP and now >= state.blocked_until:
        state = state._replace(rate=min(_HIGHEST, _risen(state, served)), raised_at=now)
    return state._replace(next_free=first + slots / state.rate)


def first_slot(state: RateState, now: float) -> float:
    """When the next request may go out; a little before `now` where turns were missed."""
    return max(now - CATCH_UP, state.next_free, state.blocked_until)


def refuse(
    state: RateState, now: float, turn: Turn, pause: float, seen: Seen, tally: Tally
) -> RateState:
    """After a refusal of a request that was sent at `turn`.

    No request goes out for `pause` seconds. `seen` and `tally` are what this process has seen.
    """
    blocked = max(state.blocked_until, now + pause if pause else 0.0)
    state = state._replace(blocked_until=blocked)
    if turn.refused_at != state.refused_at:
        return state
    if not state.rate:
        rate = max(_FIRST, min(seen.lately, _HIGHEST))
        return state._replace(rate=rate, next_free=now, refused_at=now, raised_at=now)
    since = now - state.refused_at
    measured = max(_MEASURED, _MEASURED_REQUESTS / state.rate)
    sent = min(turn.rate or state.rate, state.rate)
    rate = sent * (1.0 - _DROP)
    if since < measured and tally.served < (_SERVED if state.refused else _SERVED_FIRST):
        return state
    if state.refused and since < 2.0 * measured:
        rate = min(rate, max(sent * tally.share, seen.lately, sent * _MOST_DROP))
    if tally.share > _STRAY and seen.best >= _MANY:
        # Most likely a stray refusal: what was borne lately is no more than the limit.
        rate = max(rate, min(sent, seen.best * (1.0 - _DROP)))
    refused = max(_LOWEST, sent)
    return state._replace(rate=max(_LOWEST, rate), refused_at=now, refused=refused)


def _risen(state: RateState, served: int) -> float:
    """The rate after so many more requests that went well."""
    most: float = state.rate * 2.0 ** min(1.0, served / state.rate / _DOUBLING)
    if not state.refused:
        return most
    least, longest = _REGAIN
    regain = min(longest, max(least, state.rate * _REGAIN_SECONDS))
    beyond = (state.rate / state.refused - 1.0) / _DROP
    steepness: float = max(_FLATTEST, abs(beyond) ** (2 / 3), beyond)
    return min(most, state.rate + state.refused * steepness * 3.0 * _DROP / regain * served)
