"""What is small never waits for a compiler."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from defirisk.cli.main import run
try:
    run(["demo", "-o", sys.argv[1]])
except SystemExit as done:
    assert not done.code, done.code
loaded = {name.partition(".")[0] for name in sys.modules}
assert "defirisk.contagion.screen" in sys.modules
print("loaded:", *sorted(loaded & {"numba", "llvmlite"}), file=sys.stderr)
"""


@pytest.mark.nightly
def test_the_demo_does_not_load_numba(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "loaded:"
