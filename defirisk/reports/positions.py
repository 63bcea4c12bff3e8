"""Positions as a list: accounts by what they owe, or everything that one account holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from defirisk.core.book import Book, Floats
from defirisk.core.holdings import Side
from defirisk.core.position import Position
from defirisk.reports.findings import finding_notes
from defirisk.reports.model import Column, Report, Run, Value, header_of
from defirisk.reports.records import records_report

_SIDES = {Side.COLLATERAL: "collateral", Side.SUPPLY: "supply", Side.DEBT: "debt"}
_COLUMNS = (
    Column("deployment", "Deployment", "text", detail=True),
    Column("account", "Account", "address"),
    Column("health_factor", "Health factor", "health"),
    Column("side", "Side", "text"),
    Column("symbol", "Asset", "text"),
    Column("balance", "Balance", "text"),
    Column("balance_usd", "USD", "usd"),
    Column("asset", "Token", "address", detail=True),
    Column("balance_raw", "Base units", "text", detail=True),
)


@dataclass(frozen=True, slots=True)
class _Owner:
    """The accounts' order: who owes most comes first, then who holds most."""

    debt_usd: float = 0.0
    assets_usd: float = 0.0


def build(
    book: Book,
    positions: Sequence[Position],
    health: Floats,
    *,
    run: Run,
    top: int | None,
) -> Report:
    """All positions of the `top` accounts; `health` are the book's health factors, shape (N,)."""
    order = _ranked(positions)
    shown = order if top is None else order[:top]
    factors = {
        (book.deployments[int(book.unit_deployment[n])].name, unit): float(health[n])
        for n, unit in enumerate(book.units)
    }
    by_owner: dict[tuple[str, str], list[Position]] = {}
    for position in positions:
        by_owner.setdefault((position.deployment, position.account), []).append(position)
    rows = [_row(position, factors.get(owner)) for owner in shown for position in by_owner[owner]]
    left = len(order) - len(shown)
    return records_report(
        "Positions",
        header_of(book, run),
        _COLUMNS,
        rows,
        name="positions",
        notes=finding_notes(book),
        caption=f"{left} more accounts: raise --top, or use --format csv" if left else "",
        empty="no position",
    )


def _ranked(positions: Sequence[Position]) -> list[tuple[str, str]]:
    owners: dict[tuple[str, str], _Owner] = {}
    for position in positions:
        key = (position.deployment, position.account)
        owner, usd = owners.get(key, _Owner()), _usd(position) or 0.0
        if position.side is Side.DEBT:
            owners[key] = _Owner(owner.debt_usd + usd, owner.assets_usd)
        else:
            owners[key] = _Owner(owner.debt_usd, owner.assets_usd + usd)
    return sorted(owners, key=lambda key: (-owners[key].debt_usd, -owners[key].assets_usd, key))


def _usd(position: Position) -> float | None:
    if position.price_usd is None:
        return None
    return float(position.balance_raw / 10**position.decimals) * position.price_usd


def _row(position: Position, health: float | None) -> tuple[Value, ...]:
    return (
        position.deployment,
        position.account,
        health,
        _SIDES[position.side],
        position.symbol,
        position.balance,
        _usd(position),
        position.asset,
        str(position.balance_raw),
    )
