"""Complete blocks of real chains: header and receipts as nodes served them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from defirisk.chain.wire import read_block
from defirisk.core.evm import Block
from tests.unit.imports.recorded import SHARED

CHAINS = {
    "ethereum": ["1000000", "4369999", "18000000", "18500000"],
    "polygon": ["50000000"],
    "arbitrum": ["150000000"],
    "hyperliquid": ["50000"],
}
BLOCKS = [(chain, number) for chain, numbers in CHAINS.items() for number in numbers]


def recorded_block(chain: str, number: str) -> tuple[Block, list[dict[str, Any]]]:
    """A header, and the answer to eth_getBlockReceipts; skips aloud where it is not here."""
    return read_block(_read(chain, number, "block")), _read(chain, number, "receipts")


def recorded_logs() -> Iterator[dict[str, Any]]:
    """Every log of the complete blocks, then of single receipts of many chains."""
    for chain, number in BLOCKS:
        for receipt in _read(chain, number, "receipts"):
            yield from receipt["logs"]
    for _, receipt in recorded_receipts():
        yield from receipt["logs"]


def recorded_receipts() -> Iterator[tuple[str, dict[str, Any]]]:
    """Chain ids (or hosts) and single receipts of many chains."""
    for line in _lines("receipts"):
        yield line["chainid"], line["receipt"]


def recorded_headers() -> dict[tuple[str, str], dict[str, Any]]:
    """Headers by chain id and number."""
    return {
        (one["chainid"], one["block"]["number"]): one["block"] for one in _lines("block_headers")
    }


def _lines(what: str) -> Iterator[dict[str, Any]]:
    path = _there(SHARED / "rpc" / "mainnet_receipts" / f"{what}.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def _read(chain: str, number: str, what: str) -> Any:
    name = f"evm__evm-rpc__test__fixtures__{chain}__{number}__{what}.json"
    plain = SHARED / "rpc" / "subsquid" / name
    packed = plain.with_name(name + ".gz")
    path = packed if packed.exists() else _there(plain)
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    parsed = json.loads(data)
    return parsed["result"] if isinstance(parsed, dict) and "result" in parsed else parsed


def _there(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"the recorded block {path.name} is not here: set DEFIRISK_SHARED_DATA")
    return path
