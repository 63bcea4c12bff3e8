"""Events of the PoolConfigurator.

Source: `IPoolConfigurator` of @aave-dao/aave-v3-origin 3.6.0, and of @aave/core-v3 1.19.3 for those
that came to an end: the one efficiency mode of a reserve, stable rates, unbacked mints.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from defirisk.core.adapter import Log
from defirisk.core.row import State
from defirisk.protocols.lending.aave_v3.fold.events import Handler, On, by
from defirisk.protocols.lending.aave_v3.rows import EModeAsset, EModeCategory, Reserve


def _reserve_initialized(log: Log, state: State) -> None:
    args = log.args
    # Replaces what an earlier, dropped listing of the same asset left behind.
    state.put(
        Reserve(
            asset=args["asset"],
            a_token=args["aToken"],
            variable_debt_token=args["variableDebtToken"],
            interest_rate_strategy=args["interestRateStrategyAddress"],
            active=True,
        )
    )


def _set(**columns: str) -> Handler:
    """Writes arguments of the event into columns of its reserve: `column="argument"`."""

    def handle(log: Log, state: State) -> None:
        changes: dict[str, Any] = {column: log.args[name] for column, name in columns.items()}
        state.put(replace(state.get(Reserve, log.args["asset"]), **changes))

    return handle


def _reserve_dropped(log: Log, state: State) -> None:
    reserve = state.get(Reserve, log.args["asset"])
    state.put(replace(reserve, dropped=True, active=False))


def _grace_period_disabled(log: Log, state: State) -> None:
    state.put(replace(state.get(Reserve, log.args["asset"]), grace_period_until_ts=0))


def _interest_rate_data_changed(log: Log, state: State) -> None:
    # abi.encode(uint16 optimal, uint32 base, uint32 slope1, uint32 slope2), in bps
    data: bytes = log.args["data"]
    if len(data) != 128:
        return  # another strategy's format: its parameters stay unknown
    optimal, base, slope1, slope2 = (
        int.from_bytes(data[at : at + 32], "big") for at in range(0, 128, 32)
    )
    state.put(
        replace(
            state.get(Reserve, log.args["asset"]),
            optimal_usage_bps=optimal,
            base_rate_bps=base,
            slope1_bps=slope1,
            slope2_bps=slope2,
        )
    )


def _emode_category_added(log: Log, state: State) -> None:
    args = log.args
    state.put(
        EModeCategory(
            category_id=args["categoryId"],
            ltv_bps=args["ltv"],
            liquidation_threshold_bps=args["liquidationThreshold"],
            liquidation_bonus_bps=args["liquidationBonus"],
            price_source=args["oracle"],
            label=args["label"],
        )
    )


def _set_in_emode(column: str, name: str) -> Handler:
    def handle(log: Log, state: State) -> None:
        row = state.get(EModeAsset, log.args["categoryId"], log.args["asset"])
        changes: dict[str, Any] = {column: log.args[name]}
        state.put(replace(row, **changes))

    return handle


_RESERVE_EVENTS: dict[str, Handler] = {
    "ReserveInitialized": _reserve_initialized,
    "ReserveDropped": _reserve_dropped,
    "CollateralConfigurationChanged": _set(
        ltv_bps="ltv",
        liquidation_threshold_bps="liquidationThreshold",
        liquidation_bonus_bps="liquidationBonus",
    ),
    "PendingLtvChanged": _set(pending_ltv_bps="ltv"),
    "ReserveBorrowing": _set(borrowing_enabled="enabled"),
    "ReserveFlashLoaning": _set(flash_loan_enabled="enabled"),
    "ReserveActive": _set(active="active"),
    "ReserveFrozen": _set(frozen="frozen"),
    "ReservePaused": _set(paused="paused"),
    "ReserveFactorChanged": _set(reserve_factor_bps="newReserveFactor"),
    "BorrowCapChanged": _set(borrow_cap="newBorrowCap"),
    "SupplyCapChanged": _set(supply_cap="newSupplyCap"),
    "LiquidationProtocolFeeChanged": _set(liquidation_protocol_fee_bps="newFee"),
    "DebtCeilingChanged": _set(debt_ceiling="newDebtCeiling"),
    "SiloedBorrowingChanged": _set(siloed_borrowing="newState"),
    "EModeAssetCategoryChanged": _set(emode_category_id="newCategoryId"),
    "ReserveStableRateBorrowing": _set(stable_borrowing_enabled="enabled"),
    "UnbackedMintCapChanged": _set(unbacked_mint_cap="newUnbackedMintCap"),
    "BorrowableInIsolationChanged": _set(borrowable_in_isolation="borrowable"),
    "LiquidationGracePeriodChanged": _set(grace_period_until_ts="gracePeriodUntil"),
    "LiquidationGracePeriodDisabled": _grace_period_disabled,
    "ReserveInterestRateStrategyChanged": _set(interest_rate_strategy="newStrategy"),
    "ReserveInterestRateDataChanged": _interest_rate_data_changed,
}

EVENTS = {
    **{event: On(by(Reserve, "asset"), apply) for event, apply in _RESERVE_EVENTS.items()},
    "EModeCategoryAdded": On(by(EModeCategory, "categoryId"), _emode_category_added),
    **{
        f"Asset{flag}InEModeChanged": On(
            by(EModeAsset, "categoryId", "asset"), _set_in_emode(flag.lower(), flag.lower())
        )
        for flag in ("Collateral", "Borrowable", "Ltvzero")
    },
}
