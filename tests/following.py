"""`defirisk index --follow` as a process, and the lines that it says."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 120.0
"""Seconds that a busy machine may take for what takes one."""


@dataclass
class Following:
    """The process, and the lines that it says."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def steps(self) -> list[dict[str, int]]:
        said = [json.loads(line) for line in list(self.lines) if line.startswith("{")]
        return [one for one in said if one["step"] == "follow"]

    def wait(self, until: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not until():
            assert self.process.poll() is None, self.lines
            assert time.monotonic() < end, self.lines
            time.sleep(0.05)


@contextmanager
def following(folder: Path, url: str, *words: str) -> Iterator[Following]:
    command = [sys.executable, "-m", "defirisk", "index", "--follow", "--to-block", "latest"]
    process = subprocess.Popen(
        [*command, "--rpc-url", url, *words], cwd=folder, stderr=subprocess.PIPE, text=True
    )
    seen = Following(process)
    stderr = process.stderr
    assert stderr is not None
    reading = threading.Thread(target=lambda: seen.lines.extend(stderr))
    reading.start()
    try:
        yield seen
    finally:
        process.kill()
        process.wait()
        reading.join()
