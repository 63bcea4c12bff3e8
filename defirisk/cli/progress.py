"""How far long work is: bars on the stderr of a terminal, JSON lines on any other."""

from __future__ import annotations

import json
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

EVERY_SECONDS = 5.0
"""Between two lines; what takes less than this says nothing."""


class _Shown(Protocol):
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def move(self, step: str, done: int, total: int | None) -> None: ...


class Bars:
    """One bar, or every few seconds one line, for each step, with rate and time left.

    Use as a context and call it. A line is `{"ts", "step", "done", "total", "per_second",
    "eta_seconds"}`, with null where a number is not known.
    """

    def __init__(self) -> None:
        self._shown: _Shown = _Bars() if sys.stderr.isatty() else _Lines()

    def __enter__(self) -> Bars:
        self._shown.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._shown.stop()

    def __call__(self, step: str, done: int, total: int | None) -> None:
        """Moves a step to `done` of `total`."""
        self._shown.move(step, done, total)


class _Lines:
    """For logs: whoever reads them wants few lines, and numbers rather than pictures."""

    def __init__(self) -> None:
        self._said = time.monotonic()
        self._begun: dict[str, tuple[float, int]] = {}

    def start(self) -> None:
        self._said = time.monotonic()

    def stop(self) -> None:
        """What was said stays said."""

    def move(self, step: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        since, first = self._begun.setdefault(step, (now, done))
        if done < first:  # the step began again, as the next range of a backfill does
            since, first = self._begun[step] = (now, done)
        if now - self._said < EVERY_SECONDS:
            return
        self._said = now
        rate = (done - first) / (now - since) if now > since else 0.0
        left = None if total is None or not rate else round((total - done) / rate)
        line = {
            "ts": int(time.time()),
            "step": step,
            "done": done,
            "total": total,
            "per_second": round(rate, 1) or None,
            "eta_seconds": left,
        }
        print(json.dumps(line), file=sys.stderr, flush=True)


class _Bars:
    """For people."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._tasks: dict[str, TaskID] = {}
        self._bars: Progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )

    def start(self) -> None:
        self._bars.start()

    def stop(self) -> None:
        self._bars.stop()

    def move(self, step: str, done: int, total: int | None) -> None:
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(step, total=total, rate="")
        task = self._tasks[step]
        speed: Any = next(t.speed for t in self._bars.tasks if t.id == task)
        rate = f"{speed:,.0f}/s" if speed else ""
        self._bars.update(task, completed=done, total=total, rate=rate)
