"""A headless Chromium: the pinned one from npm, else Debian's, else why there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.devnet.toolchain import _node_and_npm, _run, cache_root, digest, make_once

HERE = Path(__file__).parent
PINS = ("package.json", "package-lock.json", "fonts.conf")
SYSTEM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# The package unpacks itself with brotli; this variable makes it bring its own libraries, too.
_UNPACK = "import chromium from '@sparticuz/chromium'; await chromium.executablePath()"
_WITH_LIBRARIES = {"AWS_LAMBDA_JS_RUNTIME": "nodejs22.x"}


@dataclass(frozen=True)
class Chromium:
    """A browser that starts, and the environment in which it does."""

    path: Path
    env: dict[str, str]


class NoChromium(Exception):
    """No browser starts on this machine; the message says what was tried."""


@cache
def find_chromium() -> Chromium:
    """The first browser that starts."""
    tried: list[str] = []
    for source in (_pinned, _system):
        try:
            found = source()
            _start(found)
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            tried.append(f"{source.__name__[1:]}: {reason}")
        else:
            return found
    raise NoChromium("no Chromium: " + "; ".join(tried))


def _pinned() -> Chromium:
    pins = digest(*((HERE / name).read_bytes() for name in PINS))
    home = make_once(cache_root().parent / "browser" / f"chromium-{pins}", _install)
    env = {
        "LD_LIBRARY_PATH": str(home / "al2023/lib"),
        "FONTCONFIG_FILE": str(home / "fonts/fonts.conf"),
    }
    return Chromium(home / "chromium", {**os.environ, **env})


def _system() -> Chromium:
    if not SYSTEM.exists():
        raise RuntimeError(f"{SYSTEM} is not there")
    return Chromium(SYSTEM, dict(os.environ))


def _install(work: Path) -> None:
    for name in PINS:
        shutil.copy(HERE / name, work / name)
    node, npm = _node_and_npm()
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    # Without a network the other browser is tried soon, not after minutes.
    hasty = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000")
    _run([*npm, "ci", *quiet, *hasty], cwd=work, first_on_path=Path(node).parent)
    env = {**os.environ, **_WITH_LIBRARIES, "TMPDIR": str(work)}
    command = [node, "--input-type=module", "-e", _UNPACK]
    subprocess.run(command, cwd=work, env=env, capture_output=True, check=True, timeout=120)
    shutil.rmtree(work / "node_modules")
    # Its own configuration looks for fonts in folders of the machine that it was made for.
    shutil.copy(HERE / "fonts.conf", work / "fonts/fonts.conf")


def _start(chromium: Chromium) -> None:
    command = [str(chromium.path), "--headless", "--no-sandbox", "--version"]
    subprocess.run(command, env=chromium.env, capture_output=True, check=True, timeout=60)
