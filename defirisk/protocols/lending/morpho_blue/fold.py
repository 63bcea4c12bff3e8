"""Logs of Morpho Blue, applied to its rows. Source: `Morpho` and `EventsLib`,
@morpho-org/morpho-blue 1.0.0.

Every number in storage follows from the logs, but one: in a market without an interest rate model
`accrueInterest` moves `lastUpdate` silently (and nothing depends on it).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from defirisk.core.adapter import Log
from defirisk.core.row import Key, Row, State
from defirisk.protocols.lending.morpho_blue.rows import Market, Position, Settings

Touched = list[tuple[type[Row], Key]]


def market_id(log: Log) -> str:
    """The id of the market that an event is about."""
    raw: bytes = log.args["id"]
    return "0x" + raw.hex()


def touches(log: Log) -> Touched:
    """The rows that a log reads or writes.

    The fee recipient's position is not among them: who that is says the row of settings.
    """
    if log.event == "SetFeeRecipient":
        return [(Settings, (log.contract.address,))]
    found: Touched = [(Market, (market_id(log),))]
    if log.event == "AccrueInterest":
        found.append((Settings, (log.contract.address,)))
    elif (holder := _HOLDER.get(log.event)) is not None:
        found.append((Position, (market_id(log), log.args[holder])))
    return found


def fold(log: Log, state: State) -> None:
    """Applies a log to the rows it touches."""
    _EVENTS[log.event](log, state)


def _zero_floor_sub(x: int, y: int) -> int:
    return max(0, x - y)


def _market(log: Log, state: State) -> Market:
    """The market, with its interest up to this block: AccrueInterest came first."""
    return replace(state.get(Market, market_id(log)), last_update_ts=log.timestamp)


def _position(log: Log, state: State) -> Position:
    return state.get(Position, market_id(log), log.args[_HOLDER[log.event]])


def _set_fee_recipient(log: Log, state: State) -> None:
    settings = state.get(Settings, log.contract.address)
    state.put(replace(settings, fee_recipient=log.args["newFeeRecipient"]))


def _create_market(log: Log, state: State) -> None:
    loan_token, collateral_token, oracle, irm, lltv = log.args["marketParams"]
    state.put(
        Market(
            market_id=market_id(log),
            created_block=log.block_number,
            loan_token=loan_token,
            collateral_token=collateral_token,
            oracle=oracle,
            irm=irm,
            lltv_wad=lltv,
            last_update_ts=log.timestamp,
        )
    )


def _set_fee(log: Log, state: State) -> None:
    state.put(replace(_market(log, state), fee_wad=log.args["newFee"]))


def _accrue_interest(log: Log, state: State) -> None:
    market, interest, shares = _market(log, state), log.args["interest"], log.args["feeShares"]
    state.put(
        replace(
            market,
            total_supply_assets_raw=market.total_supply_assets_raw + interest,
            total_borrow_assets_raw=market.total_borrow_assets_raw + interest,
            total_supply_shares_raw=market.total_supply_shares_raw + shares,
            prev_borrow_rate_wad=log.args["prevBorrowRate"],
        )
    )
    if shares:
        recipient = state.get(Settings, log.contract.address).fee_recipient
        position = state.get(Position, market.market_id, recipient)
        state.put(replace(position, supply_shares_raw=position.supply_shares_raw + shares))


def _lend(sign: int) -> Callable[[Log, State], None]:
    def handle(log: Log, state: State) -> None:
        market, position = _market(log, state), _position(log, state)
        assets, shares = sign * log.args["assets"], sign * log.args["shares"]
        state.put(
            replace(
                market,
                total_supply_assets_raw=market.total_supply_assets_raw + assets,
                total_supply_shares_raw=market.total_supply_shares_raw + shares,
            )
        )
        state.put(replace(position, supply_shares_raw=position.supply_shares_raw + shares))

    return handle


def _borrow(log: Log, state: State) -> None:
    market, position = _market(log, state), _position(log, state)
    assets, shares = log.args["assets"], log.args["shares"]
    state.put(
        replace(
            market,
            total_borrow_assets_raw=market.total_borrow_assets_raw + assets,
            total_borrow_shares_raw=market.total_borrow_shares_raw + shares,
        )
    )
    state.put(replace(position, borrow_shares_raw=position.borrow_shares_raw + shares))


def _repay(log: Log, state: State) -> None:
    market, position = _market(log, state), _position(log, state)
    assets, shares = log.args["assets"], log.args["shares"]
    state.put(
        replace(
            market,
            # The last borrower's debt, rounded up, may be one more than there is.
            total_borrow_assets_raw=_zero_floor_sub(market.total_borrow_assets_raw, assets),
            total_borrow_shares_raw=market.total_borrow_shares_raw - shares,
        )
    )
    state.put(replace(position, borrow_shares_raw=position.borrow_shares_raw - shares))


def _supply_collateral(log: Log, state: State) -> None:
    # The only action that does not accrue interest: the market stays as it was.
    position = _position(log, state)
    state.put(replace(position, collateral_raw=position.collateral_raw + log.args["assets"]))


def _withdraw_collateral(log: Log, state: State) -> None:
    position = _position(log, state)
    state.put(_market(log, state))
    state.put(replace(position, collateral_raw=position.collateral_raw - log.args["assets"]))


def _liquidate(log: Log, state: State) -> None:
    args, market, position = log.args, _market(log, state), _position(log, state)
    shares = args["repaidShares"] + args["badDebtShares"]
    owed = _zero_floor_sub(market.total_borrow_assets_raw, args["repaidAssets"])
    state.put(
        replace(
            market,
            total_borrow_assets_raw=owed - args["badDebtAssets"],
            total_borrow_shares_raw=market.total_borrow_shares_raw - shares,
            # Bad debt is taken from all lenders at once: their shares stay, the assets shrink.
            total_supply_assets_raw=market.total_supply_assets_raw - args["badDebtAssets"],
        )
    )
    state.put(
        replace(
            position,
            borrow_shares_raw=position.borrow_shares_raw - shares,
            collateral_raw=position.collateral_raw - args["seizedAssets"],
        )
    )


_HOLDER = {
    "Supply": "onBehalf",
    "Withdraw": "onBehalf",
    "Borrow": "onBehalf",
    "Repay": "onBehalf",
    "SupplyCollateral": "onBehalf",
    "WithdrawCollateral": "onBehalf",
    "Liquidate": "borrower",
}
"""Whose position an event changes."""

_EVENTS: dict[str, Callable[[Log, State], None]] = {
    "SetFeeRecipient": _set_fee_recipient,
    "CreateMarket": _create_market,
    "SetFee": _set_fee,
    "AccrueInterest": _accrue_interest,
    "Supply": _lend(1),
    "Withdraw": _lend(-1),
    "Borrow": _borrow,
    "Repay": _repay,
    "SupplyCollateral": _supply_collateral,
    "WithdrawCollateral": _withdraw_collateral,
    "Liquidate": _liquidate,
}
EVENTS = tuple(_EVENTS)
