"""Events of aTokens and variable debt tokens. ERC-20 Transfers say nothing more and are ignored.

Source: `IScaledBalanceToken` and `IAToken`, the same in @aave/core-v3 1.19.3 and
@aave-dao/aave-v3-origin 3.6.0; what they mean depends on the generation's rounding.
"""

from __future__ import annotations

from dataclasses import replace

from defirisk.core.adapter import Log
from defirisk.core.row import State
from defirisk.protocols.lending.aave_v3.fold.code import POOL_CODE, generation_in_force
from defirisk.protocols.lending.aave_v3.fold.events import Keys, On, Touched
from defirisk.protocols.lending.aave_v3.rows import Reserve, UserReserve
from defirisk.protocols.lending.aave_v3.scaled_balance import BalanceChange


def _minted(log: Log) -> BalanceChange:
    return BalanceChange(log.args["value"], log.args["balanceIncrease"], log.args["index"])


def _burned(log: Log) -> BalanceChange:
    return BalanceChange(-log.args["value"], log.args["balanceIncrease"], log.args["index"])


def _change_a_token(log: Log, state: State, account: str, change: BalanceChange) -> None:
    asset = log.contract.subject
    row = state.get(UserReserve, account, asset)
    after = generation_in_force(state).balances.a_token_after
    scaled = after(row.scaled_a_token_raw, row.a_token_index_ray, change)
    reserve = state.get(Reserve, asset)
    supply = reserve.scaled_supply_raw + scaled - row.scaled_a_token_raw
    state.put(replace(row, scaled_a_token_raw=scaled, a_token_index_ray=change.index_ray))
    state.put(replace(reserve, scaled_supply_raw=supply))


def _a_token_mint(log: Log, state: State) -> None:
    _change_a_token(log, state, log.args["onBehalfOf"], _minted(log))


def _a_token_burn(log: Log, state: State) -> None:
    _change_a_token(log, state, log.args["from"], _burned(log))


def _a_token_balance_transfer(log: Log, state: State) -> None:
    # `value` is the scaled amount; interest was minted to both sides by Mint events before.
    args = log.args
    for account, scaled in ((args["from"], -args["value"]), (args["to"], args["value"])):
        row = state.get(UserReserve, account, log.contract.subject)
        state.put(
            replace(
                row,
                scaled_a_token_raw=row.scaled_a_token_raw + scaled,
                a_token_index_ray=args["index"],
            )
        )


def _change_variable_debt(log: Log, state: State, account: str, change: BalanceChange) -> None:
    asset = log.contract.subject
    row = state.get(UserReserve, account, asset)
    after = generation_in_force(state).balances.variable_debt_after
    scaled = after(row.scaled_variable_debt_raw, row.variable_debt_index_ray, change)
    reserve = state.get(Reserve, asset)
    total = reserve.scaled_variable_debt_raw + scaled - row.scaled_variable_debt_raw
    state.put(
        replace(row, scaled_variable_debt_raw=scaled, variable_debt_index_ray=change.index_ray)
    )
    state.put(replace(reserve, scaled_variable_debt_raw=total))


def _variable_debt_mint(log: Log, state: State) -> None:
    _change_variable_debt(log, state, log.args["onBehalfOf"], _minted(log))


def _variable_debt_burn(log: Log, state: State) -> None:
    _change_variable_debt(log, state, log.args["from"], _burned(log))


def _balances(*names: str) -> Keys:
    def keys(log: Log) -> Touched:
        asset = log.contract.subject
        users: Touched = [(UserReserve, (log.args[name], asset)) for name in names]
        return [*POOL_CODE, (Reserve, (asset,)), *users]

    return keys


A_TOKEN_EVENTS = {
    "Mint": On(_balances("onBehalfOf"), _a_token_mint),
    "Burn": On(_balances("from"), _a_token_burn),
    "BalanceTransfer": On(_balances("from", "to"), _a_token_balance_transfer),
}
VARIABLE_DEBT_TOKEN_EVENTS = {
    "Mint": On(_balances("onBehalfOf"), _variable_debt_mint),
    "Burn": On(_balances("from"), _variable_debt_burn),
}
