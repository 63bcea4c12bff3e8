"""Calls that share an HTTP request while a provider limits how many of those it takes.

Where requests have to wait for their turn, a batch that may be split (headers, say) rides along
with others that are sent anyway, as far as there is room. Those who carry it know nothing of it:
where the request as a whole fails, what rode along goes again by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from defirisk.chain.answers import Request
from defirisk.core.errors import NodeError

# Fewer calls than this are not worth to be split, and carry others instead.
_SPLIT_FROM = 16
# After so many requests in a row failed that carried others, none is made to carry any more.
_FAILURES = 3


@dataclass(eq=False)
class Load:
    """Calls to be sent: all in one request, or, where it `rides`, as others have room for them.

    `alone`: it carries no others.
    """

    requests: Sequence[Request]
    rides: bool = False
    alone: bool = False
    answers: dict[int, object | NodeError] = field(default_factory=dict)
    left: list[int] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.left = list(range(len(self.requests)))

    @property
    def complete(self) -> bool:
        """Whether each call has its answer."""
        return len(self.answers) == len(self.requests)

    def take(self, most: int) -> Part:
        """The next calls to be sent."""
        taken, self.left = self.left[:most], self.left[most:]
        return Part(self, taken)


@dataclass(frozen=True, slots=True)
class Part:
    """Some calls of a load, in one request."""

    load: Load
    positions: list[int]

    @property
    def requests(self) -> list[Request]:
        """The calls."""
        return [self.load.requests[position] for position in self.positions]

    def answered(self, answers: Sequence[object | NodeError]) -> None:
        """One answer for each call, in order."""
        self.load.answers.update(zip(self.positions, answers, strict=True))
        self.load.changed.set()

    def failed(self) -> None:
        """They are to be sent again."""
        self.load.left = self.positions + self.load.left
        self.load.changed.set()


class Sharing:
    """The loads of one endpoint that wait for their turn. Belongs to one event loop."""

    def __init__(self) -> None:
        self.front = asyncio.Lock()
        """Of whom waits for his turn."""
        self._loads: list[Load] = []
        self._failures = 0

    def load(self, requests: Sequence[Request], *, whole: bool) -> Load:
        """What waits from now on, until it is `over`."""
        made = Load(requests, rides=not whole and len(requests) >= _SPLIT_FROM)
        self._loads.append(made)
        return made

    def over(self, load: Load) -> None:
        """All its answers are there, or nobody wants them any more."""
        self._loads.remove(load)

    def waits(self, load: Load) -> bool:
        """Whether others that are sent soon have room for it."""
        carriers = (other for other in self._loads if other.left and self._carries(other))
        return load.rides and any(carriers)

    def parts(self, load: Load, most: int) -> list[Part]:
        """What is sent now in one request of at most so many calls: the load, and who rides."""
        found = [load.take(most)]
        room = most - len(found[0].positions)
        for rider in self._loads if not load.alone and self._failures < _FAILURES else ():
            if room > 0 and rider.rides and rider.left:
                found.append(rider.take(room))
                room -= len(found[-1].positions)
        return found

    def failed(self, load: Load) -> None:
        """A request that carried others failed for another reason than its rate."""
        self._failures += 1
        load.alone = True

    def went_well(self) -> None:
        """A request that carried others was answered."""
        self._failures = 0

    def _carries(self, load: Load) -> bool:
        return not (load.rides or load.alone) and self._failures < _FAILURES
