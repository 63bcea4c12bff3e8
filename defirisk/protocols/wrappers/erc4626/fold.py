"""Logs of ERC-4626 vaults, applied to their rows.

Source: IERC4626 and ERC20 of @openzeppelin/contracts 5.1.0.
"""

from __future__ import annotations

from dataclasses import replace

from defirisk.core.adapter import Log
from defirisk.core.row import Key, Row, State
from defirisk.protocols.vault_shares import added, balance_changes
from defirisk.protocols.wrappers.erc4626.rows import ShareBalance, Totals

EVENTS = ("Transfer", "Deposit", "Withdraw")
LEAST_TRADED = 10**6
"""Base units: what is less is rounded too much to tell a rate, unless nothing better is known."""


def touches(log: Log) -> list[tuple[type[Row], Key]]:
    """The rows that a log reads or writes."""
    vault = log.contract.address
    found: list[tuple[type[Row], Key]] = [(Totals, (vault,))]
    if log.event == "Transfer":
        found += [(ShareBalance, (vault, log.args[side])) for side in ("from", "to")]
    return found


def fold(log: Log, state: State) -> None:
    """Applies a log to the rows it touches."""
    vault = log.contract.address
    totals = state.get(Totals, vault)
    if log.event == "Transfer":
        changes, minted = balance_changes(log.args)
        for account, change in changes:
            held = state.get(ShareBalance, vault, account)
            state.put(replace(held, balance_raw=added(held.balance_raw, change)))
        if minted:
            supply = added(totals.total_supply_raw, minted)
            state.put(replace(totals, total_supply_raw=supply))
        return
    assets, shares = log.args["assets"], log.args["shares"]
    known = min(totals.traded_assets_raw, totals.traded_shares_raw)
    if min(assets, shares) >= min(LEAST_TRADED, max(1, known)):
        traded = replace(totals, traded_assets_raw=assets, traded_shares_raw=shares)
        state.put(replace(traded, traded_block=log.block_number))
