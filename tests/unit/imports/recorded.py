"""The recorded data sets as import files, and where they are."""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

# Read before any test begins: the command line of a test sees no DEFIRISK_ variable.
STATED = os.environ.get("DEFIRISK_SHARED_DATA")
SHARED = Path(STATED) if STATED else Path(__file__).resolve().parents[4] / "shared" / "data"
POSITIONS = ("protocol", "market", "account", "asset", "side", "amount")
MARKETS = (
    *("protocol", "market", "asset", "decimals", "price_usd"),
    *("ltv", "liquidation_threshold", "liquidation_bonus", "close_factor"),
)
FRONTIER, COMPOUND = "inverse-frontier", "compound-v2"
MARKET = "comptroller"


def shared(*parts: str) -> Path:
    """A recorded data set; skips aloud where this machine has none."""
    found = SHARED.joinpath("lending", *parts)
    if not found.exists():
        pytest.skip(
            f"the recorded data set {'/'.join(parts)} is not here: set DEFIRISK_SHARED_DATA"
        )
    return found


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A CSV file; its path as one types it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return str(path)


def frontier() -> dict[str, Any]:
    """The Frontier snapshot, numbers as they are written there."""
    path = shared("inverse_frontier_2024", "frontier_positions_snapshot_2024-04-09.json.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        snapshot: dict[str, Any] = json.load(file, parse_float=str)
    return snapshot


def frontier_files(snapshot: dict[str, Any], folder: Path) -> list[str]:
    """Positions and markets of the snapshot. What an account has not entered backs nothing."""
    markets = snapshot["markets"]
    rows = [
        (FRONTIER, MARKET, one["account"], markets[held["marketIndex"]], side, held["balance"])
        for one in snapshot["positions"]
        for side_of, entries in (("supplied", one["supplied"]), ("borrowed", one["borrowed"]))
        for held in entries
        for side in [
            "debt"
            if side_of == "borrowed"
            else "collateral"
            if held["marketIndex"] in one["assetsIn"]
            else "supply"
        ]
    ]
    listed = [
        (FRONTIER, MARKET, asset, decimals, price, factor, factor, "0.1", "0.5")
        for asset, decimals, price, factor in zip(
            markets,
            snapshot["marketDecimals"],
            snapshot["prices"],
            snapshot["collateralFactors"],
            strict=True,
        )
    ]
    return [
        write(folder / "frontier-positions.csv", POSITIONS, rows),
        write(folder / "frontier-markets.csv", MARKETS, listed),
    ]


_DECIMALS = {"cUSDC": 6, "cUSDT": 6, "cWBTC": 8}
_PRICES = {"cETH": "1840", "cWBTC": "27600", "cUNI": "5.2", "cCOMP": "36", "cLINK": "6.5"}
_PRICES |= {"cAAVE": "63", "cYFI": "6600", "cSUSHI": "0.95", "cBAT": "0.21", "cZRX": "0.22"}
_EXCHANGE_RATE = Decimal("0.0214")


def compound_rows() -> list[dict[str, str]]:
    """The account-token rows of Compound v2 as the subgraph gave them."""
    path = shared("compound_v2_2023", "account_tokens.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def compound_files(rows: list[dict[str, str]], folder: Path) -> list[str]:
    """At least one row for each account-token row, two where something is supplied and owed.

    The set states neither exchange rates nor prices: one rate and round prices stand in. Two tokens
    are called cWBTC, so the asset is the token's address. Some of the subgraph's balances are
    negative, and stay so.
    """
    stated: list[tuple[str, ...]] = []
    for row in rows:
        where = (COMPOUND, MARKET, row["account"], row["ctoken"])
        supplied, owed = Decimal(row["cTokenBalance"]), Decimal(row["storedBorrowBalance"])
        if supplied != 0 or owed == 0:
            stated.append((*where, "collateral", format(supplied * _EXCHANGE_RATE, "f")))
        if owed != 0:
            stated.append((*where, "debt", row["storedBorrowBalance"]))
    symbols = {row["ctoken"]: row["symbol"] for row in rows}
    listed = [
        (
            *(COMPOUND, MARKET, token, _DECIMALS.get(symbol, 18), _PRICES.get(symbol, "1")),
            *("0.75", "0.75", "0.08", "0.5"),
        )
        for token, symbol in symbols.items()
    ]
    return [
        write(folder / "compound-positions.csv", POSITIONS, stated),
        write(folder / "compound-markets.csv", MARKETS, listed),
    ]
