"""One Morpho Blue market as the Solidity has it, and lives of five accounts in it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

WAD = 10**18
MORPHO = "0x" + "bb" * 20
TREASURY, IRM, ZERO = "0x" + "fe" * 20, "0x" + "1e" * 20, "0x" + "00" * 20
LLTV = 86 * 10**16
PARAMS = ("0x" + "a1" * 20, "0x" + "c0" * 20, "0x" + "0c" * 20, IRM, LLTV)
ID = bytes([7]) * 32
ACCOUNTS = ["0x" + f"{number:040x}" for number in range(1, 6)]


class Refused(Exception):
    """The contract would have reverted."""


@dataclass
class Model:
    """One market as the Solidity has it: a dictionary of numbers, and the logs that it emits.

    Written from `Morpho.sol` line by line, without anything of the adapter.
    """

    m: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("sa", "ss", "ba", "bs"), 0))
    fee: int = 0
    now: int = 1_700_000_000
    last_update: int = 1_700_000_000
    positions: dict[str, list[int]] = field(default_factory=dict)
    logs: list[tuple[str, dict[str, Any], int]] = field(default_factory=list)

    def of(self, account: str) -> list[int]:
        return self.positions.setdefault(account, [0, 0, 0])

    def emit(self, event: str, **args: Any) -> None:
        self.logs.append((event, {"id": ID, **args}, self.now))

    def accrue(self) -> None:
        elapsed = self.now - self.last_update
        if elapsed == 0:
            return
        rate = self.m["ba"] * WAD // self.m["sa"] // (365 * 86400) if self.m["sa"] else 0
        one = rate * elapsed
        two = one * one // (2 * WAD)
        three = two * one // (3 * WAD)
        interest = self.m["ba"] * (one + two + three) // WAD
        self.m["ba"] += interest
        self.m["sa"] += interest
        shares = 0
        if self.fee:
            part = interest * self.fee // WAD
            shares = part * (self.m["ss"] + 10**6) // (self.m["sa"] - part + 1)
            self.of(TREASURY)[0] += shares
            self.m["ss"] += shares
        self.emit("AccrueInterest", prevBorrowRate=rate, interest=interest, feeShares=shares)
        self.last_update = self.now

    def up(self, shares: int) -> int:
        return -(-shares * (self.m["ba"] + 1) // (self.m["bs"] + 10**6))

    def healthy(self, account: str, price: int) -> bool:
        _, borrowed, collateral = self.of(account)
        worth = collateral * price // 10**36 * LLTV // WAD
        return worth >= self.up(borrowed)

    def supply(self, who: str, assets: int) -> None:
        self.accrue()
        shares = assets * (self.m["ss"] + 10**6) // (self.m["sa"] + 1)
        self.of(who)[0] += shares
        self.m["ss"] += shares
        self.m["sa"] += assets
        self.emit("Supply", caller=who, onBehalf=who, assets=assets, shares=shares)

    def withdraw(self, who: str, shares: int) -> None:
        self.accrue()
        assets = shares * (self.m["sa"] + 1) // (self.m["ss"] + 10**6)
        if shares > self.of(who)[0] or self.m["ba"] > self.m["sa"] - assets:
            raise Refused
        self.of(who)[0] -= shares
        self.m["ss"] -= shares
        self.m["sa"] -= assets
        self.emit("Withdraw", caller=who, onBehalf=who, receiver=who, assets=assets, shares=shares)

    def supply_collateral(self, who: str, assets: int) -> None:
        self.of(who)[2] += assets
        self.emit("SupplyCollateral", caller=who, onBehalf=who, assets=assets)

    def withdraw_collateral(self, who: str, assets: int, price: int) -> None:
        self.accrue()
        if assets > self.of(who)[2]:
            raise Refused
        self.of(who)[2] -= assets
        if not self.healthy(who, price):
            self.of(who)[2] += assets
            raise Refused
        self.emit("WithdrawCollateral", caller=who, onBehalf=who, receiver=who, assets=assets)

    def borrow(self, who: str, assets: int, price: int) -> None:
        self.accrue()
        shares = -(-assets * (self.m["bs"] + 10**6) // (self.m["ba"] + 1))
        self.of(who)[1] += shares
        self.m["bs"] += shares
        self.m["ba"] += assets
        if not self.healthy(who, price) or self.m["ba"] > self.m["sa"]:
            self.of(who)[1] -= shares
            self.m["bs"] -= shares
            self.m["ba"] -= assets
            raise Refused
        self.emit("Borrow", caller=who, onBehalf=who, receiver=who, assets=assets, shares=shares)

    def repay(self, who: str, shares: int) -> None:
        self.accrue()
        if shares > self.of(who)[1]:
            raise Refused
        assets = self.up(shares)
        self.of(who)[1] -= shares
        self.m["bs"] -= shares
        self.m["ba"] = max(0, self.m["ba"] - assets)
        self.emit("Repay", caller=who, onBehalf=who, assets=assets, shares=shares)

    def liquidate(self, who: str, share: Fraction, price: int) -> None:
        self.accrue()
        if self.healthy(who, price):
            raise Refused
        repaid_shares = int(self.of(who)[1] * share)
        given = WAD * WAD // (WAD - 3 * 10**17 * (WAD - LLTV) // WAD)
        worth = repaid_shares * (self.m["ba"] + 1) // (self.m["bs"] + 10**6)
        seized = min(worth * min(115 * 10**16, given) // WAD * 10**36 // price, self.of(who)[2])
        repaid = self.up(repaid_shares)
        self.of(who)[1] -= repaid_shares
        self.m["bs"] -= repaid_shares
        self.m["ba"] = max(0, self.m["ba"] - repaid)
        self.of(who)[2] -= seized
        bad_shares = bad = 0
        if self.of(who)[2] == 0:
            bad_shares = self.of(who)[1]
            bad = min(self.m["ba"], self.up(bad_shares))
            self.m["ba"] -= bad
            self.m["sa"] -= bad
            self.m["bs"] -= bad_shares
            self.of(who)[1] = 0
        self.emit(
            "Liquidate",
            caller=TREASURY,
            borrower=who,
            repaidAssets=repaid,
            repaidShares=repaid_shares,
            seizedAssets=seized,
            badDebtAssets=bad,
            badDebtShares=bad_shares,
        )


def lived(seed: int, actions: int = 400) -> Model:
    """A market in which five accounts did many things while the price fell and rose."""
    rng = random.Random(seed)
    model = Model()
    price = 2_000 * 10**24  # a collateral of 18 decimals in a loan token of 6
    model.supply(ACCOUNTS[0], 10**12)
    model.fee = 10**17
    model.emit("SetFee", newFee=10**17)
    for _ in range(actions):
        model.now += rng.choice((0, 12, 3600, 86_400))
        price = price * rng.choice((60, 93, 99, 100, 101, 108, 150)) // 100
        who = rng.choice(ACCOUNTS)
        size = 10 ** rng.randrange(0, 11)
        _, borrowed, collateral = model.of(who)
        most = max(1, collateral * price // 10**36 * 85 // 100 - model.up(borrowed))
        act = rng.choice(("lend", "pledge", "borrow", "borrow", "repay", "leave", "liquidate"))
        try:
            if act == "lend":
                model.supply(who, size)
            elif act == "pledge":
                model.supply_collateral(who, size * 10**8)
            elif act == "borrow":
                model.borrow(who, most, price)
            elif act == "repay":
                model.repay(who, rng.choice((borrowed, borrowed // 3)))
            elif act == "liquidate":
                model.liquidate(who, rng.choice((Fraction(1), Fraction(1, 3))), price)
            else:
                model.withdraw(who, rng.randint(0, model.of(who)[0]))
                model.withdraw_collateral(who, collateral // 2, price)
        except Refused:
            continue
    return model
