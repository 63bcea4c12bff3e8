"""Vaults from files, and to which markets they lend."""

from __future__ import annotations

from collections.abc import Sequence

from defirisk.core.errors import UsageError
from defirisk.imports.judging import (
    ImportKind,
    Line,
    Refused,
    Statements,
    amount,
    first,
    identity,
    name,
    shown,
    stated,
)
from defirisk.imports.reading import Layout, Sheet
from defirisk.protocols.wrappers.imported_vaults import PLACES, ImportedAllocation, ImportedVault

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
    assets: dict[str, int] = {}
    seen: dict[str, Line] = {}
    for where, cells in stated(sheets, VAULTS):
        try:
            row, total, cut = _vault(cells)
            first(seen, row.vault, where)
        except Refused as reason:
            found.refuse(where, reason)
            continue
        assets[row.vault] = total
        found.cut_amounts += cut
        found.add(row.vault, row)
    _read_allocations(found, sheets, assets)
    return found.sorted(sheets)


def _vault(cells: dict[str, str]) -> tuple[ImportedVault, int, int]:
    """The row, its assets in base units, and how many of its amounts were cut."""
    vault, asset = (identity(name(column, cells[column])) for column in ("vault", "asset"))
    if vault == asset:
        raise Refused(f"{shown(vault)} cannot hold its own shares only")
    total, cut = amount("total_assets", cells["total_assets"], PLACES)
    shares, cut_shares = amount("total_shares", cells["total_shares"], PLACES)
    if cut_shares and not shares:
        raise Refused(f"total_shares {cells['total_shares']} is less than {PLACES} decimals show")
    row = ImportedVault(vault=vault, asset=asset, total_assets_raw=total, total_shares_raw=shares)
    return row, total, cut + cut_shares


def _read_allocations(found: Statements, sheets: Sequence[Sheet], assets: dict[str, int]) -> None:
    """A vault cannot have lent more than it has."""
    seen: dict[tuple[str, str], Line] = {}
    lent: dict[str, int] = {}
    for where, cells in stated(sheets, ALLOCATIONS):
        try:
            vault, market = (
                identity(name(column, cells[column])) for column in ("vault", "market")
            )
            raw, cut = amount("amount", cells["amount"], PLACES)
            if vault not in assets:
                raise Refused(f"no vaults file has vault {shown(vault)}")
            first(seen, (vault, market), where)
            if lent.get(vault, 0) + raw > assets[vault]:
                raise Refused(f"allocations of {shown(vault)} are more than its total_assets")
        except Refused as reason:
            found.refuse(where, reason)
            continue
        lent[vault] = lent.get(vault, 0) + raw
        found.cut_amounts += cut
        found.add(vault, ImportedAllocation(vault=vault, market=market, assets_raw=raw))


KIND = ImportKind(
    adapter="imported-vaults",
    layouts=(VAULTS, ALLOCATIONS),
    row_types=(ImportedVault, ImportedAllocation),
    read=read_vaults,
)
