"""Vaults of Morpho's API and what they lend where, in tokens of `imported_vaults.PLACES` decimals.

A vault whose shares a file does not tell has one share for each token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from defirisk.imports.judging import (
    Line,
    Refused,
    Statements,
    first,
    identity,
    name,
    number,
    shown,
    stated,
    whole,
)
from defirisk.imports.morpho_layouts import ALLOCATIONS, VAULTS
from defirisk.imports.reading import Sheet
from defirisk.protocols.wrappers.imported_vaults import PLACES, ImportedAllocation, ImportedVault

SHARE_DECIMALS = 18
_SHORT = (6, 4)


@dataclass(slots=True)
class _Vault:
    """What the files say of one vault."""

    name: str
    asset: str
    total: Fraction
    shares: Fraction | None
    lent: dict[str, Fraction] = field(default_factory=dict)


def read_vaults(
    found: Statements, sheets: Sequence[Sheet], prices: Mapping[str, Fraction]
) -> dict[str, str]:
    """Adds every vault and its allocations; returns the vaults' names by their addresses."""
    whole_vaults = _whole(found, sheets, prices)
    single = _single(found, sheets)
    every = whole_vaults | {a: one for a, one in single.items() if a not in whole_vaults}
    twice = [one.name for one in every.values()]
    names = {
        address: one.name if twice.count(one.name) == 1 else f"{one.name} ({_short(address)})"
        for address, one in every.items()
    }
    for address, one in every.items():
        total = _raw(one.total)
        shares = total if one.shares is None else _raw(one.shares)
        row = ImportedVault(
            vault=names[address], asset=one.asset, total_assets_raw=total, total_shares_raw=shares
        )
        found.add(names[address], row)
        for market, amount in one.lent.items():
            if raw := _raw(amount):
                lent = ImportedAllocation(vault=names[address], market=market, assets_raw=raw)
                found.add(names[address], lent)
    return names


def _whole(
    found: Statements, sheets: Sequence[Sheet], prices: Mapping[str, Fraction]
) -> dict[str, _Vault]:
    """Vaults with all that they lend, in dollars."""
    vaults: dict[str, _Vault] = {}
    seen: dict[tuple[str, str], Line] = {}
    for where, cells in stated(sheets, ALLOCATIONS):
        try:
            address, market = _place(cells, "market_unique_key")
            first(seen, (address, market), where)
            asset = identity(name("loan_symbol", cells["loan_symbol"]))
            if asset not in prices:
                raise Refused(f"no market of these files says what {shown(asset)} costs")
            total = number("vault_total_usd", cells["vault_total_usd"]) / prices[asset]
            usd = number("supply_assets_usd", cells["supply_assets_usd"])
            one = vaults.setdefault(address, _Vault(cells["vault_name"], asset, total, None))
            if (one.asset, one.total) != (asset, total):
                raise Refused(f"vault {shown(one.name)} has another asset or total in another row")
        except Refused as reason:
            found.refuse(where, reason)
            continue
        one.lent[market] = usd / prices[asset]
    return vaults


def _single(found: Statements, sheets: Sequence[Sheet]) -> dict[str, _Vault]:
    """Vaults with some of their markets, in base units."""
    vaults: dict[str, _Vault] = {}
    seen: dict[tuple[str, str], Line] = {}
    for where, cells in stated(sheets, VAULTS):
        try:
            address, market = _place(cells, "market_id")
            first(seen, (address, market), where)
            asset = identity(name("deposit_asset_symbol", cells["deposit_asset_symbol"]))
            unit = Fraction(10) ** whole("deposit_asset_decimals", cells["deposit_asset_decimals"])
            total = whole("vault_total_assets", cells["vault_total_assets"]) / unit
            column = "vault_total_supply_shares"
            shares = Fraction(whole(column, cells[column] or "0"), 10**SHARE_DECIMALS)
            lent = whole("supply_assets", cells["supply_assets"]) / unit
        except Refused as reason:
            found.refuse(where, reason)
            continue
        one = vaults.setdefault(address, _Vault(cells["vault_name"], asset, total, shares))
        one.lent[market] = lent
    return vaults


def _place(cells: Mapping[str, str], market: str) -> tuple[str, str]:
    name("vault_name", cells["vault_name"])
    address = identity(name("vault_address", cells["vault_address"]))
    return address, name(market, cells[market])


def _raw(amount: Fraction) -> int:
    scaled = amount * 10**PLACES
    return int(scaled.numerator // scaled.denominator)


def _short(address: str) -> str:
    begin, end = _SHORT
    return f"{address[:begin]}…{address[-end:]}"
