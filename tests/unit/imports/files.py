"""Small import files, written as a user would write them."""

from __future__ import annotations

from collections.abc import Sequence
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
