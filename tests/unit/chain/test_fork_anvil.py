"""Which anvil is run, and what is said where there is none."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from defirisk.chain.fork import anvil
from defirisk.chain.fork.anvil import BINARY, NoAnvil, find_anvil, version


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No anvil on PATH, and an empty cache."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("DEFIRISK_CACHE", str(tmp_path / "cache"))
    return tmp_path


def program(path: Path, lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_the_one_on_path_is_taken(bare: Path) -> None:
    mine = program(bare / "bin/anvil", "echo 'anvil Version: 9.9.9'; echo more")
    assert find_anvil() == mine
    assert version(mine) == "anvil 9.9.9"


def test_without_the_extra_it_says_what_to_type(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anvil, "_npm", lambda: None)
    with pytest.raises(NoAnvil, match=r"pip install 'defirisk\[fork\]'"):
        find_anvil()


def test_an_npm_that_fails_leaves_nothing_behind(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm = program(bare / "npm", "exit 1")
    monkeypatch.setattr(anvil, "_npm", lambda: [str(npm)])
    with pytest.raises(NoAnvil, match="npm could not install"):
        find_anvil()
    assert list((bare / "cache/fork").iterdir()) == []


def test_what_npm_installed_once_is_found_again(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = "/bin/mkdir -p node_modules/@foundry-rs/anvil-linux-amd64/bin && "
    made += f"echo x > {BINARY} && echo once >> {bare}/runs"
    npm = program(bare / "npm", f'[ "$1" = ci ] && {made}')
    monkeypatch.setattr(anvil, "_npm", lambda: [str(npm)])
    first = find_anvil()
    assert first == find_anvil()
    assert first.is_file()
    assert (bare / "runs").read_text() == "once\n"


def test_what_is_installed_is_pinned_by_version_and_hash() -> None:
    lock = json.loads(Path(anvil.__file__).with_name("package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    for entry in packages.values():
        assert entry["version"] == "1.7.1"
        assert entry["integrity"].startswith("sha512-")


@pytest.mark.onchain
def test_the_pinned_anvil_is_installed_and_runs(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert version(find_anvil()) == "anvil 1.7.1"
