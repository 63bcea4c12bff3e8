"""What shares of ERC-4626 vaults are worth at a block."""

from __future__ import annotations

from defirisk.core.adapter import Snapshot
from defirisk.protocols.vault_shares import SharePrice, share_price
from defirisk.protocols.vaults_now import VaultNow, Vaults, collected, tokens_of
from defirisk.protocols.wrappers.erc4626.rows import TotalAssets, Totals, Vault


def vaults_now(snapshot: Snapshot) -> Vaults:
    """Every vault that has done or said anything by then."""
    found = {vault.vault: _vault_now(snapshot, vault) for vault in snapshot.rows.all(Vault)}
    return collected(snapshot, found)


def _vault_now(snapshot: Snapshot, vault: Vault) -> VaultNow | str | None:
    """The vault, or why it is left out; None where it has neither done nor said anything."""
    known = snapshot.rows.find(Totals, vault.vault)
    read = snapshot.rows.find(TotalAssets, vault.vault)
    if known is None and read is None:
        return None
    totals = known or Totals(vault=vault.vault)
    tokens = tokens_of(snapshot, vault.vault, vault.asset)
    if tokens is None:
        return "no-decimals"
    supply = totals.total_supply_raw
    if read is not None and read.read_block == snapshot.block.number:
        exact = read.answered and vault.virtual_shares_raw >= 0
        price = _read_price(vault, supply, read)
        total, grade = read.total_assets_raw, "read"
    else:
        exact, grade = False, "logs"
        price = _latest_price(totals, read)
        total = price.to_assets(supply) if price else 0
    if price is None:
        return "no-rate"
    share, asset = tokens
    return VaultNow(
        share=share,
        asset=asset,
        total_supply_raw=supply,
        total_assets_raw=total,
        price=price,
        exact=exact,
        grade="read" if grade == "read" else "logs",
    )


def _read_price(vault: Vault, supply: int, read: TotalAssets) -> SharePrice | None:
    """By the vault's own formula; where that is not known, as a sample converted."""
    if not read.answered:
        return None
    if vault.virtual_shares_raw >= 0:
        return share_price(read.total_assets_raw, supply, vault.virtual_shares_raw)
    return _sample(read)


def _latest_price(totals: Totals, read: TotalAssets | None) -> SharePrice | None:
    """As the last large deposit or withdrawal was settled, or as it was read since."""
    if read is not None and read.read_block >= totals.traded_block:
        return _sample(read) if read.answered else None
    if totals.traded_shares_raw:
        return SharePrice(totals.traded_assets_raw, totals.traded_shares_raw)
    return None


def _sample(read: TotalAssets) -> SharePrice | None:
    known = read.sample_shares_raw > 0
    return SharePrice(read.sample_assets_raw, read.sample_shares_raw) if known else None
