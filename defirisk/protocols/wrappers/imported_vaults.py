"""Vaults that the user imported, and the markets to which they lend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from defirisk.core.adapter import Kind, Snapshot
from defirisk.core.claim import Allocation, Claim
from defirisk.core.imported import ImportedAdapter
from defirisk.core.quote import Conversion, Market, Product
from defirisk.core.row import Row

PLACES = 18
"""Amounts of a file are in whole tokens; claims are in base units of this many decimals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedVault(Row, table="imported_vaults", key=("vault",)):
    """One vault: whole tokens of its asset and whole shares, as decimal text."""

    vault: str
    asset: str = ""
    total_assets: str = "0"
    total_shares: str = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedAllocation(Row, table="imported_vault_allocations", key=("vault", "market")):
    """What of a vault's assets is in one market: whole tokens, as decimal text."""

    vault: str
    market: str
    amount: str = "0"


class ImportedVaults(ImportedAdapter):
    """The adapter. A vault's share has the vault's name."""

    name = "imported-vaults"
    kind: Kind = "wrappers"
    source = "files of the user (defirisk import vaults)"
    rows: tuple[type[Row], ...] = (ImportedVault, ImportedAllocation)

    def claims(self, snapshot: Snapshot) -> Iterable[Claim]:
        """The vaults of the file; one without shares is worth nothing to anybody."""
        for row in snapshot.rows.all(ImportedVault):
            assets, shares = number(row.total_assets), number(row.total_shares)
            rate = assets / shares if shares else None
            yield Claim(
                token=row.vault,
                kind="vault",
                program=Product((Conversion(row.vault, rate), Market(row.asset, None))),
                underlying=row.asset,
                rate=rate,
                total_assets_raw=_raw(assets),
                supply_raw=_raw(shares),
                allocations=tuple(
                    Allocation(market=one.market, assets_raw=_raw(number(one.amount)))
                    for one in snapshot.rows.all(ImportedAllocation)
                    if one.vault == row.vault
                ),
            )


def number(text: str) -> Fraction:
    """The exact value of the decimal text that an import has let pass."""
    return Fraction(Decimal(text))


def _raw(amount: Fraction) -> int:
    return int(amount * 10**PLACES)


ADAPTER = ImportedVaults()
