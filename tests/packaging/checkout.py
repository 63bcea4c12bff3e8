"""Where the checkout is, and what would be committed in it."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@cache
def committed() -> tuple[Path, ...]:
    """Every file that git tracks, or would add; skips where the checkout is not a repository."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: nothing to say what is committed")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = (ROOT / name for name in sorted(listed.split("\0")) if name)
    return tuple(path for path in paths if path.is_file())


def shown(path: Path) -> str:
    """The path as one would type it in the checkout."""
    return path.relative_to(ROOT).as_posix()
