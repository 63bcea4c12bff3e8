"""An adapter that another package registers is one of ours: found, indexed, stored, checked.

The package is put together in a folder of its own, as pip would leave it: the module, its ABI and a
.dist-info that names the entry point. Everything runs in processes that have it on their path.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.vyper_contracts import abi_text

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CONFORMANCE = "tests/conformance"

INDEX = """
import asyncio, json, sys
from sqlalchemy import inspect
from defirisk.core.plugins import adapters
from defirisk.indexing.run import index
from defirisk.indexing.verify import verify
from defirisk.store.database import open_store
from defirisk.store.registry import find_deployment
from tests.hostile.piggy import Bank
from tests.hostile.pyevm import PyEvmReader

adapter = adapters()["piggy-bank"]
bank = Bank.deploy()
bank.list_asset("ordinary", "honest")
store = open_store("sqlite:///" + sys.argv[1], create=True)
summary = asyncio.run(index(PyEvmReader(bank.chain), store, [bank.deployment], "latest"))
with store.transaction() as connection:
    stored = find_deployment(connection, bank.deployment.name)
verdict = asyncio.run(verify(PyEvmReader(bank.chain), store, stored, summary.block))
print(json.dumps({
    "module": type(adapter).__module__,
    "compared": verdict.compared,
    "mismatches": len(verdict.mismatches),
    "tables": inspect(store.engine).get_table_names(),
}))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package `piggy` installed in it."""
    folder = tmp_path_factory.mktemp("site")
    package = folder / "piggy" / "lending"
    package.mkdir(parents=True)
    for init in (folder / "piggy", package):
        (init / "__init__.py").touch()
    shutil.copy(HERE / "smallest_adapter.py", package / "piggy_bank.py")
    shutil.copy(HERE / "PiggyBank.json", package / "PiggyBank.json")
    info = folder / "piggy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: piggy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[defirisk.adapters]\npiggy-bank = piggy.lending.piggy_bank:ADAPTER\n"
    )
    return folder


def run(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Python with the package and this checkout on its path."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])}
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_example_s_abi_is_its_contract_s() -> None:
    assert (HERE / "PiggyBank.json").read_text("utf-8") == abi_text("PiggyBank")


def test_it_is_listed_beside_ours(site: Path) -> None:
    ran = run(site, "-m", "defirisk", "list", "protocols", "--format", "json")
    assert ran.returncode == 0, ran.stderr
    listed = {row["protocol"]: row for row in json.loads(ran.stdout)["protocols"]}
    assert {"aave-v3", "chainlink", "piggy-bank"} <= listed.keys()
    assert listed["piggy-bank"]["kind"] == "lending"


def test_without_the_package_it_is_unknown() -> None:
    ran = run(ROOT, "-m", "defirisk", "list", "protocols")
    assert ran.returncode == 0
    assert "piggy" not in ran.stdout


def test_it_is_indexed_and_verified_and_its_tables_need_no_migration_of_ours(
    site: Path, tmp_path: Path
) -> None:
    ran = run(site, "-c", INDEX, str(tmp_path / "bank.db"))
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert said["module"] == "piggy.lending.piggy_bank"
    assert (said["compared"], said["mismatches"]) == (2, 0)
    assert {"piggy_bank_banks", "piggy_bank_listings", "piggy_bank_savings"} <= set(said["tables"])

    report = ("report", "protocol", "bank-of-the-strange", "--format", "md")
    shown = run(site, "-m", "defirisk", *report, "--db", f"sqlite:///{tmp_path / 'bank.db'}")
    assert shown.returncode == 0, shown.stderr
    assert "GOOD" in shown.stdout


def test_the_conformance_suite_runs_over_it(site: Path) -> None:
    """All of it but what needs a recorded chain with the protocol on it."""
    events = "test_every_event_names_all_the_rows_that_it_reads_and_writes"
    suite = [f"{CONFORMANCE}/test_adapters.py", f"{CONFORMANCE}/test_folds.py::{events}"]
    options = ("-q", "-rA", "-p", "no:cacheprovider", "-k", "piggy")
    ran = run(site, "-m", "pytest", *options, *suite)
    assert ran.returncode == 0, ran.stdout
    passed = re.findall(r"^PASSED \S+::(\w+)\[piggy-bank", ran.stdout, re.M)
    assert {
        "test_rows_can_be_stored",
        "test_every_view_can_be_asked",
        events,
    } <= set(passed)
