"""Deployments as data: those shipped beside each protocol, and `[[deployment]]` tables."""

from __future__ import annotations

import importlib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from defirisk.core.adapter import Deployment
from defirisk.core.errors import UsageError
from defirisk.core.plugins import adapters, nearest

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_KEYS = {"name", "protocol", "chain_id", "chain", "first_block", "follows"}


def shipped() -> list[Deployment]:
    """Every deployment in a deployments.toml beside the adapter's own module."""
    found: list[Deployment] = []
    for adapter in adapters().values():
        module = importlib.import_module(type(adapter).__module__)
        path = files(module.__package__ or "").joinpath("deployments.toml")
        if path.is_file():
            tables = tomllib.loads(path.read_text("utf-8"))["deployment"]
            found += [parse(table, "shipped data") for table in tables]
    return [deployment for deployment in found if deployment.protocol in adapters()]


def parse(table: Mapping[str, Any], where: str) -> Deployment:
    """A `[[deployment]]` table; `UsageError` names what is missing or wrong in it."""
    name = table.get("name")
    if not isinstance(name, str) or not name:
        raise UsageError(f'{where}: a [[deployment]] has no name: add name = "…"')
    where = f"{where}, deployment {name!r}"
    protocol, chain_id = table.get("protocol"), table.get("chain_id")
    if not isinstance(protocol, str) or protocol not in adapters():
        raise UsageError(
            f"{where}: unknown protocol {protocol!r}: {nearest(str(protocol), adapters())}"
        )
    if type(chain_id) is not int:
        raise UsageError(f"{where}: chain_id must be a number, such as chain_id = 1")
    first_block = table.get("first_block", 0)
    if type(first_block) is not int or first_block < 0:
        raise UsageError(f"{where}: first_block must be a block number")
    return Deployment(
        name=name,
        protocol=protocol,
        chain_id=chain_id,
        first_block=first_block,
        contracts=_contracts(table, protocol, where),
        follows=_follows(table.get("follows", {}), where),
    )


def _follows(table: Any, where: str) -> dict[str, str]:
    if not isinstance(table, dict) or not all(isinstance(whom, str) for whom in table.values()):
        raise UsageError(f'{where}: write follows as {{ wstETH = "WETH" }}')
    return table


def _contracts(table: Mapping[str, Any], protocol: str, where: str) -> dict[str, str]:
    contracts = {}
    for role, address in table.items():
        if role in _KEYS:
            continue
        if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
            raise UsageError(f"{where}: {role} must be an address of 0x and 40 hex digits")
        contracts[role] = address.lower()
    required = adapters()[protocol].required_contracts
    if missing := [role for role in required if role not in contracts]:
        raise UsageError(f"{where}: the address of {', '.join(missing)} is missing")
    return contracts


def choose(names: Sequence[str], known: Iterable[Deployment], chain_id: int) -> list[Deployment]:
    """The deployments of one chain by name; a protocol's name means all of its own."""
    here = [deployment for deployment in known if deployment.chain_id == chain_id]
    chosen: list[Deployment] = []
    for name in names:
        matching = [d for d in here if name in (d.name, d.protocol)]
        if not matching:
            elsewhere = sorted({str(d.chain_id) for d in known if name in (d.name, d.protocol)})
            if elsewhere:
                raise UsageError(
                    f"{name} is not known on chain {chain_id} (but on {', '.join(elsewhere)}): "
                    "add a [[deployment]] to defirisk.toml"
                )
            offers = {d.name for d in here} | {d.protocol for d in here}
            raise UsageError(f"unknown deployment or protocol {name!r}: {nearest(name, offers)}")
        chosen += [d for d in matching if d not in chosen]
    return chosen
