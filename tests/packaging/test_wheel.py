"""The wheel and the editable install do what the checkout does, away from it."""

from __future__ import annotations

import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

import defirisk
from tests.packaging.checkout import ROOT
from tests.packaging.environments import Environment, environment, run

pytestmark = pytest.mark.packaging

RESOURCES = ("abis", "migrations", "fixtures")
PAGES = ("index.html", "aave-v3-devnet.html", "stress.html", "verify.html")
WHEEL_LIMIT = 8_000_000
RECORDING_LIMIT = 5_000_000
WHERE = """
import defirisk
from defirisk.resources import resource
print(defirisk.__file__)
print(*map(resource, ("abis", "migrations", "fixtures")), sep="\\n")
"""


@dataclass(frozen=True)
class Demo:
    """What one run of the demo said and wrote."""

    summary: str
    pages: dict[str, str]


def build_wheel(source: Path, folder: Path) -> Path:
    """The wheel of a source tree, built by the installed hatchling."""
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    run(*pip, "--wheel-dir", str(folder), str(source), cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


def contents(archive: Path) -> dict[str, int]:
    """The files of a wheel, and the checksum of each."""
    with ZipFile(archive) as file:
        return {entry.filename: entry.CRC for entry in file.infolist()}


def demo(*program: str, empty: Path, path: Path | None = None) -> Demo:
    """Runs the demo in an empty folder."""
    empty.mkdir()
    done = run(*program, "demo", "-o", "out", cwd=empty, path=path)
    assert sorted(found.name for found in empty.iterdir()) == ["out"]
    return Demo(
        summary=done.stdout,
        pages={name: (empty / "out" / name).read_text(encoding="utf-8") for name in PAGES},
    )


def files_below(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(folder).as_posix()


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    made = environment(tmp_path_factory.mktemp("installed"))
    made.pip_install(str(wheel))
    return made


@pytest.fixture(scope="session")
def editable(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    made = environment(tmp_path_factory.mktemp("editable"))
    made.pip_install("--editable", str(ROOT))
    return made


@pytest.fixture(scope="session")
def of_the_checkout(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    program = (sys.executable, "-m", "defirisk")
    return demo(*program, empty=tmp_path_factory.mktemp("checkout") / "empty", path=ROOT)


def test_the_suite_itself_tests_the_checkout() -> None:
    assert Path(defirisk.__file__).parent == ROOT / "defirisk"


def test_the_wheel_holds_the_package_and_its_resources_and_nothing_else(wheel: Path) -> None:
    expected = {f"defirisk/{name}" for name in files_below(ROOT / "defirisk")}
    for kind in RESOURCES:
        expected |= {f"defirisk/_resources/{kind}/{name}" for name in files_below(ROOT / kind)}
    found = {name for name in contents(wheel) if ".dist-info/" not in name}
    assert found == expected


def test_the_wheel_holds_what_is_not_python(wheel: Path) -> None:
    found = set(contents(wheel))
    assert found >= {
        "defirisk/py.typed",
        "defirisk/chain/chains.toml",
        "defirisk/protocols/lending/aave_v3/deployments.toml",
        "defirisk/reports/templates/page.html",
        "defirisk/_resources/abis/AaveV3.Pool.json",
        "defirisk/_resources/migrations/env.py",
        "defirisk/_resources/fixtures/demo-chain.jsonl.xz",
    }
    assert not [name for name in found if name.endswith((".db", ".db-wal", ".db-shm", ".pyc"))]
    assert not [name for name in found if "tests" in name.split("/")]
    assert any(name.endswith("/licenses/LICENSE") for name in found)


def test_the_wheel_and_the_recording_stay_small(wheel: Path) -> None:
    size = wheel.stat().st_size
    print(f"wheel: {size / 1e6:.2f} MB")
    assert size < WHEEL_LIMIT
    recordings = list((ROOT / "fixtures").glob("*.xz"))
    assert recordings
    assert sum(path.stat().st_size for path in recordings) < RECORDING_LIMIT


def test_the_source_distribution_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    build = (sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path))
    run(*build, cwd=ROOT)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    assert contents(build_wheel(source, tmp_path)) == contents(wheel)


def test_the_installed_wheel_needs_no_checkout(installed: Environment, tmp_path: Path) -> None:
    for line in installed.says(WHERE, tmp_path):
        assert Path(line).is_relative_to(installed.home)


def test_an_editable_install_reads_the_checkout(editable: Environment, tmp_path: Path) -> None:
    package, *resources = map(Path, editable.says(WHERE, tmp_path))
    assert package.parent == ROOT / "defirisk"
    assert resources == [ROOT / kind for kind in RESOURCES]


@pytest.mark.parametrize("kind", ["installed", pytest.param("editable", marks=pytest.mark.nightly)])
def test_the_demo_gives_the_same_numbers_wherever_it_is_installed(
    kind: str, request: pytest.FixtureRequest, of_the_checkout: Demo, tmp_path: Path
) -> None:
    where: Environment = request.getfixturevalue(kind)
    shown = demo(str(where.scripts / "defirisk"), empty=tmp_path / "empty")
    assert "Numbers compared" in shown.summary
    assert shown == of_the_checkout
