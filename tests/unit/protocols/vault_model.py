"""Vaults by the book: OpenZeppelin's ERC4626 and one without virtual shares, as slow as can be.

Every step says which logs it emits, and nothing else of it is shown to an adapter.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Any

from defirisk.core.evm import ZERO_ADDRESS

Emitted = list[tuple[str, dict[str, Any]]]


@dataclass
class VaultModel:
    """`offset` is `_decimalsOffset`; None: the vault has neither virtual shares nor assets."""

    offset: int | None = 0
    assets: int = 0
    balances: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def supply(self) -> int:
        return sum(self.balances.values())

    def rate(self) -> Fraction:
        """Assets per share, before any rounding."""
        if self.offset is None:
            return Fraction(self.assets, self.supply) if self.supply else Fraction(1)
        return Fraction(self.assets + 1, self.supply + 10**self.offset)

    def convert_to_assets(self, shares: int) -> int:
        return floor(shares * self.rate())

    def convert_to_shares(self, assets: int) -> int:
        return floor(assets / self.rate())

    def deposit(self, who: str, assets: int) -> Emitted:
        shares = self.convert_to_shares(assets)
        self.assets += assets
        self.balances[who] += shares
        return [
            ("Transfer", {"from": ZERO_ADDRESS, "to": who, "value": shares}),
            ("Deposit", {"sender": who, "owner": who, "assets": assets, "shares": shares}),
        ]

    def redeem(self, who: str, shares: int) -> Emitted:
        assets = self.convert_to_assets(shares)
        self.assets -= assets
        self.balances[who] -= shares
        parties = {"sender": who, "receiver": who, "owner": who}
        return [
            ("Transfer", {"from": who, "to": ZERO_ADDRESS, "value": shares}),
            ("Withdraw", {**parties, "assets": assets, "shares": shares}),
        ]

    def transfer(self, who: str, to: str, shares: int) -> Emitted:
        self.balances[who] -= shares
        self.balances[to] += shares
        return [("Transfer", {"from": who, "to": to, "value": shares})]

    def gift(self, assets: int) -> Emitted:
        """Or a loss, where it is negative: no log of the vault tells of either."""
        self.assets += assets
        return []
