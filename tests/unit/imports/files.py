"""Small import files, written as a user would write them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

POSITIONS = "protocol,market,account,asset,side,amount"
MARKETS = (
    "protocol,market,asset,decimals,price_usd,ltv,liquidation_threshold,liquidation_bonus,"
    "close_factor"
)
HELD = (
    "mylend,main,alice,WETH,collateral,10",
    "mylend,main,alice,USDC,debt,15000",
    "mylend,main,bob,WETH,supply,3",
)
LISTED = (
    "mylend,main,WETH,18,2000,0.8,0.825,0.05,0.5",
    "mylend,main,USDC,6,1,0.8,0.85,0.05,0.5",
)


def positions(folder: Path, *lines: str, header: str = POSITIONS, name: str = "p.csv") -> str:
    """A positions file; returns its path as one types it."""
    return write(folder / name, (header, *lines))


def markets(folder: Path, *lines: str, header: str = MARKETS, name: str = "m.csv") -> str:
    """A markets file; the usual two assets where no line is given."""
    return write(folder / name, (header, *(lines or LISTED)))


def write(path: Path, lines: Sequence[str]) -> str:
    """A file of these lines."""
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


POOL_COLUMNS = (
    *("venue", "kind", "asset_in", "asset_out", "reserve_in", "reserve_out", "fee"),
    *("amplification", "decimals_in", "decimals_out", "admin_fee", "generation"),
    *("sqrt_price_x96", "tick_spacing", "liquidity", "ticks_from", "ticks_to"),
    *("price", "cumulative_amount"),
)
PAIR = {
    "venue": "uni",
    "kind": "constant-product",
    "asset_in": "WETH",
    "asset_out": "USDC",
    "reserve_in": "1000",
    "reserve_out": "2000000",
    "fee": "0.003",
    "decimals_out": "6",
}
LEVEL = {"venue": "book", "kind": "depth", "asset_in": "WETH", "asset_out": "USDC"}
LEVELS = (
    {**LEVEL, "price": "2000", "cumulative_amount": "10"},
    {**LEVEL, "price": "1900", "cumulative_amount": "100"},
)
RANGES = {
    "venue": "v3",
    "kind": "uniswap-v3",
    "asset_in": "WETH",
    "asset_out": "USDC",
    "fee": "0.003",
    "decimals_out": "6",
    "price": "2000",
    "tick_spacing": "60",
}
TICKS = (("v3", -203400, 10**18), ("v3", -198000, -(10**18)))
STABLE = {
    "venue": "3pool",
    "kind": "stableswap",
    "fee": "0.0004",
    "amplification": "2000",
    "decimals_in": "6",
    "decimals_out": "6",
}
STABLES = (
    {**STABLE, "asset_in": "USDC", "asset_out": "USDT", "reserve_in": "9e5", "reserve_out": "1e6"},
    {**STABLE, "asset_in": "USDT", "asset_out": "GUSD", "reserve_in": "1e6", "reserve_out": "8e5"},
)


def pools(folder: Path, *rows: Mapping[str, object], name: str = "pools.csv") -> str:
    """A file of pools with all columns that one may have."""
    return table(folder / name, POOL_COLUMNS, [[r.get(c, "") for c in POOL_COLUMNS] for r in rows])


def ticks(folder: Path, *rows: Sequence[object], name: str = "ticks.csv") -> str:
    """A file of ticks; those of the usual pool where none is given."""
    return table(folder / name, ("venue", "tick", "liquidity_net"), rows or TICKS)


def table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A file of these columns, quoted where it must be."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return str(path)
