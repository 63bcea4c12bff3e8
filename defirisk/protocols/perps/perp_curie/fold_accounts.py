"""Logs of accounts: positions as takers, orders of makers, profits and balances in the vault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from defirisk.core.adapter import Log
from defirisk.core.row import Key, Row, State
from defirisk.protocols.perps.perp_curie.arithmetic import to_settlement
from defirisk.protocols.perps.perp_curie.rows import (
    ALL,
    DUST,
    Account,
    AccountMarket,
    Collateral,
    CollateralConfig,
    InsuranceLedger,
    Market,
    Order,
)


def touches(log: Log) -> list[tuple[type[Row], Key]]:
    """The rows that a log reads or writes; Withdrawn reaches all markets of the account."""
    args = log.args
    who = args["maker" if log.event == "LiquidityChanged" else "trader"]
    found: list[tuple[type[Row], Key]] = [(Account, (who,))]
    if log.contract.role == "clearing_house":
        found += [(AccountMarket, (who, args["baseToken"])), (Market, (args["baseToken"],))]
    if log.event == "LiquidityChanged":
        found.append((Order, (who, args["baseToken"], args["lowerTick"], args["upperTick"])))
    if "collateralToken" in args:
        found.append((CollateralConfig, (args["collateralToken"],)))
        found.append((Collateral, (who, args["collateralToken"])))
    if log.event in ("BadDebtSettled", "CollateralLiquidated"):
        found.append((InsuranceLedger, (ALL,)))
    return found


def fold(log: Log, state: State) -> None:
    """Applies a log to the rows it touches."""
    _FOLDS[log.event](log, state)


def _settled(state: State, who: str, base_token: str) -> AccountMarket:
    """Funding was settled in the transaction: the account's growth is the market's."""
    held = state.get(AccountMarket, who, base_token)
    if not held.listed:
        account = state.get(Account, who)
        held = replace(held, listed=True, earlier_market=account.latest_market)
        state.put(replace(account, latest_market=base_token))
    growth = state.get(Market, base_token).tw_premium_x96
    return replace(held, last_tw_premium_growth_global_x96=growth)


def _empty(held: AccountMarket) -> AccountMarket:
    """AccountBalance._deregisterBaseToken: what is only dust is forgotten.

    The event states the notional after that: 0, where it was dust.
    """
    if held.orders or held.taker_open_notional or abs(held.taker_position_size) >= DUST:
        return held
    return replace(held, taker_position_size=0, last_tw_premium_growth_global_x96=0)


def _position_changed(log: Log, state: State) -> None:
    args = log.args
    held = _settled(state, args["trader"], args["baseToken"])
    state.put(
        _empty(
            replace(
                held,
                taker_position_size=held.taker_position_size + args["exchangedPositionSize"],
                taker_open_notional=args["openNotional"],
                changed_block=log.block_number,
                changed_log_index=log.log_index,
            )
        )
    )


def _position_closed(log: Log, state: State) -> None:
    """ClearingHouse.quitMarket deletes the position."""
    held = state.get(AccountMarket, log.args["trader"], log.args["baseToken"])
    state.put(
        replace(
            held,
            taker_position_size=0,
            taker_open_notional=0,
            last_tw_premium_growth_global_x96=0,
        )
    )


def _liquidity_changed(log: Log, state: State) -> None:
    args = log.args
    who, token, change = args["maker"], args["baseToken"], args["liquidity"]
    before = state.get(Order, who, token, args["lowerTick"], args["upperTick"])
    after = _order_after(before, change, args["base"], args["quote"])
    state.put(after)
    held = _settled(state, who, token)
    opened = int(after.liquidity > 0) - int(before.liquidity > 0)
    held = replace(held, orders=held.orders + opened)
    # A removal states the new position first, then the liquidity: only then is the order gone.
    here = (held.changed_block, held.changed_log_index + 1) == (log.block_number, log.log_index)
    state.put(_empty(held) if here else held)


def _order_after(order: Order, change: int, base: int, quote: int) -> Order:
    """OrderBook: debts grow by what is added, and shrink with the part that is removed."""
    if change > 0:
        return replace(
            order,
            liquidity=order.liquidity + change,
            base_debt=order.base_debt + base,
            quote_debt=order.quote_debt + quote,
        )
    if change == 0:
        return order
    left = order.liquidity + change
    if left == 0:
        return replace(order, liquidity=0, base_debt=0, quote_debt=0)
    return replace(
        order,
        liquidity=left,
        base_debt=order.base_debt - order.base_debt * -change // order.liquidity,
        quote_debt=order.quote_debt - order.quote_debt * -change // order.liquidity,
    )


def _funding_settled(log: Log, state: State) -> None:
    """Where there is something to pay; what a settlement of nothing does, is said by what follows.

    Who settles less than a wei by himself leaves no log: it is not forgotten here, as it is there.
    """
    state.put(_settled(state, log.args["trader"], log.args["baseToken"]))


def _pnl_realized(log: Log, state: State) -> None:
    account = state.get(Account, log.args["trader"])
    owed = account.owed_realized_pnl + log.args["amount"]
    state.put(replace(account, owed_realized_pnl=owed))


def _deposited(log: Log, state: State) -> None:
    _move(log, state, log.args["amount"])


def _withdrawn(log: Log, state: State) -> None:
    """Vault._settleAndDecreaseBalance: funding in all markets first, then profits are paid out."""
    who = log.args["trader"]
    _move(log, state, -log.args["amount"])
    token = state.get(Account, who).latest_market
    while token:
        held = state.get(AccountMarket, who, token)
        if _registered(held):
            state.put(_settled(state, who, token))
        token = held.earlier_market


def _registered(held: AccountMarket) -> bool:
    """Whether the account still has the market: funding is settled in no other."""
    return bool(held.orders or held.taker_open_notional or held.taker_position_size)


def _move(log: Log, state: State, change: int) -> None:
    who, token = log.args["trader"], log.args["collateralToken"]
    if state.get(CollateralConfig, token).listed:
        held = state.get(Collateral, who, token)
        state.put(replace(held, balance_raw=held.balance_raw + change))
        return
    account = state.get(Account, who)
    if log.event == "Withdrawn":
        change += to_settlement(account.owed_realized_pnl)
        account = replace(account, owed_realized_pnl=0)
    state.put(replace(account, balance_raw=account.balance_raw + change))


def _bad_debt(log: Log, state: State) -> None:
    account, ledger = state.get(Account, log.args["trader"]), state.get(InsuranceLedger, ALL)
    amount = log.args["amount"]
    state.put(replace(account, balance_raw=account.balance_raw + amount))
    state.put(replace(ledger, bad_debt_raw=ledger.bad_debt_raw + amount))


def _collateral_liquidated(log: Log, state: State) -> None:
    args = log.args
    held = state.get(Collateral, args["trader"], args["collateralToken"])
    state.put(replace(held, balance_raw=held.balance_raw - args["collateral"]))
    account, ledger = state.get(Account, args["trader"]), state.get(InsuranceLedger, ALL)
    repaid = args["repaidSettlementWithoutInsuranceFundFeeX10_S"]
    state.put(replace(account, balance_raw=account.balance_raw + repaid))
    state.put(replace(ledger, fees_raw=ledger.fees_raw + args["insuranceFundFeeX10_S"]))


_FOLDS: dict[str, Callable[[Log, State], None]] = {
    "PositionChanged": _position_changed,
    "PositionClosed": _position_closed,
    "LiquidityChanged": _liquidity_changed,
    "FundingPaymentSettled": _funding_settled,
    "PnlRealized": _pnl_realized,
    "Deposited": _deposited,
    "Withdrawn": _withdrawn,
    "CollateralLiquidated": _collateral_liquidated,
    "BadDebtSettled": _bad_debt,
}
