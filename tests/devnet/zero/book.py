"""What Zero says about its accounts right now, read in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..abi import view_data, words
from ..life import Call
from .market import Zero

ACTIVE = 1
WAD = 10**18


@dataclass(frozen=True)
class Position:
    """An account: its trove with what is pending for it, and what it has elsewhere; in wei."""

    account: str
    open: bool
    debt: int
    coll: int
    tokens: int
    deposit: int
    gain: int
    surplus: int


@dataclass(frozen=True)
class System:
    """The whole of it. The price has 18 decimals."""

    price: int
    coll: int
    debt: int
    deposits: int
    recovery: bool


def read_system(zero: Zero) -> System:
    """At the head."""
    price, manager = zero.price(), zero["trove_manager"]
    calls = [
        (manager, view_data("getEntireSystemColl()")),
        (manager, view_data("getEntireSystemDebt()")),
        (zero["pool"], view_data("getTotalZUSDDeposits()")),
        (manager, view_data("checkRecoveryMode(uint256)", price)),
    ]
    coll, debt, deposits, recovery = (words(one or "0x")[0] for one in zero.chain.calls(calls))
    return System(price, coll, debt, deposits, bool(recovery))


def read_positions(zero: Zero, accounts: Sequence[str]) -> list[Position]:
    """Of some accounts."""
    calls = [call for account in accounts for call in _questions(zero, account)]
    answers = [words(answer or "0x") for answer in zero.chain.calls(calls)]
    width = len(_questions(zero, zero.coin))
    rows = (answers[at : at + width] for at in range(0, len(answers), width))
    return [_position(account, row) for account, row in zip(accounts, rows, strict=True)]


def _questions(zero: Zero, account: str) -> list[Call]:
    manager, pool = zero["trove_manager"], zero["pool"]
    return [
        (manager, view_data("getTroveStatus(address)", account)),
        (manager, view_data("getEntireDebtAndColl(address)", account)),
        (zero["token"], view_data("balanceOf(address)", account)),
        (pool, view_data("getCompoundedZUSDDeposit(address)", account)),
        (pool, view_data("getDepositorETHGain(address)", account)),
        (zero["coll_surplus_pool"], view_data("getCollateral(address)", account)),
    ]


def _position(account: str, answers: list[list[int]]) -> Position:
    status, entire, *rest = answers
    tokens, deposit, gain, surplus = (one[0] for one in rest)
    is_open = status[0] == ACTIVE
    return Position(account, is_open, entire[0], entire[1], tokens, deposit, gain, surplus)


def trove_questions(zero: Zero, account: str, price: int) -> list[Call]:
    """Everything the contracts say of one account."""
    manager, pool = zero["trove_manager"], zero["pool"]
    return [
        (manager, view_data("Troves(address)", account)),
        (manager, view_data("getEntireDebtAndColl(address)", account)),
        (manager, view_data("getPendingETHReward(address)", account)),
        (manager, view_data("getPendingZUSDDebtReward(address)", account)),
        (manager, view_data("getCurrentICR(address,uint256)", account, price)),
        (manager, view_data("rewardSnapshots(address)", account)),
        (pool, view_data("deposits(address)", account)),
        (pool, view_data("depositSnapshots(address)", account)),
        (pool, view_data("getCompoundedZUSDDeposit(address)", account)),
        (pool, view_data("getDepositorETHGain(address)", account)),
        (zero["coll_surplus_pool"], view_data("getCollateral(address)", account)),
    ]


def system_questions(zero: Zero, price: int) -> list[Call]:
    """Everything the contracts say of all of it together."""
    manager, pool = zero["trove_manager"], zero["pool"]
    of_manager = (
        *("getEntireSystemColl()", "getEntireSystemDebt()", "baseRate()", "totalStakes()"),
        *("lastFeeOperationTime()", "L_ETH()", "L_ZUSDDebt()", "totalStakesSnapshot()"),
        *("totalCollateralSnapshot()", "getBorrowingRate()", "getBorrowingRateWithDecay()"),
        *("getRedemptionRate()", "getRedemptionRateWithDecay()", "getTroveOwnersCount()"),
    )
    of_pool = ("P()", "currentEpoch()", "currentScale()", "getETH()", "getTotalZUSDDeposits()")
    return [
        *((manager, view_data(view)) for view in of_manager),
        (manager, view_data("getTCR(uint256)", price)),
        (manager, view_data("checkRecoveryMode(uint256)", price)),
        *((pool, view_data(view)) for view in of_pool),
        (zero["price_feed"], view_data("lastGoodPrice()")),
        (zero["price_feed"], view_data("fetchPrice()")),
    ]
