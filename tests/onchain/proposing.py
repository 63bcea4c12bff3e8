"""Proposals on the local chain: a project to propose in, and the chain's own answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from defirisk.governance.aave_v3.proposal import Market, deployment_of
from defirisk.store.database import open_store
from defirisk.store.frames import load_book
from defirisk.store.snapshots import market_deployments, snapshot, stored_block
from tests.command import CommandLine, Ran
from tests.devnet.abi import call_data, words
from tests.devnet.build import Devnet
from tests.devnet.record import as_toml, deployments
from tests.devnet.toolchain import load_toolchain

NAME, OLD = "aave-v3-devnet", "aave-v3.0-devnet"
HEALTHY = 10**18


def put_anvil_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pinned anvil of the tests is the one that is found."""
    folder = load_toolchain().anvil.parent
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@dataclass(frozen=True)
class Project:
    """A folder with a configuration and an indexed store, and the chain behind it."""

    folder: Path
    devnet: Devnet

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'defirisk.db'}"

    def pool(self, name: str) -> str:
        section = "aave-v3" if name == NAME else "aave-v3.0"
        return str(self.devnet.deployment[section]["addresses"]["pool"])


def project_of(folder: Path, devnet: Devnet) -> Project:
    """Configured and indexed up to the head."""
    tables = "\n".join(as_toml(one) for one in deployments(devnet.deployment))
    chains = f'[chains.local]\nchain_id = 31337\nrpc_url = "{devnet.url}"\n\n'
    (folder / "defirisk.toml").write_text(chains + tables)
    command = [sys.executable, "-m", "defirisk", "index", "--to-block", "latest"]
    subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return Project(folder, devnet)


def propose(cli: CommandLine, project: Project, out: Path, name: str, *words: str) -> Ran:
    """Without playing liquidations, which takes its time, unless the words say otherwise."""
    engine = () if "--cascade" in words else ("--no-cascade",)
    return cli("propose", name, *words, *engine, "-o", str(out), folder=project.folder)


def read(out: Path, name: str) -> Any:
    return json.loads((out / name).read_text())


def unhealthy(project: Project, name: str, accounts: list[str]) -> set[str]:
    """The accounts whose health factor the Pool itself calls less than 1."""
    answers = project.devnet.chain.calls(
        [
            (project.pool(name), call_data("getUserAccountData(address)", (account,)))
            for account in accounts
        ]
    )
    return {
        account
        for account, said in zip(accounts, answers, strict=True)
        if said is not None and words(said)[5] < HEALTHY
    }


def accounts_of(project: Project, name: str) -> list[str]:
    """Every unit of the deployment, as it was indexed."""
    market = market_of(project, name)
    own = np.flatnonzero(market.book.unit_deployment == market.deployment)
    return [market.book.units[int(unit)] for unit in own]


def market_of(project: Project, name: str) -> Market:
    store = open_store(project.url, create=False)
    with store.transaction() as connection:
        every = market_deployments(connection, ())
        book = load_book(connection, every, stored_block(connection, 31337, None))
        stored = next(one for one in every if one.deployment.name == name)
        market = Market(book, deployment_of(book, name), snapshot(connection, stored, book.block))
    store.close()
    return market


class Executed:
    """The batch of a proposal, sent here as its admin, and taken back afterwards."""

    def __init__(self, project: Project, out: Path) -> None:
        self._project, self._out = project, out

    def __enter__(self) -> None:
        chain = self._project.devnet.chain
        self._before = chain.rpc.call("evm_snapshot")
        sender = read(self._out, "manifest.json")["execution"]["as"]["account"]
        batch = read(self._out, "payload/safe-batch.json")["transactions"]
        chain.mine([], seconds=0)
        fields = [{"from": sender, "to": tx["to"], "data": tx["data"]} for tx in batch]
        hashes = [chain.rpc.call("eth_sendTransaction", one) for one in fields]
        chain.rpc.call("evm_mine", hex(chain.time))
        for name in hashes:
            assert chain.rpc.call("eth_getTransactionReceipt", name)["status"] == "0x1"

    def __exit__(self, *_: object) -> None:
        assert self._project.devnet.chain.rpc.call("evm_revert", self._before)
        self._project.devnet.chain.resync()


def accepted(cli: CommandLine, project: Project, out: Path, name: str, *words: str) -> Ran:
    """A proposal whose liquidations are all named, by what its refusal says to type."""
    said = cli.refused(
        "propose", name, *words, "-o", str(out), code=1, folder=project.folder
    ).partition("--accept-liquidations ")[2]
    return propose(
        cli, project, out, name, *words, "--accept-liquidations", said.partition(", or")[0]
    )


def reserve(configuration: dict[str, Any], asset: str) -> dict[str, Any]:
    found = {key.lower(): value for key, value in configuration["reserves"].items()}
    return dict(found[asset.lower()])
