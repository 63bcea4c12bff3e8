"""A proposal against the real contracts: executed on a fork, and asked about once more here."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from defirisk.governance.aave_v3 import calls
from tests.command import CommandLine
from tests.devnet.abi import words
from tests.devnet.build import start
from tests.gateway import SECRET, gateway
from tests.onchain.proposing import (
    NAME,
    OLD,
    Executed,
    Project,
    accepted,
    accounts_of,
    project_of,
    propose,
    put_anvil_on_path,
    read,
    reserve,
    unhealthy,
)

pytestmark = pytest.mark.onchain

CHANGES = {
    NAME: ("--asset", "WETH", "--set", "lt=75%,ltv=70%", "--asset", "DAI", "--set", "bonus=6%"),
    OLD: ("--asset", "WETH", "--set", "lt=78%,ltv=74%", "--asset", "DAI", "--set", "borrow_cap=9"),
}
"""Changes of several assets that make somebody liquidatable, by deployment."""


@pytest.fixture(scope="module")
def project(devnet_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A chain of seed 1 of its own: here time stands still."""
    with start(devnet_path) as devnet:
        yield project_of(tmp_path_factory.mktemp("proposal"), devnet)


@pytest.fixture(autouse=True)
def anvil(monkeypatch: pytest.MonkeyPatch) -> None:
    put_anvil_on_path(monkeypatch)


@pytest.fixture(scope="module", params=[NAME, OLD])
def name(request: pytest.FixtureRequest) -> str:
    value: str = request.param
    return value


def test_the_fork_has_the_tables_parameters_and_nobody_else_is_liquidatable(
    cli: CommandLine, project: Project, name: str, tmp_path: Path
) -> None:
    ran = accepted(cli, project, tmp_path, name, *CHANGES[name])
    assert ran.code == 0, ran
    assert ran.out.startswith("EXECUTED on a fork as risk admin")

    impact, manifest = read(tmp_path, "impact.json"), read(tmp_path, "manifest.json")
    assert manifest["execution"]["status"] == "EXECUTED"
    assert manifest["execution"]["contracts_asked"]["mismatches"] == 0
    made = {unit["unit"] for unit in impact["by_the_change_itself"]["units"]}
    already = set(impact["by_the_change_itself"]["already"])
    assert len(made) >= 3
    everybody = accounts_of(project, name)
    assert unhealthy(project, name, everybody) == already | set(
        impact["by_the_change_itself"]["no_longer"]
    )
    with Executed(project, tmp_path):
        assert unhealthy(project, name, everybody) == made | already
        for one in impact["changes"]:
            assert (
                contract_says(project, name, one["asset"], one["parameter"]) == (one["recommended"])
            )
    assert set(manifest["accepted_liquidations"]) == made
    if name == NAME:
        for when in ("before", "after"):
            reserves = read(tmp_path, f"payload/snapshot-{when}.json")["reserves"].values()
            assert all(one.keys() >= ASKED for one in reserves)
            assert sorted(one["id"] for one in reserves) == list(range(8))


ASKED = {
    *("aTokenName", "aTokenSymbol", "aTokenUnderlyingBalance", "id", "interestRateStrategy"),
    *("oracleDescription", "variableDebtTokenName", "variableDebtTokenSymbol"),
}
"""What Aave's own snapshots say of a reserve that is in no log."""
FIELDS = {  # of getConfiguration: first bit, bits, and what the number has beyond ours
    "ltv_bps": (0, 16, 0),
    "liquidation_threshold_bps": (16, 16, 0),
    "liquidation_bonus_bps": (32, 16, 10_000),
    "borrow_cap": (80, 36, 0),
    "supply_cap": (116, 36, 0),
}


def contract_says(project: Project, name: str, asset: str, term: str) -> int:
    """A parameter by the Pool's own bitmap."""
    said = project.devnet.chain.call(project.pool(name), "getConfiguration(address)", asset)
    first, width, beyond = FIELDS[term]
    return (words(said)[0] >> first & (1 << width) - 1) - beyond


def test_whoever_would_be_liquidated_silently_stops_the_proposal(
    cli: CommandLine, project: Project, tmp_path: Path
) -> None:
    change = ("--asset", "WETH", "--set", "lt=75%,ltv=70%")
    said = cli.refused("propose", NAME, *change, "-o", str(tmp_path), code=1, folder=project.folder)
    listed = (tmp_path / "would-be-liquidatable.txt").read_text().split()
    assert f"makes {len(listed)} accounts liquidatable, owing $" in said
    assert f"--accept-liquidations @{tmp_path}" in said
    assert {path.name for path in tmp_path.iterdir()} == {"would-be-liquidatable.txt"}

    all_but_one = ",".join(listed[1:])
    said = cli.refused(
        *("propose", NAME, *change, "-o", str(tmp_path), "--accept-liquidations", all_but_one),
        code=1,
        folder=project.folder,
    )
    assert "makes 1 account liquidatable, owing $" in said
    assert listed[0] in said


def test_replay_elsewhere_gives_every_byte(
    cli: CommandLine, project: Project, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    change = ("--asset", "WETH", "--set", "lt=82.5%,ltv=79%,supply_cap=410000")
    assert propose(cli, project, out, NAME, *change, "--cascade").code == 0
    elsewhere = tmp_path / "far" / "away"
    shutil.copytree(out, elsewhere / "theirs")
    environment = {"PATH": os.environ["PATH"], "HOME": str(elsewhere)}

    def replay() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "defirisk", "replay", "theirs"]
        return subprocess.run(
            command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False
        )

    done = replay()
    assert (done.returncode, done.stderr) == (0, ""), done
    assert "same to the byte" in done.stdout

    stated = (out / "impact.json").read_text()
    power = read(out, "impact.json")["borrowing_power"]["change_usd"]
    assert power < 0
    (elsewhere / "theirs/impact.json").write_text(stated.replace(str(power), str(-power)))
    done = replay()
    assert done.returncode == 1
    assert "impact.json.borrowing_power.change_usd is" in done.stdout
    assert "impact.json is not the file that the manifest names" in done.stdout


def test_the_same_command_makes_the_same_files(
    cli: CommandLine, project: Project, tmp_path: Path
) -> None:
    change = ("--asset", "WBTC", "--set", "bonus=6.5%")
    for out in ("one", "two"):
        assert propose(cli, project, tmp_path / out, NAME, *change).code == 0
    one, two = (
        {path.relative_to(tmp_path / out): path.read_bytes() for path in files(tmp_path / out)}
        for out in ("one", "two")
    )
    assert one == two


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_without_anvil_everything_is_written_and_nothing_executed(
    cli: CommandLine, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("defirisk.chain.fork.anvil._npm", lambda: None)

    ran = propose(cli, project, tmp_path, NAME, "--asset", "WETH", "--set", "lt=82.5%")

    assert ran.code == 1
    assert ran.out.startswith("NOT EXECUTED: no anvil")
    assert "pip install 'defirisk[fork]'" in ran.out
    assert read(tmp_path, "manifest.json")["execution"]["status"] == "NOT EXECUTED"
    assert "NOT EXECUTED" in (tmp_path / "post.md").read_text()
    after = read(tmp_path, "payload/snapshot-after.json")
    weth = project.devnet.market.assets["WETH"].token
    assert reserve(after, weth)["liquidationThreshold"] == 8250
    assert cli("replay", str(tmp_path)).code == 0


def test_no_file_says_where_the_node_is(cli: CommandLine, project: Project, tmp_path: Path) -> None:
    with gateway(project.devnet.url) as node:
        change = ("--asset", "WETH", "--set", "lt=82.5%", "--rpc-url", node.url)
        assert propose(cli, project, tmp_path / "done", NAME, *change).code == 0
        node.fail("refuses")
        ran = propose(cli, project, tmp_path / "failed", NAME, *change)
        port = str(node.server.server_port)

    assert ran.code == 1
    assert read(tmp_path / "failed", "manifest.json")["execution"]["status"] == "NOT EXECUTED"
    every = files(tmp_path)
    assert len(every) > 20
    for path in every:
        content = path.read_bytes()
        assert SECRET.encode() not in content, path
        assert b"127.0.0.1" not in content, path
        assert str(tmp_path).encode() not in content, path
        assert f":{port}".encode() not in content, path


def test_a_node_of_another_chain_is_not_executed_on(
    cli: CommandLine, project: Project, tmp_path: Path
) -> None:
    """As a node answers that has another block of the same number."""
    database = tmp_path / "other.db"
    with sqlite3.connect(project.folder / "defirisk.db") as ours, sqlite3.connect(database) as copy:
        ours.backup(copy)
        last = "(select max(block_number) from blocks)"
        other = "0x" + "ab" * 32
        copy.execute(f"update blocks set block_hash = ? where block_number = {last}", [other])
    change = ("--asset", "WETH", "--set", "lt=82.5%", "--db", f"sqlite:///{database}")

    ran = propose(cli, project, tmp_path / "out", NAME, *change)

    assert (ran.code, ran.out.partition(":")[0]) == (1, "NOT EXECUTED")
    assert "is not the indexed one" in ran.out


@pytest.mark.parametrize("fault", ["other value", "refused", "one call less"])
def test_what_is_not_executed_as_proposed_fails_loudly(
    cli: CommandLine,
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    right = calls.configurator_calls

    def wrong(changes: Any) -> list[calls.ContractCall]:
        first, *rest = right(changes)
        if fault == "one call less":
            return rest
        data = bytearray(first.data)
        data[4 + 2 * 32 + 31] += 1 if fault == "other value" else 0  # a threshold one higher
        data[4 + 1 * 32 + 28] += 1 if fault == "refused" else 0  # an LTV far above it
        return [replace(first, data=bytes(data)), *rest]

    monkeypatch.setattr(calls, "configurator_calls", wrong)
    change = ("--asset", "WETH", "--set", "lt=82.5%,ltv=79%,borrow_cap=5")

    ran = propose(cli, project, tmp_path, NAME, *change)

    assert ran.code == 1
    assert ran.out.startswith("DIFFERS: ")
    if fault == "refused":
        assert "reverted with InvalidReserveParams" in ran.out
    else:
        assert "liquidationThreshold is" in ran.out
    assert read(tmp_path, "manifest.json")["execution"]["status"] == "DIFFERS"
    assert "it differs" in (tmp_path / "post.md").read_text()
