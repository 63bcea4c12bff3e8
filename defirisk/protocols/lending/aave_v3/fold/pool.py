"""Events of the Pool.

Source: `IPool` of @aave-dao/aave-v3-origin 3.6.0, and of @aave/core-v3 1.19.3 for those of unbacked
mints and of stable rates, which came to an end.

Cash (`virtualUnderlyingBalance` since v3.1) has no event of its own: it is what `ReserveLogic`,
`FlashLoanLogic`, `LiquidationLogic` and `BridgeLogic` add and take, each next to one of these
events. Before v3.1 it is that and what strangers gave to the aToken, of which no event tells.
"""

from __future__ import annotations

from dataclasses import replace

from defirisk.core.adapter import Log
from defirisk.core.row import State
from defirisk.protocols.lending.aave_v3.accrual import update_state
from defirisk.protocols.lending.aave_v3.fold.code import POOL_CODE, generation_in_force
from defirisk.protocols.lending.aave_v3.fold.events import Handler, On, Touched, by
from defirisk.protocols.lending.aave_v3.rows import Account, Reserve, UserReserve

STABLE_RATE = 1  # `DataTypes.InterestRateMode.STABLE`


def _reserve_data_updated(log: Log, state: State) -> None:
    args = log.args
    reserve = state.get(Reserve, args["reserve"])
    state.put(
        replace(
            reserve,
            liquidity_rate_ray=args["liquidityRate"],
            variable_borrow_rate_ray=args["variableBorrowRate"],
            liquidity_index_ray=args["liquidityIndex"],
            variable_borrow_index_ray=args["variableBorrowIndex"],
            last_update_ts=log.timestamp,
        )
    )


def _move_cash(state: State, asset: str, amount: int) -> None:
    reserve = state.get(Reserve, asset)
    state.put(replace(reserve, virtual_underlying_raw=reserve.virtual_underlying_raw + amount))


def _supply(log: Log, state: State) -> None:
    _move_cash(state, log.args["reserve"], log.args["amount"])


def _withdraw(log: Log, state: State) -> None:
    _move_cash(state, log.args["reserve"], -log.args["amount"])


def _borrow(log: Log, state: State) -> None:
    # Also where a flash loan is kept as debt: the amount left the pool when the loan was given.
    _move_cash(state, log.args["reserve"], -log.args["amount"])
    if log.args["interestRateMode"] == STABLE_RATE:
        _stable_debt(log, state)


def _stable_debt(log: Log, state: State) -> None:
    reserve = state.get(Reserve, log.args["reserve"])
    state.put(replace(reserve, stable_debt=True))


def _repay(log: Log, state: State) -> None:
    if not log.args["useATokens"]:
        _move_cash(state, log.args["reserve"], log.args["amount"])


def _back_unbacked(log: Log, state: State) -> None:
    _move_cash(state, log.args["reserve"], log.args["amount"] + log.args["fee"])


def _flash_loan(log: Log, state: State) -> None:
    _move_cash(state, log.args["asset"], log.args["premium"])


def _liquidation_call(log: Log, state: State) -> None:
    args = log.args
    _move_cash(state, args["debtAsset"], args["debtToCover"])
    if not args["receiveAToken"]:
        _move_cash(state, args["collateralAsset"], -args["liquidatedCollateralAmount"])
    elif args["collateralAsset"] != args["debtAsset"]:
        _update_received(log, state)


def _update_received(log: Log, state: State) -> None:
    """The only place where the Pool stores new indexes without a ReserveDataUpdated."""
    generation = generation_in_force(state)
    if generation.updates_received:
        reserve = state.get(Reserve, log.args["collateralAsset"])
        state.put(update_state(reserve, log.timestamp, generation.compounding))


def _deficit_created(log: Log, state: State) -> None:
    reserve = state.get(Reserve, log.args["debtAsset"])
    state.put(replace(reserve, deficit_raw=reserve.deficit_raw + log.args["amountCreated"]))


def _deficit_covered(log: Log, state: State) -> None:
    reserve = state.get(Reserve, log.args["reserve"])
    state.put(replace(reserve, deficit_raw=reserve.deficit_raw - log.args["amountCovered"]))


def _use_as_collateral(enabled: bool) -> Handler:
    def handle(log: Log, state: State) -> None:
        row = state.get(UserReserve, log.args["user"], log.args["reserve"])
        state.put(replace(row, used_as_collateral=enabled))

    return handle


def _user_emode_set(log: Log, state: State) -> None:
    account = state.get(Account, log.args["user"])
    state.put(replace(account, emode_category_id=log.args["categoryId"]))


def _liquidated(log: Log) -> Touched:
    reserves = (log.args["collateralAsset"], log.args["debtAsset"])
    return [*POOL_CODE, *((Reserve, (asset,)) for asset in reserves)]


_RESERVE = by(Reserve, "reserve")
_USER_RESERVE = by(UserReserve, "user", "reserve")

EVENTS = {
    "ReserveDataUpdated": On(_RESERVE, _reserve_data_updated),
    "Supply": On(_RESERVE, _supply),
    "Withdraw": On(_RESERVE, _withdraw),
    "Borrow": On(_RESERVE, _borrow),
    "Repay": On(_RESERVE, _repay),
    "BackUnbacked": On(_RESERVE, _back_unbacked),
    "SwapBorrowRateMode": On(_RESERVE, _stable_debt),
    "FlashLoan": On(by(Reserve, "asset"), _flash_loan),
    "LiquidationCall": On(_liquidated, _liquidation_call),
    "DeficitCreated": On(by(Reserve, "debtAsset"), _deficit_created),
    "DeficitCovered": On(_RESERVE, _deficit_covered),
    "ReserveUsedAsCollateralEnabled": On(_USER_RESERVE, _use_as_collateral(True)),
    "ReserveUsedAsCollateralDisabled": On(_USER_RESERVE, _use_as_collateral(False)),
    "UserEModeSet": On(by(Account, "user"), _user_emode_set),
}
