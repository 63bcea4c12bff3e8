"""The benchmark runs and says what it should; its times are not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def quick(name: str, folder: Path) -> tuple[dict[str, Any], str]:
    """What a benchmark writes, and what it says on stderr."""
    file = folder / "result.json"
    command = [sys.executable, "-m", f"benchmarks.{name}", "--quick", "--json", str(file)]
    root = Path(__file__).parents[3]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    assert set(result) == {"name", "machine", "figures", "ratios", "references"}
    assert result["name"] == name
    assert set(result["ratios"]) == set(result["references"])
    assert all(value > 0 for value in result["ratios"].values())
    return result, done.stderr


def test_the_quick_cascade_agrees_with_python_and_numpy(tmp_path: Path) -> None:
    figures = quick("cascade", tmp_path)[0]["figures"]
    for case in ("deep", "violent"):
        assert figures[f"{case}_python_bitwise_equal"] == 1
        assert figures[f"{case}_1000_counts_equal"] == 1
        assert figures[f"{case}_1000_largest_difference"] < 1e-9
        shares = [value for name, value in figures.items() if name.startswith(f"{case}_1000_share")]
        assert sum(shares) == pytest.approx(1)


def test_the_quick_benchmark_writes_its_shape(tmp_path: Path) -> None:
    result, said = quick("book", tmp_path)

    assert {"numpy_broadcasting", "chunked_scipy", "peak_memory"} <= set(result["ratios"])
    assert ("c_reference" in result["ratios"]) != ("SKIPPED the C reference" in said)
    assert result["figures"]["counts_equal"] == 1
    assert result["figures"]["largest_difference"] < 1e-12
