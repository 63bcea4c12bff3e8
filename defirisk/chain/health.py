"""How one endpoint does: its circuit breaker, its speed, whether it lags."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from time import monotonic

_FAILURES_TO_OPEN = 3
_FIRST_REST, _LONGEST_REST = 5.0, 300.0
_LAG_REST = 30.0
# Of a new measurement in the moving average.
_WEIGHT = 0.2


class BreakerState(Enum):
    """Closed: it is asked. Open: it is left alone. Half open: one question shows how it does."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


class Breaker:
    """Leaves an endpoint that fails alone, for a time that doubles with each failed probe.

    `clock` gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._opened: float | None = None
        self._rest = _FIRST_REST
        self._probing = False

    @property
    def state(self) -> BreakerState:
        """What holds now."""
        if self._opened is None:
            return BreakerState.CLOSED
        return BreakerState.HALF_OPEN if self.rests() <= 0 else BreakerState.OPEN

    def rests(self) -> float:
        """Seconds until it may be probed."""
        return 0.0 if self._opened is None else self._opened + self._rest - self._clock()

    def allows(self) -> bool:
        """Whether the endpoint may be asked now: half open, by one at a time."""
        state = self.state
        return state is BreakerState.CLOSED or (
            state is BreakerState.HALF_OPEN and not self._probing
        )

    def ask(self) -> None:
        """The endpoint is being asked."""
        self._probing = self.state is BreakerState.HALF_OPEN

    def succeeded(self) -> None:
        """It answered."""
        self._failures, self._opened, self._probing = 0, None, False
        self._rest = _FIRST_REST

    def failed(self, *, at_once: bool = False) -> None:
        """It did not. `at_once`: it says itself that asking again is no use."""
        if self.state is BreakerState.OPEN:
            return
        if self.state is BreakerState.HALF_OPEN:
            self._rest = min(_LONGEST_REST, self._rest * 2)
        self._failures += 1
        self._probing = False
        if at_once or self._opened is not None or self._failures >= _FAILURES_TO_OPEN:
            self._opened = self._clock()

    def abandon(self) -> None:
        """The question was withdrawn: it says nothing."""
        self._probing = False


class Health:
    """What the choice between endpoints depends on."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self.breaker = Breaker(clock)
        self._latency: float | None = None
        self._lags_until = 0.0

    def measured(self, seconds: float) -> None:
        """One exchange took so long."""
        known = self._latency
        self._latency = seconds if known is None else known + _WEIGHT * (seconds - known)

    def lags(self) -> None:
        """It lacked a block that exists: prefer others for a while."""
        self._lags_until = self._clock() + _LAG_REST

    @property
    def lagging(self) -> bool:
        """Whether it lacked a block lately."""
        return self._lags_until > self._clock()

    def weight(self) -> float:
        """How often to choose it, relative to others: the faster, the more often."""
        return (0.02 if self.lagging else 1.0) / max(0.005, self._latency or 0.05)
