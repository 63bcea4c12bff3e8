"""A planted bad import breaks the build, and names the rule that it breaks."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from defirisk.core.plugins import shocks
from tests.packaging.checkout import ROOT

pytestmark = pytest.mark.packaging

LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"
AAVE = "protocols/lending/aave_v3/holdings.py"
PLANTS = {
    "One direction": ("core/errors.py", "from defirisk.cli import main"),
    "Computation does no I/O": ("metrics/health.py", "import sqlalchemy"),
    "Computation does no I/O, however indirectly": (
        "shocks/target.py",
        "from defirisk.chain import transport",
    ),
    "Exact integers left of the store": ("chain/words.py", "import numpy"),
    "Plug-ins do not know each other": (AAVE, "from defirisk.protocols.oracles import chainlink"),
    "Shocks do not know each other": ("shocks/price.py", "from defirisk.shocks import depeg"),
    "Only chain talks to a node": ("reports/stress.py", "import aiohttp"),
    "No cycles": ("contagion/valuation.py", "from defirisk.contagion import screen"),
}


def broken(tree: Path) -> set[str]:
    """The contracts that do not hold in a tree."""
    done = subprocess.run(
        [sys.executable, "-c", LINT], cwd=tree, capture_output=True, text=True, check=False
    )
    assert "Contracts: " in done.stdout, done.stdout + done.stderr
    found = set(re.findall(r"^(.+?) BROKEN\b", done.stdout, re.MULTILINE))
    assert (done.returncode != 0) == bool(found), done.stdout
    return found


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package and its contracts, to be spoiled; each test puts back what it changes."""
    home = tmp_path_factory.mktemp("layers")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "defirisk", home / "defirisk", ignore=ignored)
    shutil.copy(ROOT / ".importlinter", home)
    return home


def test_every_contract_holds(tree: Path) -> None:
    assert broken(tree) == set()


@pytest.mark.parametrize("contract", PLANTS)
def test_a_planted_import_breaks_its_contract(contract: str, tree: Path) -> None:
    name, statement = PLANTS[contract]
    module = tree / "defirisk" / name
    before = module.read_text(encoding="utf-8")
    try:
        module.write_text(f"{before}\n{statement}\n", encoding="utf-8")
        assert contract.partition(",")[0] in broken(tree)
    finally:
        module.write_text(before, encoding="utf-8")


def test_a_new_package_must_be_given_its_layer(tree: Path) -> None:
    stray = tree / "defirisk" / "stray"
    stray.mkdir()
    try:
        (stray / "__init__.py").write_text("", encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", LINT], cwd=tree, capture_output=True, text=True, check=False
        )
    finally:
        shutil.rmtree(stray)
    assert done.returncode != 0
    assert "stray" in done.stdout


def test_every_shock_is_in_the_contract_that_keeps_shocks_apart() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter", encoding="utf-8")
    listed = contracts["importlinter:contract:shocks"]["modules"].split()
    assert set(listed) == {type(shock).__module__ for shock in shocks().values()}
