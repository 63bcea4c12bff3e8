"""Vaults from files, and to which markets they lend."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from defirisk.core.errors import UsageError
from defirisk.imports.judging import (
    ImportKind,
    Line,
    Refused,
    Statements,
    first,
    name,
    number,
    shown,
    stated,
)
from defirisk.imports.reading import Layout, Sheet
from defirisk.protocols.wrappers.imported_vaults import ImportedAllocation, ImportedVault

VAULTS = Layout(
    name="vaults",
    columns=("vault", "asset", "total_assets", "total_shares"),
    exact=frozenset({"total_assets", "total_shares"}),
)
ALLOCATIONS = Layout(
    name="allocations", columns=("vault", "market", "amount"), exact=frozenset({"amount"})
)


def read_vaults(sheets: Sequence[Sheet]) -> Statements:
    """Every row of the files, judged. Errors: `UsageError` where no file names the vaults."""
    if not any(sheet.layout is VAULTS for sheet in sheets):
        columns = ",".join(VAULTS.columns)
        raise UsageError(f"no file names the vaults: give one with the columns {columns}")
    found = Statements.of(sheets, {ImportedVault: "vaults", ImportedAllocation: "allocations"})
    assets: dict[str, Fraction] = {}
    seen: dict[tuple[str, ...], Line] = {}
    for where, cells in stated(sheets, VAULTS):
        try:
            vault, asset = name("vault", cells["vault"]), name("asset", cells["asset"])
            total = number("total_assets", cells["total_assets"])
            number("total_shares", cells["total_shares"])
            if vault == asset:
                raise Refused(f"{shown(vault)} cannot hold its own shares only")
            first(seen, (vault,), where)
        except Refused as reason:
            found.refuse(where, reason)
            continue
        assets[vault] = total
        found.add(vault, ImportedVault(**cells))
    _read_allocations(found, sheets, assets)
    return found.sorted(sheets)


def _read_allocations(
    found: Statements, sheets: Sequence[Sheet], assets: dict[str, Fraction]
) -> None:
    """A vault cannot have lent more than it has."""
    seen: dict[tuple[str, ...], Line] = {}
    lent: dict[str, Fraction] = {}
    for where, cells in stated(sheets, ALLOCATIONS):
        try:
            vault, market = name("vault", cells["vault"]), name("market", cells["market"])
            amount = number("amount", cells["amount"])
            if vault not in assets:
                raise Refused(f"no vaults file has vault {shown(vault)}")
            first(seen, (vault, market), where)
            if lent.get(vault, Fraction(0)) + amount > assets[vault]:
                raise Refused(f"allocations of {shown(vault)} are more than its total_assets")
        except Refused as reason:
            found.refuse(where, reason)
            continue
        lent[vault] = lent.get(vault, Fraction(0)) + amount
        found.add(vault, ImportedAllocation(**cells))


KIND = ImportKind(
    adapter="imported-vaults",
    layouts=(VAULTS, ALLOCATIONS),
    row_types=(ImportedVault, ImportedAllocation),
    read=read_vaults,
)
