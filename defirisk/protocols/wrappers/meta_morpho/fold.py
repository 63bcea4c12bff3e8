"""Logs of MetaMorpho, applied to its rows. Source: see the adapter.

What the vault has lent to each market is not among them: deposits and withdrawals say so only in
Morpho's own logs, which are those of every market and account of a chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from defirisk.core.adapter import Log
from defirisk.core.row import Key, Row, State
from defirisk.protocols.vault_shares import added, balance_changes
from defirisk.protocols.wrappers.meta_morpho.rows import Cap, Queues, ShareBalance, Totals

EVENTS = (
    "Transfer",
    "SetFee",
    "SetCap",
    "SetSupplyQueue",
    "SetWithdrawQueue",
    "UpdateLastTotalAssets",
)
MAX_QUEUE_LENGTH = 30
"""`ConstantsLib.MAX_QUEUE_LENGTH`. What else answers as MetaMorpho does might name any number."""
_QUEUES = {
    "SetSupplyQueue": ("supply_queue", "newSupplyQueue"),
    "SetWithdrawQueue": ("withdraw_queue", "newWithdrawQueue"),
}


def touches(log: Log) -> list[tuple[type[Row], Key]]:
    """The rows that a log reads or writes."""
    vault = log.contract.address
    if log.event == "SetCap":
        return [(Cap, (vault, market_id(log.args["id"])))]
    if log.event in _QUEUES:
        return [(Queues, (vault,))]
    found: list[tuple[type[Row], Key]] = [(Totals, (vault,))]
    if log.event == "Transfer":
        found += [(ShareBalance, (vault, log.args[side])) for side in ("from", "to")]
    return found


def fold(log: Log, state: State) -> None:
    """Applies a log to the rows it touches."""
    vault = log.contract.address
    if log.event == "SetCap":
        market = market_id(log.args["id"])
        state.put(Cap(vault=vault, market_id=market, cap_raw=log.args["cap"]))
    elif log.event in _QUEUES:
        column, argument = _QUEUES[log.event]
        ids = " ".join(_first(log.args[argument]))
        queues = state.get(Queues, vault)
        if column == "supply_queue":
            state.put(replace(queues, supply_queue=ids))
        else:
            state.put(replace(queues, withdraw_queue=ids))
    else:
        _fold_totals(log, state)


def _fold_totals(log: Log, state: State) -> None:
    vault = log.contract.address
    totals = state.get(Totals, vault)
    if log.event == "SetFee":
        state.put(replace(totals, fee_wad=log.args["newFee"]))
    elif log.event == "UpdateLastTotalAssets":
        booked = replace(totals, last_total_assets_raw=log.args["updatedTotalAssets"])
        state.put(replace(booked, last_total_block=log.block_number))
    else:
        changes, minted = balance_changes(log.args)
        for account, change in changes:
            held = state.get(ShareBalance, vault, account)
            state.put(replace(held, balance_raw=added(held.balance_raw, change)))
        supply = added(totals.total_supply_raw, minted)
        state.put(replace(totals, total_supply_raw=supply))


def market_id(raw: bytes) -> str:
    """The id of a market as it is written everywhere else."""
    return "0x" + raw.hex()


def _first(ids: Sequence[bytes]) -> list[str]:
    return [market_id(one) for one in ids[:MAX_QUEUE_LENGTH]]
