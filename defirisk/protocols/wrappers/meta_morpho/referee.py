"""What a vault and Morpho themselves answer: every number of ours with the view that decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from defirisk.core.adapter import Contract, Question, Snapshot, View
from defirisk.protocols import vaults_now as general
from defirisk.protocols.wrappers.meta_morpho.rows import (
    Cap,
    Lent,
    Queues,
    ShareBalance,
    TotalAssets,
    Totals,
    Vault,
)
from defirisk.protocols.wrappers.meta_morpho.worth import vaults_now

MORPHO = "morpho"
"""The role of the singleton behind a vault, which is the contract's `subject`."""


def questions(snapshot: Snapshot) -> Iterator[Question]:
    """Holders and settings by logs; what the vault holds, and where, as it was read."""
    rows, block = snapshot.rows, snapshot.block.number
    balances: dict[str, list[ShareBalance]] = defaultdict(list)
    for balance in rows.all(ShareBalance):
        balances[balance.vault].append(balance)
    counted = vaults_now(snapshot).counted
    for vault in rows.all(Vault):
        totals = rows.find(Totals, vault.vault)
        if totals is not None:
            held = balances[vault.vault]
            yield from general.supply_questions(vault.vault, totals.total_supply_raw, held)
            yield from _settings(snapshot, totals)
        yield from general.read_questions(rows.find(TotalAssets, vault.vault), block)
        if vault.vault in counted:
            yield from general.worth_questions(counted[vault.vault], balances[vault.vault])
        yield from _lent(snapshot, vault)


def market_view(vault: str, morpho: str, function: str, market: str) -> View:
    """`position` or `market` of one market, asked for one vault."""
    contract = Contract(address=morpho, role=MORPHO, first_block=0, subject=vault)
    raw = bytes.fromhex(market.removeprefix("0x"))
    return View(contract, function, (raw, vault) if function == "position" else (raw,))


def _settings(snapshot: Snapshot, totals: Totals) -> Iterator[Question]:
    contract = Contract(address=totals.vault, role=general.VAULT, first_block=0)
    queues = snapshot.rows.find(Queues, totals.vault) or Queues(vault=totals.vault)
    asked = [
        (View(contract, "lastTotalAssets"), totals.last_total_assets_raw),
        (View(contract, "fee"), totals.fee_wad),
        (View(contract, "supplyQueueLength"), len(queues.supply_queue.split())),
        (View(contract, "withdrawQueueLength"), len(queues.withdraw_queue.split())),
    ]
    for cap in snapshot.rows.all(Cap):
        if cap.vault == totals.vault:
            raw = bytes.fromhex(cap.market_id.removeprefix("0x"))
            asked.append((View(contract, "config", (raw,)), cap.cap_raw))
    for view, ours in asked:
        word = "cap" if view.function == "config" else view.function
        yield Question(subject=totals.vault, view=view, fields=(word,), ours=(ours,))


def _lent(snapshot: Snapshot, vault: Vault) -> Iterator[Question]:
    for lent in snapshot.rows.all(Lent):
        if lent.vault == vault.vault and lent.read_block == snapshot.block.number:
            subject = f"{lent.vault} {lent.market_id}"
            totals = (lent.total_supply_assets_raw, lent.total_supply_shares_raw)
            yield Question(
                subject=subject,
                view=market_view(vault.vault, vault.morpho, "position", lent.market_id),
                fields=("supplyShares",),
                ours=(lent.supply_shares_raw,),
                grade="read",
            )
            yield Question(
                subject=subject,
                view=market_view(vault.vault, vault.morpho, "market", lent.market_id),
                fields=("totalSupplyAssets", "totalSupplyShares"),
                ours=totals,
                grade="read",
            )
