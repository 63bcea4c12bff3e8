"""What must be measured in a process of its own: python -m benchmarks.alone first|memory …"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path


def first() -> dict[str, float]:
    """CPU seconds from before numba is imported until a first small sweep is done."""
    from benchmarks import synthetic
    from defirisk.contagion.screen import screen

    book = synthetic.book(500)
    drawn = synthetic.scenarios(book, 64)
    begun = time.process_time()
    from defirisk.contagion.compiled import CompiledSweep

    screen(book, drawn, sweep=CompiledSweep(book))
    return {"cpu_s": time.process_time() - begun}


def memory(units: int, scenarios: int) -> dict[str, float]:
    """Peak memory of the whole process, and what it was before the sweep."""
    from benchmarks import synthetic
    from defirisk.contagion.compiled import CompiledSweep
    from defirisk.contagion.screen import screen

    book = synthetic.book(units)
    drawn = synthetic.scenarios(book, scenarios)
    before = peak_mb()
    begun = time.process_time()
    screen(book, drawn, sweep=CompiledSweep(book))
    seconds = time.process_time() - begun
    return {"peak_mb": peak_mb(), "book_mb": before, "cpu_s": seconds}


def peak_mb() -> float:
    """Highest resident memory so far.

    Of this program: Linux's `ru_maxrss` begins with what the process had that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text("utf-8").splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


if __name__ == "__main__":
    what, *numbers = sys.argv[1:]
    found = first() if what == "first" else memory(*map(int, numbers))
    print(json.dumps(found))
