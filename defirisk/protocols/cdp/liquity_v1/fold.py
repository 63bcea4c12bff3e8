"""Logs of a Liquity v1, applied to its rows.

Source: `TroveManager`, `TroveManagerRedeemOps` (called as the manager's own code, so its logs are
the manager's), `BorrowerOperations`, `StabilityPool` and the pools of npm @sovryn-zero/contracts
0.4.0. Liquity's own events differ in the token's name only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from defirisk.core.adapter import Log
from defirisk.core.row import Key, Row, State
from defirisk.protocols.cdp.liquity_v1.rows import (
    ACTIVE,
    CLOSED_BY_LIQUIDATION,
    CLOSED_BY_OWNER,
    CLOSED_BY_REDEMPTION,
    Deposit,
    PoolSums,
    PriceFeed,
    StabilityPool,
    Surplus,
    System,
    Trove,
)

Touched = list[tuple[type[Row], Key]]
OPEN_TROVE, CLOSE_TROVE, ADJUST_TROVE = range(3)
"""`BorrowerOperations.BorrowerOperation`."""
APPLY_PENDING, LIQUIDATE_NORMAL, LIQUIDATE_RECOVERY, REDEEM = range(4)
"""`TroveManagerBase.TroveManagerOperation`."""


class On(NamedTuple):
    """What happens on one event: the keys it needs, and what it does to their rows."""

    keys: Callable[[Log], Touched]
    apply: Callable[[Log, State], None]


def _system_of(log: Log) -> str:
    """The trove manager: itself, or the contract's subject."""
    return log.contract.subject or log.contract.address


def _system_keys(log: Log) -> Touched:
    return [(System, (_system_of(log),))]


def _pool_keys(log: Log) -> Touched:
    return [(StabilityPool, (log.contract.address,))]


def _sets(keys: Callable[[Log], Touched], **columns: str) -> On:
    """Columns of the one row that `keys` names, each from an argument of the event."""

    def apply(log: Log, state: State) -> None:
        ((row_type, key),) = keys(log)
        row: Any = state.get(row_type, *key)
        state.put(replace(row, **{column: log.args[name] for column, name in columns.items()}))

    return On(keys, apply)


def _trove_keys(log: Log) -> Touched:
    return [(Trove, (log.args["_borrower"],)), (System, (_system_of(log),))]


def _stated(log: Log, state: State) -> Trove:
    """The trove as the event states it."""
    args = log.args
    return replace(
        state.get(Trove, args["_borrower"]),
        debt_raw=args["_debt"],
        coll_raw=args["_coll"],
        stake_raw=args["_stake"],
        status=ACTIVE,
    )


def _with_all_pending(log: Log, state: State) -> Trove:
    """Likewise, with everything in it that was redistributed until now."""
    system = state.get(System, _system_of(log))
    return replace(
        _stated(log, state),
        l_coll_snapshot_wad=system.l_coll_wad,
        l_debt_snapshot_wad=system.l_debt_wad,
    )


def _updated_by_owner(log: Log, state: State) -> None:
    operation = log.args["_operation"]
    if operation == CLOSE_TROVE:
        state.put(Trove(borrower=log.args["_borrower"], status=CLOSED_BY_OWNER))
    elif operation == OPEN_TROVE:
        state.put(_with_all_pending(log, state))
    else:
        # Where something was pending, the manager has said so just before.
        state.put(_stated(log, state))


def _updated_by_others(log: Log, state: State) -> None:
    operation, borrower = log.args["_operation"], log.args["_borrower"]
    if operation == APPLY_PENDING:
        state.put(_with_all_pending(log, state))
    elif operation in (LIQUIDATE_NORMAL, LIQUIDATE_RECOVERY):
        state.put(Trove(borrower=borrower, status=CLOSED_BY_LIQUIDATION))
    elif log.args["_debt"] == 0:
        # The least that a redemption leaves of a trove is its smallest debt.
        state.put(Trove(borrower=borrower, status=CLOSED_BY_REDEMPTION))
    else:
        state.put(_stated(log, state))


def _sums_keys(log: Log) -> Touched:
    return [(PoolSums, (log.contract.address, log.args["_epoch"], log.args["_scale"]))]


def _deposit_keys(log: Log) -> Touched:
    return [(Deposit, (log.args["_depositor"],))]


def _deposit_and_pool(log: Log) -> Touched:
    return [*_deposit_keys(log), *_pool_keys(log)]


def _deposit_snapshot(log: Log, state: State) -> None:
    """The event leaves out epoch and scale: they are the pool's, or 0 where nothing is left."""
    args, pool = log.args, state.get(StabilityPool, log.contract.address)
    left = args["_P"] != 0
    state.put(
        replace(
            state.get(Deposit, args["_depositor"]),
            p_wad=args["_P"],
            s=args["_S"],
            g=args["_G"],
            epoch=pool.epoch if left else 0,
            scale=pool.scale if left else 0,
        )
    )


def _surplus_keys(log: Log) -> Touched:
    return [(Surplus, (log.args["_account"],))]


def _price_feed_keys(log: Log) -> Touched:
    return [(PriceFeed, (log.contract.address,))]


def _asks_another(log: Log, state: State) -> None:
    row, address = state.get(PriceFeed, log.contract.address), log.args["newPriceFeedAddress"]
    changes: dict[str, Any] = {"backup" if log.args["index"] else "main": address}
    state.put(replace(row, **changes))


ADDRESSES = {
    "BorrowerOperationsAddressChanged": ("borrower_operations", "_newBorrowerOperationsAddress"),
    "ActivePoolAddressChanged": ("active_pool", "_activePoolAddress"),
    "DefaultPoolAddressChanged": ("default_pool", "_defaultPoolAddress"),
    "StabilityPoolAddressChanged": ("stability_pool", "_stabilityPoolAddress"),
    "CollSurplusPoolAddressChanged": ("coll_surplus_pool", "_collSurplusPoolAddress"),
    "PriceFeedAddressChanged": ("price_feed", "_newPriceFeedAddress"),
    "ZUSDTokenAddressChanged": ("debt_token", "_newZUSDTokenAddress"),
    "LUSDTokenAddressChanged": ("debt_token", "_newLUSDTokenAddress"),
}
"""By the manager's event: the role of the contract it names, and the argument."""

EVENTS: dict[str, dict[str, On]] = {
    "trove_manager": {
        "TroveUpdated": On(_trove_keys, _updated_by_others),
        "LTermsUpdated": _sets(_system_keys, l_coll_wad="_L_ETH", l_debt_wad="_L_ZUSDDebt"),
        "BaseRateUpdated": _sets(_system_keys, base_rate_wad="_baseRate"),
        "LastFeeOpTimeUpdated": _sets(_system_keys, last_fee_operation_ts="_lastFeeOpTime"),
        "SystemSnapshotsUpdated": _sets(
            _system_keys,
            total_stakes_snapshot_raw="_totalStakesSnapshot",
            total_collateral_snapshot_raw="_totalCollateralSnapshot",
        ),
        **{
            event: _sets(_system_keys, **{role: argument})
            for event, (role, argument) in ADDRESSES.items()
        },
    },
    "borrower_operations": {"TroveUpdated": On(_trove_keys, _updated_by_owner)},
    "active_pool": {
        "ActivePoolETHBalanceUpdated": _sets(_system_keys, active_coll_raw="_ETH"),
        "ActivePoolZUSDDebtUpdated": _sets(_system_keys, active_debt_raw="_debt"),
        "ActivePoolLUSDDebtUpdated": _sets(_system_keys, active_debt_raw="_debt"),
    },
    "default_pool": {
        "DefaultPoolETHBalanceUpdated": _sets(_system_keys, default_coll_raw="_ETH"),
        "DefaultPoolZUSDDebtUpdated": _sets(_system_keys, default_debt_raw="_debt"),
        "DefaultPoolLUSDDebtUpdated": _sets(_system_keys, default_debt_raw="_debt"),
    },
    "stability_pool": {
        "UserDepositChanged": _sets(_deposit_keys, initial_raw="_newDeposit"),
        "DepositSnapshotUpdated": On(_deposit_and_pool, _deposit_snapshot),
        "P_Updated": _sets(_pool_keys, p_wad="_P"),
        "S_Updated": _sets(_sums_keys, s="_S"),
        "G_Updated": _sets(_sums_keys, g="_G"),
        "EpochUpdated": _sets(_pool_keys, epoch="_currentEpoch"),
        "ScaleUpdated": _sets(_pool_keys, scale="_currentScale"),
        "StabilityPoolETHBalanceUpdated": _sets(_pool_keys, coll_raw="_newBalance"),
        "StabilityPoolZUSDBalanceUpdated": _sets(_pool_keys, deposits_raw="_newBalance"),
        "StabilityPoolLUSDBalanceUpdated": _sets(_pool_keys, deposits_raw="_newBalance"),
    },
    "coll_surplus_pool": {"CollBalanceUpdated": _sets(_surplus_keys, coll_raw="_newBalance")},
    "price_feed": {
        "LastGoodPriceUpdated": _sets(_price_feed_keys, last_good_price_wad="_lastGoodPrice"),
        "PriceFeedUpdated": On(_price_feed_keys, _asks_another),
    },
}
"""What happens on every event that matters, by the role of the contract that emits it."""


def touches(log: Log) -> Touched:
    """The keys that `fold` reads or writes for a log."""
    return EVENTS[log.contract.role][log.event].keys(log)


def fold(log: Log, state: State) -> None:
    """Applies a log to the rows it touches."""
    EVENTS[log.contract.role][log.event].apply(log, state)
