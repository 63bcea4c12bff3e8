"""The command line against a running chain, behind a URL that holds a key."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.command import CommandLine, Ran
from tests.devnet.build import Devnet, fresh
from tests.devnet.record import NAME, as_toml, deployment
from tests.gateway import SECRET, Gateway, gateway

pytestmark = pytest.mark.onchain

HEADER = {"schema_version", "chain_id", "block", "block_hash", "as_of", "command"}
SHOCKS = (
    "price:WETH=-40%",
    "depeg:USDC=0.88",
    "market:WETH=-20%",
    "oracle:WETH@aave-v3=+30%",
)


@dataclass(frozen=True)
class Project:
    """A folder with a configuration, an indexed store, and the chain behind it."""

    folder: Path
    devnet: Devnet
    node: Gateway


def configure(folder: Path, devnet: Devnet, url: str) -> None:
    """Writes defirisk.toml as a user would."""
    chains = f'[chains.local]\nchain_id = 31337\nrpc_url = "{url}"\n\n'
    (folder / "defirisk.toml").write_text(chains + as_toml(deployment(devnet.deployment)))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = tmp_path_factory.mktemp("project")
    with fresh(3) as devnet, gateway(devnet.url) as node:
        configure(folder, devnet, node.url)
        command = [sys.executable, "-m", "defirisk", "index"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        assert done.stdout == ""
        assert f"indexed chain 31337 to block {devnet.chain.head - 1}: " in done.stderr
        assert SECRET not in done.stderr
        yield Project(folder, devnet, node)


def parsed(ran: Ran) -> dict[str, Any]:
    """The JSON of a command that went well and kept its other words off stdout."""
    assert (ran.code, ran.err) == (0, ""), ran
    document = json.loads(ran.out)
    assert document.keys() >= HEADER
    assert document["schema_version"] == 1
    return dict(document)


def test_init_writes_a_configuration_that_is_read_again(cli: CommandLine) -> None:
    assert cli("init").code == 0
    assert "no node to ask" in cli.refused("index", "aave-v3")
    cli.refused("init")


def test_index_takes_the_url_from_wherever_it_is_given(
    cli: CommandLine, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(cli.folder, project.devnet, "http://127.0.0.1:1")
    assert cli("index", "--rpc-url", project.node.url).code == 0
    (cli.folder / "defirisk.toml").write_text(as_toml(deployment(project.devnet.deployment)))
    monkeypatch.setenv("ETH_RPC_URL", project.node.url)
    assert cli("index", "aave-v3").code == 0
    configure(cli.folder, project.devnet, "${MY_NODE}")
    monkeypatch.setenv("ETH_RPC_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("MY_NODE", project.node.url)
    assert cli("index", "--chain", "local").code == 0
    assert cli("index", "--chain", "31337").code == 0


def test_a_second_run_asks_for_new_blocks_only(cli: CommandLine, project: Project) -> None:
    folder, chain = cli.folder, project.devnet.chain
    configure(folder, project.devnet, project.node.url)
    project.node.recover()
    assert cli("index", "--to-block", "latest").code == 0
    first_logs, first = chain.head, project.node.exchanges

    again = cli("index", "--to-block", "latest")
    project.node.recover()
    assert again.code == 0
    assert ": 0 new logs, 0 rows written" in again.err
    assert cli("index", "--to-block", "latest").code == 0
    assert project.node.asked["eth_getLogs"] == 0
    assert project.node.exchanges < first

    chain.must(*project.devnet.market.feeds.report("WETH", 2222.0))
    project.node.recover()
    grown = cli("index", "--to-block", "latest")
    assert grown.code == 0
    assert f"to block {first_logs + 1}: 1 new logs" in grown.err
    # What wants transfers is asked for apart from what does not.
    assert project.node.asked["eth_getLogs"] <= 2
    assert parsed(cli("verify", "--format", "json"))["block"] == first_logs + 1


def test_status_says_how_far_the_store_is(cli: CommandLine, project: Project) -> None:
    said = parsed(cli("status", "--format", "json", folder=project.folder))
    (chain,) = said["chains"]
    assert chain["chain_id"] == 31337
    assert chain["verified_to"] == chain["head"] - 1
    assert chain["unverified_ranges"] == []
    by_name = {one["deployment"]: one for one in said["deployments"]}
    assert by_name[NAME]["accounts"] > 0
    assert by_name[NAME]["positions"] > by_name[NAME]["accounts"]
    assert by_name["chainlink-31337"]["raw_logs"] > 0


def test_positions_can_be_chosen_by_account_and_number(cli: CommandLine, project: Project) -> None:
    everything = parsed(
        cli("positions", "aave-v3", "--top", "9999", "--format", "json", folder=project.folder)
    )["positions"]
    accounts = list(dict.fromkeys(one["account"] for one in everything))
    top = parsed(cli("positions", NAME, "--top", "2", "--format", "json", folder=project.folder))
    assert {one["account"] for one in top["positions"]} == set(accounts[:2])
    upper = "0x" + accounts[3][2:].upper()
    mine = parsed(
        cli("positions", NAME, "--account", upper, "--format", "json", folder=project.folder)
    )
    assert mine["positions"] == [one for one in everything if one["account"] == accounts[3]]
    stranger = "0x" + "00" * 20
    said = cli.refused("positions", NAME, "--account", stranger, folder=project.folder)
    assert "holds nothing" in said


def test_verify_finds_no_difference(cli: CommandLine, project: Project) -> None:
    every = parsed(cli("verify", "--format", "json", folder=project.folder))["deployments"]
    (said,) = (one for one in every if one["deployment"] == NAME)
    assert all(one["compared"] or one["read"] for one in every)
    assert [one["mismatches"] for one in every] == [[]] * len(every)
    assert said["compared"] > 6 * said["accounts"] > 0
    sampled = parsed(
        cli("verify", "aave-v3", "--sample", "3", "--format", "json", folder=project.folder)
    )
    assert sampled["deployments"][0]["accounts"] == 3


@pytest.mark.parametrize("shock", SHOCKS)
def test_every_kind_of_shock_runs(cli: CommandLine, project: Project, shock: str) -> None:
    said = parsed(cli("stress", "--shock", shock, "--format", "json", folder=project.folder))
    (scenario,) = said["scenarios"]
    assert said["shocks"] == [shock]
    assert scenario["totals"].keys() >= {"liquidatable_accounts", "debt_at_risk_usd"}
    assert scenario["by_protocol"]


def test_scenarios_come_from_a_grid_and_from_a_file(cli: CommandLine, project: Project) -> None:
    shocks = ("price:WETH=-20%", "price:WETH=-40%", "depeg:USDC=0.9")
    words = [word for shock in shocks for word in ("--shock", shock)]
    made = parsed(cli("stress", "--grid", *words, "--format", "json", folder=project.folder))
    assert [one["name"] for one in made["scenarios"]] == [
        "price:WETH=-20% depeg:USDC=0.9",
        "price:WETH=-40% depeg:USDC=0.9",
    ]
    file = cli.folder / "scenarios.csv"
    file.write_text("name,shock\ncrash,price:WETH=-40%\ncrash,depeg:USDC=0.9\nmild,price:WBTC=-5%")
    read = parsed(
        cli("stress", "--scenarios", str(file), "--format", "json", folder=project.folder)
    )
    assert [one["name"] for one in read["scenarios"]] == ["crash", "mild"]
    assert read["scenarios"][0]["totals"] == made["scenarios"][1]["totals"]


@pytest.mark.parametrize(
    ("suffix", "begins"),
    [
        (".json", "{"),
        (".csv", "account,"),
        (".md", "# "),
        (".html", "<!doctype html>"),
        (".txt", "Risk of "),
    ],
)
def test_a_file_is_written_in_the_format_of_its_suffix(
    cli: CommandLine, project: Project, suffix: str, begins: str
) -> None:
    file = cli.folder / f"report{suffix}"
    ran = cli("report", "protocol", "aave-v3", "-o", str(file), folder=project.folder)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == f"wrote {file}\n"
    assert file.read_text().lower().startswith(begins.lower())


@pytest.mark.parametrize("format_", ["table", "json", "csv", "md", "html"])
def test_every_format_goes_to_stdout(cli: CommandLine, project: Project, format_: str) -> None:
    ran = cli("report", "protocol", NAME, "--format", format_, folder=project.folder)
    assert (ran.code, ran.err) == (0, "")
    assert "WETH" in ran.out
    if format_ == "json":
        said = parsed(ran)
        assert said["command"] == f"defirisk report protocol {NAME} --format json"
        assert said["proof"] == {NAME: "executed"}
        block = project.devnet.chain.rpc.call("eth_getBlockByNumber", hex(said["block"]), False)
        assert said["block_hash"] == block["hash"]
    if format_ == "csv":
        rows = list(csv.reader(io.StringIO(ran.out)))
        assert len({len(row) for row in rows}) == 1


def test_the_key_of_the_node_is_nowhere(cli: CommandLine, project: Project) -> None:
    """Not on the screen, not in a report, not in the store, also where something goes wrong."""
    commands = [
        ("index", "--rpc-url", project.node.url),
        ("verify", "--rpc-url", project.node.url, "--format", "json"),
        ("verify", f"--rpc-url={project.node.url}", "--format", "html"),
        ("status", "--format", "json"),
        ("report", "protocol", "aave-v3", "--format", "html"),
        ("index", project.node.url),
        (project.node.url,),
        ("index", "--to-block", project.node.url),
        ("index", "--rpc-url", project.node.url.replace("/v3/", "/v4/")),
        ("index", "--rpc-url", project.node.url.replace("http", "HTTPX")),
        ("index", "--rpc-url", project.node.url.replace("http://", "")),
        ("report", "protocol", project.node.url),
    ]
    for words in commands:
        ran = cli(*words, folder=project.folder)
        assert SECRET not in ran.out + ran.err, words
    project.node.fail("refuses", after=2)
    ran = cli("index", folder=project.folder)
    project.node.recover()
    assert ran.code == 3
    assert SECRET not in ran.err
    files = [path for path in project.folder.iterdir() if path.name != "defirisk.toml"]
    assert {path.name for path in files} >= {"defirisk.db"}
    assert all(SECRET.encode() not in path.read_bytes() for path in files)


def test_the_nightly_run_does_everything_and_says_so(cli: CommandLine, project: Project) -> None:
    configure(cli.folder, project.devnet, project.node.url)
    project.node.recover()
    ran = cli("nightly", "--site", "site", "--sample", "3", "--format", "json")
    assert ran.code == 0, ran
    said = json.loads(ran.out)
    assert [(step["part"], step["result"]) for step in said["steps"]] == [
        ("index", "done"),
        ("verify", "done"),
        ("pages", "done"),
    ]
    assert (said["failed"], said["differ"]) == (0, 0)
    assert sum(one["compared"] for one in said["verdicts"]) > 0
    (folder,) = (cli.folder / "site").iterdir()
    names = {path.name for path in folder.iterdir()}
    assert {"index.html", "stress.html", "cascade.html", "contagion.html", "graph.html"} <= names
    assert {"oracles.html", "verify.html"} <= names
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "Risk today" in page
    assert SECRET not in page + ran.out + ran.err


@pytest.mark.nightly
def test_a_nightly_run_without_its_node_still_writes_pages(
    cli: CommandLine, project: Project
) -> None:
    configure(cli.folder, project.devnet, project.node.url)
    project.node.recover()
    assert cli("index").code == 0
    configure(cli.folder, project.devnet, "http://127.0.0.1:1")
    ran = cli("nightly", "--shock", "price:WETH=-10%", "--format", "json")
    assert (ran.code, ran.err) == (1, ""), ran
    said = json.loads(ran.out)
    assert [(step["part"], step["result"]) for step in said["steps"]] == [
        ("index", "failed"),
        ("verify", "failed"),
        ("pages", "done"),
    ]
    (folder,) = (cli.folder / "defirisk-site").iterdir()
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "2 parts failed" in page
    assert "no connection" in page
