"""Vaults that the user imported, and the markets to which they lend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from defirisk.core.adapter import Kind, Snapshot
from defirisk.core.claim import Allocation, Claim
from defirisk.core.imported import ImportedAdapter
from defirisk.core.quote import Conversion, Market, Product
from defirisk.core.row import Row, Wide

PLACES = 18
"""Amounts of a file are in whole tokens; rows and claims are in base units of these decimals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedVault(Row, table="imported_vaults_totals", key=("vault",)):
    """One vault: what it holds of its asset, and its shares, both in `PLACES` decimals."""

    vault: str
    asset: str = ""
    total_assets_raw: Wide = 0
    total_shares_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedAllocation(Row, table="imported_vaults_allocations", key=("vault", "market")):
    """What of a vault's assets is in one market, in `PLACES` decimals."""

    vault: str
    market: str
    assets_raw: Wide = 0


class ImportedVaults(ImportedAdapter):
    """The adapter. A vault's share has the vault's name."""

    name = "imported-vaults"
    kind: Kind = "wrappers"
    source = "files of the user (defirisk import vaults)"
    rows: tuple[type[Row], ...] = (ImportedVault, ImportedAllocation)

    def claims(self, snapshot: Snapshot) -> Iterable[Claim]:
        """The vaults of the file; one without shares is worth nothing to anybody."""
        for row in snapshot.rows.all(ImportedVault):
            shares = row.total_shares_raw
            rate = Fraction(row.total_assets_raw, shares) if shares else None
            yield Claim(
                token=row.vault,
                kind="vault",
                program=Product((Conversion(row.vault, rate), Market(row.asset, None))),
                underlying=row.asset,
                rate=rate,
                total_assets_raw=row.total_assets_raw,
                supply_raw=shares,
                decimals=PLACES,
                allocations=tuple(
                    Allocation(market=one.market, assets_raw=one.assets_raw)
                    for one in snapshot.rows.all(ImportedAllocation)
                    if one.vault == row.vault
                ),
            )


ADAPTER = ImportedVaults()
