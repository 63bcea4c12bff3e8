"""Our own test contracts, compiled in this process: it takes milliseconds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from vyper.compiler import compile_code

from tests.devnet.toolchain import Artifact

HERE = Path(__file__).parent
SOURCES = {
    "HostileToken": HERE / "contracts" / "HostileToken.vy",
    "HostileFeed": HERE / "contracts" / "HostileFeed.vy",
    "HostileVault": HERE / "contracts" / "HostileVault.vy",
    "PiggyBank": HERE.parent / "conformance" / "PiggyBank.vy",
}


@cache
def compiled(name: str) -> dict[str, Any]:
    """ABI and creation code, `abi` and `bytecode`, of one contract."""
    out: dict[str, Any] = compile_code(
        SOURCES[name].read_text("utf-8"), output_formats=["abi", "bytecode"]
    )
    return out


def artifact(name: str) -> Artifact:
    """The contract as `tests.devnet.chain.Chain` deploys it."""
    return Artifact(
        constructor=tuple(_constructor_types(name)),
        bytecode=str(compiled(name)["bytecode"]).removeprefix("0x"),
        links=(),
    )


def creation_code(name: str, args: Sequence[Any]) -> str:
    """Creation code with the constructor's arguments, as hex text."""
    return str(compiled(name)["bytecode"]) + encode(_constructor_types(name), args).hex()


def abi_text(name: str) -> str:
    """The ABI as a file of ours holds it: one entry per line, sorted keys."""
    entries = (json.dumps(entry, sort_keys=True) for entry in compiled(name)["abi"])
    return "[\n" + ",\n".join(entries) + "\n]\n"


def _constructor_types(name: str) -> list[str]:
    entries = [one for one in compiled(name)["abi"] if one["type"] == "constructor"]
    return [str(parameter["type"]) for one in entries for parameter in one["inputs"]]
