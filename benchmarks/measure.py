"""Paired CPU times and what every benchmark writes."""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

Run = Callable[[], object]


@dataclass
class Result:
    """Absolute figures are shown, never judged; ratios are medians of paired runs."""

    name: str
    machine: str = field(default_factory=lambda: machine())
    figures: dict[str, float] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)

    def ratio(self, name: str, value: float, reference: str) -> None:
        """Notes a ratio with what it was measured against."""
        self.ratios[name] = value
        self.references[name] = reference

    def write(self, file: str | None) -> None:
        """Prints a table, and the JSON as the last line or into a file."""
        rows: list[Mapping[str, float]] = [self.figures, self.ratios]
        width = max(len(name) for row in rows for name in row)
        for name, value in self.figures.items():
            print(f"{name:{width}}  {value:>14,.6g}")
        for name, value in self.ratios.items():
            print(f"{name:{width}}  {value:>14,.4g}  {self.references[name]}")
        text = json.dumps(asdict(self))
        if file:
            Path(file).write_text(text + "\n", encoding="utf-8")
        else:
            print(text)


def cpu_seconds(run: Run) -> float:
    """CPU time of this process, all its threads."""
    begun = time.process_time()
    run()
    return time.process_time() - begun


def paired(ours: Run, reference: Run, pairs: int) -> tuple[float, float, float]:
    """Medians of our seconds, of the reference's, and of their ratio reference / ours."""
    times = [(cpu_seconds(ours), cpu_seconds(reference)) for _ in range(pairs)]
    return (
        statistics.median(one for one, _ in times),
        statistics.median(other for _, other in times),
        statistics.median(other / one for one, other in times),
    )


def machine() -> str:
    """Processor and interpreter, as far as the system tells."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text(encoding="utf-8").splitlines()
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        name = models[0] if models else name
    return f"{name}, Python {platform.python_version()}"


def arguments(summary: str | None) -> argparse.Namespace:
    """The options that every benchmark takes."""
    parser = argparse.ArgumentParser(description=summary)
    parser.add_argument("--json", metavar="FILE", help="write the JSON there, not to stdout")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run at all")
    return parser.parse_args()
