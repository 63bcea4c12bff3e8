"""The contracts' own answers at chosen blocks, kept raw so that nothing of ours can colour them."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .abi import call_data
from .chain import Chain
from .market import Market

PER_ASSET = (
    *("getReserveNormalizedIncome", "getReserveNormalizedVariableDebt", "getReserveDeficit"),
    *("getVirtualUnderlyingBalance", "getConfiguration"),
)


class Recorder:
    """Collects checkpoints and writes them as JSON lines."""

    def __init__(self, chain: Chain, market: Market, accounts: list[str]) -> None:
        self._chain = chain
        self._calls = _questions(market, accounts)
        self._lines: list[str] = []

    def record(self) -> None:
        """Ask everything at the head."""
        block = self._chain.rpc.call("eth_getBlockByNumber", "latest", False)
        number = int(block["number"], 16)
        answers = self._chain.calls(self._calls, number)
        calls = [[*call, answer] for call, answer in zip(self._calls, answers, strict=True)]
        entry = {"block": number, "hash": block["hash"], "calls": calls}
        self._lines.append(json.dumps(entry, separators=(",", ":")))

    def write(self, path: Path) -> None:
        """Write the checkpoints recorded so far."""
        with lzma.open(path, "wt", preset=1) as file:
            file.writelines(f"{line}\n" for line in self._lines)


def read_checkpoints(path: Path) -> Iterator[dict[str, Any]]:
    """Checkpoints in block order: block, hash and calls as [to, data, result or None]."""
    with lzma.open(path, "rt") as file:
        for line in file:
            yield json.loads(line)


def _questions(market: Market, accounts: list[str]) -> list[tuple[str, str]]:
    pool, oracle = market.pool, market.addresses["oracle"]
    calls = [(pool, call_data("getUserAccountData(address)", (account,))) for account in accounts]
    for asset in market.assets.values():
        calls += [(pool, call_data(f"{view}(address)", (asset.token,))) for view in PER_ASSET]
        calls.append((oracle, call_data("getAssetPrice(address)", (asset.token,))))
        for token in (asset.a_token, asset.variable_debt_token):
            calls.append((token, call_data("scaledTotalSupply()", ())))
    return calls
