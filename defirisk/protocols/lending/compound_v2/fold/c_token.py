"""Events of cTokens. A failure that does not revert emits Failure, and none of these.

LiquidateBorrow says nothing that its RepayBorrow, Transfers and ReservesAdded have not said.

Source: `CToken.sol` of npm @thenextblock/hardhat-compound 0.0.14; the cTokens of 2019 emit an
AccrueInterest without `cashPrior` (ABI of npm @compound-finance/compound-js 0.6.2).
"""

from __future__ import annotations

from dataclasses import replace

from defirisk.core.adapter import Log
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.core.row import State
from defirisk.protocols.lending.compound_v2.fold.events import (
    Keys,
    On,
    Touched,
    of_contract,
)
from defirisk.protocols.lending.compound_v2.rows import MANTISSA, AccountMarket, CToken


def _token(log: Log, state: State) -> CToken:
    return state.get(CToken, log.contract.address)


def _accrue_interest(log: Log, state: State) -> None:
    token, args = _token(log, state), log.args
    to_reserves = token.reserve_factor_mantissa * args["interestAccumulated"] // MANTISSA
    if "cashPrior" in args:
        # Also what was sent to the cToken without its knowledge.
        token = replace(token, cash_raw=args["cashPrior"], cash_read=False)
    state.put(
        replace(
            token,
            accrual_block_number=log.block_number,
            borrow_index_mantissa=args["borrowIndex"],
            total_borrows_raw=args["totalBorrows"],
            total_reserves_raw=token.total_reserves_raw + to_reserves,
        )
    )


def _add_tokens(state: State, account: Address, c_token: Address, amount: int) -> None:
    row = state.get(AccountMarket, account, c_token)
    state.put(replace(row, tokens_raw=row.tokens_raw + amount))


def _transfer(log: Log, state: State) -> None:
    """From the cToken itself: minted. To it: what Redeem or ReservesAdded burns next, or a gift."""
    c_token, amount = log.contract.address, log.args["amount"]
    token = _token(log, state)
    if log.args["from"] == c_token:
        token = replace(token, total_supply_raw=token.total_supply_raw + amount)
    else:
        _add_tokens(state, log.args["from"], c_token, -amount)
    _add_tokens(state, log.args["to"], c_token, amount)
    if log.args["to"] == c_token:
        token = replace(token, last_to_self_raw=amount)
    state.put(token)


def _burn_own(token: CToken, state: State, amount: int) -> CToken:
    """Takes from the supply what a Transfer had brought to the cToken itself."""
    _add_tokens(state, token.c_token, token.c_token, -amount)
    return replace(token, total_supply_raw=token.total_supply_raw - amount)


def _mint(log: Log, state: State) -> None:
    token = _token(log, state)
    state.put(replace(token, cash_raw=token.cash_raw + log.args["mintAmount"]))


def _redeem(log: Log, state: State) -> None:
    token = _burn_own(_token(log, state), state, log.args["redeemTokens"])
    state.put(replace(token, cash_raw=token.cash_raw - log.args["redeemAmount"]))


def _owe(log: Log, state: State, cash: int) -> None:
    """The borrower's new principal is as of the market's index; interest was accrued before."""
    token, args = _token(log, state), log.args
    row = state.get(AccountMarket, args["borrower"], token.c_token)
    state.put(
        replace(
            row,
            principal_raw=args["accountBorrows"],
            interest_index_mantissa=token.borrow_index_mantissa,
        )
    )
    state.put(
        replace(token, total_borrows_raw=args["totalBorrows"], cash_raw=token.cash_raw + cash)
    )


def _borrow(log: Log, state: State) -> None:
    _owe(log, state, -log.args["borrowAmount"])


def _repay_borrow(log: Log, state: State) -> None:
    _owe(log, state, log.args["repayAmount"])


def _reserves_added(log: Log, state: State) -> None:
    """By the cToken itself: the protocol's share of a seizure, whose cTokens are burned."""
    token, args = _token(log, state), log.args
    if args["benefactor"] == token.c_token:
        token = _burn_own(token, state, token.last_to_self_raw)
    else:
        token = replace(token, cash_raw=token.cash_raw + args["addAmount"])
    state.put(replace(token, total_reserves_raw=args["newTotalReserves"]))


def _reserves_reduced(log: Log, state: State) -> None:
    token, args = _token(log, state), log.args
    cash = token.cash_raw - args["reduceAmount"]
    state.put(replace(token, total_reserves_raw=args["newTotalReserves"], cash_raw=cash))


def _new_reserve_factor(log: Log, state: State) -> None:
    factor = log.args["newReserveFactorMantissa"]
    state.put(replace(_token(log, state), reserve_factor_mantissa=factor))


def _new_interest_rate_model(log: Log, state: State) -> None:
    model = log.args["newInterestRateModel"]
    state.put(replace(_token(log, state), interest_rate_model=model))


def _new_comptroller(log: Log, state: State) -> None:
    """The first one is set where the cToken is initialised: interest runs from that block on."""
    token = _token(log, state)
    first = log.args["oldComptroller"] == ZERO_ADDRESS
    block = log.block_number if first else token.accrual_block_number
    state.put(replace(token, accrual_block_number=block))


def _balances(*names: str, own: bool = False) -> Keys:
    """The cToken, its row of each named account and, where `own`, of the cToken as an account."""

    def keys(log: Log) -> Touched:
        c_token = log.contract.address
        accounts = [log.args[name] for name in names] + ([c_token] if own else [])
        users: Touched = [(AccountMarket, (account, c_token)) for account in accounts]
        return [(CToken, (c_token,)), *users]

    return keys


_only = of_contract(CToken)
EVENTS = {
    "AccrueInterest": On(_only, _accrue_interest),
    "Mint": On(_only, _mint),
    "Redeem": On(_balances(own=True), _redeem),
    "Borrow": On(_balances("borrower"), _borrow),
    "RepayBorrow": On(_balances("borrower"), _repay_borrow),
    "Transfer": On(_balances("from", "to"), _transfer),
    "ReservesAdded": On(_balances(own=True), _reserves_added),
    "ReservesReduced": On(_only, _reserves_reduced),
    "NewReserveFactor": On(_only, _new_reserve_factor),
    "NewMarketInterestRateModel": On(_only, _new_interest_rate_model),
    "NewComptroller": On(_only, _new_comptroller),
}
