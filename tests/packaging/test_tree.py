"""What may be committed: no addresses, no machine's paths, no long files, no vague names."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.checkout import ROOT, committed, shown

pytestmark = pytest.mark.packaging

LONGEST = 300
VAGUE = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc"}
REGISTRY = re.compile(
    rb"\b(pypi|pythonhosted|npmjs|yarnpkg|unpkg|jsdelivr|anaconda|crates|rubygems)\.(org|com|io|net)"
)
MACHINE_PATH = re.compile(rb"(?<![\w.])/((root|work|Users|home/\w+)/|tmp/venv)")
ABIS = ROOT / "abis"


def python_files() -> Iterator[Path]:
    return (path for path in committed() if path.suffix == ".py")


def keys(value: object) -> Iterator[str]:
    """Every key of a JSON value, at any depth."""
    if isinstance(value, dict):
        yield from value
    if isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from keys(child)


@pytest.mark.parametrize("pattern", [REGISTRY, MACHINE_PATH], ids=["registry", "path"])
def test_no_file_names_a_registry_or_a_path_of_one_machine(pattern: re.Pattern[bytes]) -> None:
    found = [
        f"{shown(path)}: {hit.group().decode()}"
        for path in committed()
        if path.suffix != ".xz" and (hit := pattern.search(path.read_bytes()))
    ]
    assert found == []


def test_the_patterns_find_what_they_look_for() -> None:
    assert REGISTRY.search(b"https://files." + b"pythonhosted" + b".org/x")
    assert MACHINE_PATH.search(b'"/' + b'work/main"')
    assert MACHINE_PATH.search(b"cd /" + b"home/me/defirisk")
    assert not MACHINE_PATH.search(b"github.com/x/network/" + b"root/y")


def test_lock_files_carry_hashes_but_no_addresses() -> None:
    locks = [path for path in committed() if path.name == "package-lock.json"]
    assert locks
    for path in locks:
        lock = json.loads(path.read_text(encoding="utf-8"))
        assert "resolved" not in set(keys(lock)), shown(path)
        packages = [entry for name, entry in lock["packages"].items() if name]
        assert packages
        # What is inside the archive of another package is under the hash of that.
        hashed = [entry for entry in packages if not entry.get("inBundle")]
        assert all("integrity" in entry for entry in hashed), shown(path)


def test_no_python_file_is_longer_than_a_few_screens() -> None:
    lengths = {shown(path): len(path.read_bytes().splitlines()) for path in python_files()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    found = [
        shown(path)
        for path in python_files()
        if VAGUE & {path.stem, *(part.lower() for part in path.relative_to(ROOT).parts[:-1])}
    ]
    assert found == []


def test_every_abi_has_its_source_named() -> None:
    sources = tomllib.loads((ABIS / "SOURCES.toml").read_text(encoding="utf-8"))
    shipped = {path.name for path in ABIS.iterdir() if not path.name.startswith(".")}
    assert set(sources) == shipped - {"SOURCES.toml"}
    for name, source in sources.items():
        assert source["package"], name
        assert source["licence"], name
        assert "version" in source, name


def test_every_abi_is_used() -> None:
    texts = {
        node.value
        for path in (ROOT / "defirisk").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert {path.stem for path in ABIS.glob("*.json")} - texts == set()


def test_ci_runs_the_test_command_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "pip install . && defirisk demo" in readme
    command = "pip install '.[test]' && pytest"
    assert command in readme
    assert command in script
