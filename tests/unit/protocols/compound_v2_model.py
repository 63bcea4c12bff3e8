"""A cToken as its source states it, in plain Python, which emits what the contract would.

Source: `CToken.sol` of npm @thenextblock/hardhat-compound 0.0.14. Only what succeeds is modelled.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from defirisk.core.adapter import Contract, Log

ONE = 10**18
C_TOKEN = "0x" + "c1" * 20
COMPTROLLER = "0x" + "c0" * 20
PROTOCOL_SEIZE_SHARE = 28 * ONE // 1000
INITIAL_EXCHANGE_RATE = 2 * 10**26
_ROLES = {C_TOKEN: "c_token", COMPTROLLER: "comptroller"}


def emitted(event: str, address: str = C_TOKEN, block: int = 1, role: str = "", **args: Any) -> Log:
    """A log of this contract."""
    contract = Contract(address=address, role=role or _ROLES[address], first_block=0)
    return Log(
        block_number=block, timestamp=0, log_index=0, contract=contract, event=event, args=args
    )


@dataclass
class ModelCToken:
    """The storage of the contract, and the logs so far."""

    cash: int = 0
    block: int = 1
    total_supply: int = 0
    total_borrows: int = 0
    total_reserves: int = 0
    reserve_factor: int = 0
    borrow_index: int = ONE
    tokens: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    borrows: dict[str, tuple[int, int]] = field(default_factory=dict)
    logs: list[Log] = field(default_factory=list)

    def emit(self, event: str, **args: Any) -> None:
        self.logs.append(emitted(event, block=self.block, **args))

    def exchange_rate(self) -> int:
        if not self.total_supply:
            return INITIAL_EXCHANGE_RATE
        return (self.cash + self.total_borrows - self.total_reserves) * ONE // self.total_supply

    def owed(self, who: str) -> int:
        principal, index = self.borrows.get(who, (0, ONE))
        return principal * self.borrow_index // index

    def set_reserve_factor(self, factor: int) -> None:
        old, self.reserve_factor = self.reserve_factor, factor
        self.emit("NewReserveFactor", oldReserveFactorMantissa=old, newReserveFactorMantissa=factor)

    def accrue(self, rate: int) -> None:
        """One block later, at this rate per block."""
        self.block += 1
        interest = rate * self.total_borrows // ONE
        prior = self.cash
        self.total_reserves += self.reserve_factor * interest // ONE
        self.borrow_index += rate * self.borrow_index // ONE
        self.total_borrows += interest
        self.emit(
            "AccrueInterest",
            cashPrior=prior,
            interestAccumulated=interest,
            borrowIndex=self.borrow_index,
            totalBorrows=self.total_borrows,
        )

    def mint(self, who: str, amount: int) -> None:
        minted = amount * ONE // self.exchange_rate()
        self.cash += amount
        self.total_supply += minted
        self.tokens[who] += minted
        self.emit("Mint", minter=who, mintAmount=amount, mintTokens=minted)
        self.emit("Transfer", **{"from": C_TOKEN, "to": who, "amount": minted})

    def redeem(self, who: str, tokens: int) -> None:
        amount = self.exchange_rate() * tokens // ONE
        self.cash -= amount
        self.total_supply -= tokens
        self.tokens[who] -= tokens
        self.emit("Transfer", **{"from": who, "to": C_TOKEN, "amount": tokens})
        self.emit("Redeem", redeemer=who, redeemAmount=amount, redeemTokens=tokens)

    def transfer(self, who: str, to: str, tokens: int) -> None:
        self.tokens[who] -= tokens
        self.tokens[to] += tokens
        self.emit("Transfer", **{"from": who, "to": to, "amount": tokens})

    def borrow(self, who: str, amount: int) -> None:
        new = self.owed(who) + amount
        self.cash -= amount
        self.total_borrows += amount
        self.borrows[who] = (new, self.borrow_index)
        totals = {"accountBorrows": new, "totalBorrows": self.total_borrows}
        self.emit("Borrow", borrower=who, borrowAmount=amount, **totals)

    def repay(self, payer: str, who: str, amount: int) -> None:
        new = self.owed(who) - amount
        self.cash += amount
        self.total_borrows -= amount
        self.borrows[who] = (new, self.borrow_index)
        totals = {"accountBorrows": new, "totalBorrows": self.total_borrows}
        self.emit("RepayBorrow", payer=payer, borrower=who, repayAmount=amount, **totals)

    def seize(self, liquidator: str, who: str, tokens: int) -> None:
        """The protocol's share is burned and becomes reserves."""
        share = tokens * PROTOCOL_SEIZE_SHARE // ONE
        amount = self.exchange_rate() * share // ONE
        self.total_reserves += amount
        self.total_supply -= share
        self.tokens[who] -= tokens
        self.tokens[liquidator] += tokens - share
        self.emit("Transfer", **{"from": who, "to": liquidator, "amount": tokens - share})
        self.emit("Transfer", **{"from": who, "to": C_TOKEN, "amount": share})
        self.add_reserves_event(C_TOKEN, amount)

    def add_reserves(self, who: str, amount: int) -> None:
        self.cash += amount
        self.total_reserves += amount
        self.add_reserves_event(who, amount)

    def add_reserves_event(self, who: str, amount: int) -> None:
        self.emit(
            "ReservesAdded", benefactor=who, addAmount=amount, newTotalReserves=self.total_reserves
        )

    def reduce_reserves(self, who: str, amount: int) -> None:
        self.cash -= amount
        self.total_reserves -= amount
        self.emit(
            "ReservesReduced", admin=who, reduceAmount=amount, newTotalReserves=self.total_reserves
        )
