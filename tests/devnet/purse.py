"""Tokens in the hands of accounts: how much they are worth, and how accounts come by them."""

from __future__ import annotations

from dataclasses import dataclass

from .abi import MAX_UINT256
from .chain import Tx
from .reserves import RESERVES
from .tokens import UNLISTED, Tokens

DECIMALS = {reserve.symbol: reserve.decimals for reserve in RESERVES} | UNLISTED
Plan = list[Tx]
"""The transactions of one thing that an account wants to do, in order."""


@dataclass(frozen=True)
class Purse:
    """Writes what comes before a protocol's own calls; `prices` is live, in dollars per token."""

    tokens: Tokens
    prices: dict[str, float]

    def units(self, symbol: str, dollars: float) -> int:
        """How much of the token that many dollars are, and at least one unit."""
        return max(1, int(dollars / self.prices[symbol] * 10.0 ** DECIMALS[symbol]))

    def dollars(self, symbol: str, units: int) -> float:
        """What an amount of the token is worth."""
        return units / 10.0 ** DECIMALS[symbol] * self.prices[symbol]

    def token(self, symbol: str) -> str:
        """The address of a token."""
        return self.tokens.by_symbol[symbol]

    def fund(self, account: str, symbol: str, amount: int, spender: str) -> Plan:
        """Get the token and let `spender` take it."""
        granted = self.tokens.grant(symbol, account, amount)
        return [*granted, self.approve(account, symbol, spender)]

    def approve(self, account: str, symbol: str, spender: str) -> Tx:
        """Unlimited allowance."""
        allowance = (spender, MAX_UINT256)
        return Tx(account, self.token(symbol), "approve(address,uint256)", allowance)
