"""What shares of MetaMorpho are worth at a block, and where the vault has lent.

Source: `_accruedFeeShares` and `_convertToAssetsWithTotals` of MetaMorpho, `SharesMathLib` of
@morpho-org/morpho-blue 1.0.0.
"""

from __future__ import annotations

from collections.abc import Iterator

from defirisk.core.adapter import Snapshot
from defirisk.core.claim import Allocation
from defirisk.protocols.vault_shares import MAX_OFFSET, SharePrice
from defirisk.protocols.vaults_now import VaultNow, Vaults, collected, tokens_of
from defirisk.protocols.wrappers.meta_morpho.rows import (
    Cap,
    Lent,
    Queues,
    TotalAssets,
    Totals,
    Vault,
)

WAD = 10**18
_MORPHO_VIRTUAL_SHARES, _MORPHO_VIRTUAL_ASSETS = 10**6, 1


def price_by_totals(totals: Totals, total_assets: int, decimals_offset: int) -> SharePrice | None:
    """The price once the fee on what was earned since the last booking is taken, in shares.

    None where the contract would revert, a fee being more than everything.
    """
    if not 0 <= decimals_offset <= MAX_OFFSET:
        return None
    earned = max(0, total_assets - totals.last_total_assets_raw)
    fee_assets = earned * totals.fee_wad // WAD
    if fee_assets > total_assets:
        return None
    virtual = 10**decimals_offset
    left = total_assets - fee_assets + 1
    fee_shares = fee_assets * (totals.total_supply_raw + virtual) // left
    return SharePrice(total_assets + 1, totals.total_supply_raw + fee_shares + virtual)


def booked(lent: Lent) -> int:
    """What a market owed the vault when its interest was last booked: `toAssetsDown`."""
    assets = lent.total_supply_assets_raw + _MORPHO_VIRTUAL_ASSETS
    return (
        lent.supply_shares_raw * assets // (lent.total_supply_shares_raw + _MORPHO_VIRTUAL_SHARES)
    )


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
    of_now = read is not None and read.read_block == snapshot.block.number
    exact, from_logs, total = False, False, 0
    price = None
    if read is not None and of_now:
        exact, total = read.answered and vault.conforms, read.total_assets_raw
        if exact:
            price = price_by_totals(totals, total, vault.decimals_offset)
    elif read is None or read.read_block < totals.last_total_block:
        from_logs, total = True, totals.last_total_assets_raw
        price = price_by_totals(totals, total, vault.decimals_offset)
    if price is None and read is not None and read.answered and read.sample_shares_raw:
        price = SharePrice(read.sample_assets_raw, read.sample_shares_raw)
        total = total or price.to_assets(totals.total_supply_raw)
    if price is None:
        return "no-rate"
    share, asset = tokens
    return VaultNow(
        share=share,
        asset=asset,
        total_supply_raw=totals.total_supply_raw,
        total_assets_raw=total,
        price=price,
        exact=exact,
        grade="logs" if from_logs else "read",
        allocations=tuple(_allocations(snapshot, vault.vault)),
    )


def _allocations(snapshot: Snapshot, vault: str) -> Iterator[Allocation]:
    """By market, in the order in which the vault withdraws."""
    queues = snapshot.rows.find(Queues, vault)
    for market in queues.withdraw_queue.split() if queues else ():
        lent = snapshot.rows.find(Lent, vault, market)
        cap = snapshot.rows.find(Cap, vault, market)
        yield Allocation(
            market=market,
            assets_raw=booked(lent) if lent else 0,
            cap_raw=cap.cap_raw if cap else None,
        )
