"""Machine code that is kept: found again by content alone, and never another's."""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from defirisk.contagion.cascade.compiled import MONTH, folder
from defirisk.contagion.cascade.machine import machine_code

SOURCE = """
from typing import NamedTuple

RATE = 3.0

class Pair(NamedTuple):
    first: float
    second: float

def scaled(x):
    return RATE * x

def kernel(pair, x):
    return scaled(pair.first) - pair.second + x

KERNELS = (scaled, kernel)
"""


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("DEFIRISK_CACHE", str(tmp_path / "cache"))
    return folder()


def checkout(path: Path, monkeypatch: pytest.MonkeyPatch, source: str = SOURCE) -> ModuleType:
    """The module in a file of its own."""
    path.mkdir()
    (path / "kept.py").write_text(source)
    spec = importlib.util.spec_from_file_location("kept", path / "kept.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "kept", module)
    spec.loader.exec_module(module)
    return module


def played(module: ModuleType, x: float = 0.0) -> tuple[float, int]:
    """What the kernel says of (2, 1), and how often it was found instead of compiled."""
    kernel: Any = machine_code.__wrapped__(module.KERNELS)["kernel"]
    said = kernel(module.Pair(2.0, 1.0), x)
    return said, sum(kernel.stats.cache_hits.values())


def test_another_checkout_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert played(checkout(tmp_path / "one", monkeypatch)) == (5.0, 0)
    assert played(checkout(tmp_path / "other", monkeypatch)) == (5.0, 1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("RATE = 3.0", "RATE = 4.0", 7.0),
        ("return RATE * x", "return RATE + x", 4.0),
        ("pair.second + x", "pair.second * 2", 4.0),
        ("first: float\n    second: float", "second: float\n    first: float", 1.0),
    ],
    ids=["a constant", "what it calls", "itself", "the order of fields"],
)
def test_what_it_depends_on_makes_it_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, said: float
) -> None:
    played(checkout(tmp_path / "one", monkeypatch))
    assert SOURCE.count(old) == 1
    changed = checkout(tmp_path / "other", monkeypatch, SOURCE.replace(old, new))
    assert played(changed) == (said, 0)


@pytest.mark.parametrize("damage", ["cut", "bent", "empty", "folder"])
def test_what_is_damaged_is_compiled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path, damage: str
) -> None:
    played(checkout(tmp_path / "one", monkeypatch))
    for path in cache.iterdir():
        whole = path.read_bytes()
        path.unlink()
        if damage == "folder":
            path.mkdir()
        else:
            bent = bytes([*whole[:-9], whole[-9] ^ 1, *whole[-8:]])
            path.write_bytes({"cut": whole[:-100], "bent": bent, "empty": b""}[damage])
    assert played(checkout(tmp_path / "other", monkeypatch)) == (5.0, 0)
    found = played(checkout(tmp_path / "third", monkeypatch))
    assert found == (5.0, 0 if damage == "folder" else 1)


def test_two_at_once_do_not_end_with_each_other_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both looked before either had written: the index that numba keeps would now be wrong."""
    module = checkout(tmp_path / "one", monkeypatch)
    one, other = (machine_code.__wrapped__(module.KERNELS)["kernel"] for _ in range(2))
    pair = module.Pair(2.0, 1.0)
    assert one(pair, 1.5) == 6.5
    assert other(pair, 1) == 6.0
    again: Any = machine_code.__wrapped__(module.KERNELS)["kernel"]
    assert (again(pair, 1), again(pair, 1.5)) == (6.0, 6.5)
    assert sum(again.stats.cache_hits.values()) == 2


def test_without_a_place_to_keep_it_all_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DEFIRISK_CACHE", str(tmp_path / "file"))
    assert played(checkout(tmp_path / "one", monkeypatch)) == (5.0, 0)


def test_what_nobody_reads_for_a_month_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    cache.mkdir(parents=True)
    old, young = cache / "old.kernel", cache / "young.kernel"
    for path, age in ((old, MONTH + 60), (young, MONTH - 60)):
        path.write_bytes(b"")
        os.utime(path, (time.time() - age,) * 2)
    played(checkout(tmp_path / "one", monkeypatch))
    assert young.exists()
    assert not old.exists()
