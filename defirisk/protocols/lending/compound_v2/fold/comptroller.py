"""Events of the Comptroller, which stands behind the Unitroller proxy.

Source: `Comptroller.sol` and `Unitroller.sol` of npm @thenextblock/hardhat-compound 0.0.14.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from defirisk.core.adapter import Log
from defirisk.core.row import State
from defirisk.protocols.lending.compound_v2.fold.events import Handler, On, by, of_contract
from defirisk.protocols.lending.compound_v2.rows import AccountMarket, Comptroller, CToken

_PAUSES = {
    "Mint": "mint_paused",
    "Borrow": "borrow_paused",
    "Transfer": "transfer_paused",
    "Seize": "seize_paused",
}


def _market_listed(log: Log, state: State) -> None:
    state.put(replace(state.get(CToken, log.args["cToken"]), listed=True))


def _membership(entered: bool) -> Handler:
    def handle(log: Log, state: State) -> None:
        row = state.get(AccountMarket, log.args["account"], log.args["cToken"])
        state.put(replace(row, entered=entered))

    return handle


def _of_market(column: str, argument: str) -> Handler:
    def handle(log: Log, state: State) -> None:
        changes: dict[str, Any] = {column: log.args[argument]}
        state.put(replace(state.get(CToken, log.args["cToken"]), **changes))

    return handle


def _of_all(column: str, argument: str) -> Handler:
    def handle(log: Log, state: State) -> None:
        changes: dict[str, Any] = {column: log.args[argument]}
        state.put(replace(state.get(Comptroller, log.contract.address), **changes))

    return handle


def _action_paused(log: Log, state: State) -> None:
    """One event name, two forms: of one market (Mint, Borrow), or of all (Transfer, Seize)."""
    row: CToken | Comptroller
    if "cToken" in log.args:
        row = state.get(CToken, log.args["cToken"])
    else:
        row = state.get(Comptroller, log.contract.address)
    column = _PAUSES.get(log.args["action"], "")
    changes: dict[str, Any] = {column: log.args["pauseState"]} if hasattr(row, column) else {}
    state.put(replace(row, **changes))


def _paused_keys(log: Log) -> list[Any]:
    if "cToken" in log.args:
        return [(CToken, (log.args["cToken"],))]
    return [(Comptroller, (log.contract.address,))]


_market, _all = by(CToken, "cToken"), of_contract(Comptroller)
_member = by(AccountMarket, "account", "cToken")
EVENTS = {
    "MarketListed": On(_market, _market_listed),
    "MarketEntered": On(_member, _membership(True)),
    "MarketExited": On(_member, _membership(False)),
    "NewCollateralFactor": On(
        _market, _of_market("collateral_factor_mantissa", "newCollateralFactorMantissa")
    ),
    "NewBorrowCap": On(_market, _of_market("borrow_cap_raw", "newBorrowCap")),
    "NewCloseFactor": On(_all, _of_all("close_factor_mantissa", "newCloseFactorMantissa")),
    "NewLiquidationIncentive": On(
        _all, _of_all("liquidation_incentive_mantissa", "newLiquidationIncentiveMantissa")
    ),
    "NewPriceOracle": On(_all, _of_all("price_oracle", "newPriceOracle")),
    "ActionPaused": On(_paused_keys, _action_paused),
}
