"""Help is fast: nothing heavy is loaded for it."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys

import pytest

HEAVY = (
    "numba",
    "pyarrow",
    "aiohttp",
    "alembic",
    "eth_abi",
    "jinja2",
    "numpy",
    "orjson",
    "plotly",
    "rich",
    "scipy",
    "sqlalchemy",
    "tenacity",
)
RUNS = 9
BOUND = 0.150  # seconds; the target is 0.060, but machines differ
LOADED = """
import sys
from defirisk.cli.main import run
code = run({words!r})
print(code, *sorted({{name.split(".")[0] for name in sys.modules}}), file=sys.stderr)
"""


def modules_of(*words: str) -> set[str]:
    """Top-level modules in a process that ran a command."""
    command = [sys.executable, "-c", LOADED.format(words=list(words))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    code, *names = done.stderr.split()
    assert code == "0"
    return set(names)


def cpu_seconds(*command: str) -> float:
    """User and system time of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, env=dict(os.environ), check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("init", "--help")])
def test_nothing_heavy_is_loaded_for_help(words: tuple[str, ...]) -> None:
    assert not modules_of(*words) & set(HEAVY)


def test_help_costs_little_beyond_a_bare_interpreter(capsys: pytest.CaptureFixture[str]) -> None:
    cpu_seconds(sys.executable, "-m", "defirisk", "--help")  # compiles what was not yet
    pairs = [
        (
            cpu_seconds(sys.executable, "-c", "pass"),
            cpu_seconds(sys.executable, "-m", "defirisk", "--help"),
        )
        for _ in range(RUNS)
    ]
    bare, with_help = (statistics.median(column) for column in zip(*pairs, strict=True))
    with capsys.disabled():
        print(f"\nhelp costs {1000 * (with_help - bare):.0f} ms of CPU beyond a bare interpreter")
    assert with_help - bare < BOUND
