"""The benchmark runs and says what it should; its times are not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_the_quick_benchmark_writes_its_shape(tmp_path: Path) -> None:
    file = tmp_path / "book.json"
    command = [sys.executable, "-m", "benchmarks.book", "--quick", "--json", str(file)]
    root = Path(__file__).parents[3]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    result = json.loads(file.read_text(encoding="utf-8"))

    assert set(result) == {"name", "machine", "figures", "ratios", "references"}
    assert result["name"] == "book"
    assert set(result["ratios"]) == set(result["references"])
    assert {"numpy_broadcasting", "chunked_scipy", "peak_memory"} <= set(result["ratios"])
    assert all(value > 0 for value in result["ratios"].values())
    assert ("c_reference" in result["ratios"]) != ("SKIPPED the C reference" in done.stderr)
    assert result["figures"]["counts_equal"] == 1
    assert result["figures"]["largest_difference"] < 1e-12
