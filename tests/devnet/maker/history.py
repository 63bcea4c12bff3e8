"""Maker as its package deploys it: every transaction of the package's own chain, made again.

The addresses are those of the package, since senders and nonces are. Time is ours: only the
seconds between blocks are kept.
"""

from __future__ import annotations

import json
from typing import Any

from ..chain import DEPLOY_GAS, MAX_FEE, Chain, Reverted
from ..toolchain import load_toolchain

BEFORE = 12  # seconds before the first block


def replay(chain: Chain) -> dict[str, str]:
    """Make the whole history again; the addresses of what it deployed, by Maker's own names."""
    history = json.loads((load_toolchain().folder / "maker.json").read_text())
    blocks = history["blocks"]
    chain.fund({tx["from"] for block in blocks for tx in block["transactions"]})
    then = blocks[0]["timestamp"] - BEFORE
    for block in blocks:
        txs = block["transactions"]
        receipts = chain.repeat([_fields(tx) for tx in txs], block["timestamp"] - then)
        then = block["timestamp"]
        for tx, receipt in zip(txs, receipts, strict=True):
            if _outcome(tx) != _outcome(receipt | {"logs": len(receipt["logs"])}):
                raise Reverted(f"Maker's transaction {tx['nonce']} went otherwise")
    return _addresses(history)


def addresses() -> dict[str, str]:
    """Where everything is after the replay."""
    return _addresses(json.loads((load_toolchain().folder / "maker.json").read_text()))


def _addresses(history: dict[str, Any]) -> dict[str, str]:
    addresses = history["addresses"]
    return {name: address.lower() for name, address in addresses.items() if _is_address(address)}


def _fields(tx: dict[str, Any]) -> dict[str, Any]:
    fields = {key: tx[key] for key in ("from", "data", "value", "nonce")}
    fields |= {
        "gas": hex(DEPLOY_GAS),
        "maxFeePerGas": hex(MAX_FEE),
        "maxPriorityFeePerGas": hex(0),
    }
    return fields if tx["to"] is None else fields | {"to": tx["to"]}


def _outcome(receipt: dict[str, Any]) -> tuple[str, str, int]:
    created = receipt["contractAddress"] or ""
    return receipt["status"], created.lower(), receipt["logs"]


def _is_address(text: object) -> bool:
    return isinstance(text, str) and text.startswith("0x") and len(text) == 42
