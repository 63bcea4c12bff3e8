"""What a run of the indexing benchmark stored, and what it took."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Seconds on the clock and of this process' CPU; HTTP requests and JSON-RPC calls in them."""

    logs: int
    requests: int
    calls: int
    seconds: float
    cpu_seconds: float


class Clock:
    """Measures what is done in it."""

    def __enter__(self) -> Clock:
        self._cpu, self._wall = time.process_time(), time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cpu_seconds = time.process_time() - self._cpu
        self.seconds = time.perf_counter() - self._wall

    def stored(self, logs: int, requests: int, calls: int) -> Stored:
        """With what it took."""
        return Stored(
            logs=logs,
            requests=requests,
            calls=calls,
            seconds=self.seconds,
            cpu_seconds=self.cpu_seconds,
        )
