"""Calls of an Aave pool."""

from __future__ import annotations

from dataclasses import dataclass

from .chain import Tx
from .market import Market
from .purse import Plan, Purse

VARIABLE_RATE = 2


@dataclass(frozen=True)
class Desk:
    """Writes plans for one pool."""

    market: Market
    purse: Purse

    def units(self, symbol: str, dollars: float) -> int:
        """How much of the token that many dollars are, and at least one unit."""
        return self.purse.units(symbol, dollars)

    def dollars(self, symbol: str, units: int) -> float:
        """What an amount of the token is worth."""
        return self.purse.dollars(symbol, units)

    def fund(self, account: str, symbol: str, amount: int) -> Plan:
        """Get the token and let the pool take it."""
        return self.purse.fund(account, symbol, amount, self.market.pool)

    def approve(self, account: str, symbol: str, spender: str) -> Tx:
        """Unlimited allowance."""
        return self.purse.approve(account, symbol, spender)

    def supply(self, account: str, symbol: str, amount: int, of: str | None = None) -> Tx:
        """Supply for oneself or on behalf of another account."""
        args = (self._token(symbol), amount, of or account, 0)
        return self._pool(account, "supply(address,uint256,address,uint16)", *args)

    def withdraw(self, account: str, symbol: str, amount: int) -> Tx:
        """Withdraw to oneself."""
        args = (self._token(symbol), amount, account)
        return self._pool(account, "withdraw(address,uint256,address)", *args)

    def borrow(self, account: str, symbol: str, amount: int) -> Tx:
        """Borrow for oneself."""
        args = (self._token(symbol), amount, VARIABLE_RATE, 0, account)
        return self._pool(account, "borrow(address,uint256,uint256,uint16,address)", *args)

    def repay(self, account: str, symbol: str, amount: int, of: str | None = None) -> Tx:
        """Repay one's own or another account's debt."""
        args = (self._token(symbol), amount, VARIABLE_RATE, of or account)
        return self._pool(account, "repay(address,uint256,uint256,address)", *args)

    def repay_with_a_tokens(self, account: str, symbol: str, amount: int) -> Tx:
        """Repay out of what one has supplied."""
        args = (self._token(symbol), amount, VARIABLE_RATE)
        return self._pool(account, "repayWithATokens(address,uint256,uint256)", *args)

    def use_as_collateral(self, account: str, symbol: str, use: bool) -> Tx:
        """Switch the collateral flag."""
        args = (self._token(symbol), use)
        return self._pool(account, "setUserUseReserveAsCollateral(address,bool)", *args)

    def enter_e_mode(self, account: str, category: int) -> Tx:
        """Enter an e-mode, or leave it with 0."""
        return self._pool(account, "setUserEMode(uint8)", category)

    def mint_shares(self, account: str, shares: int) -> Tx:
        """Turn WETH into shares of yWETH."""
        vault = self._token("yWETH")
        return Tx(account, vault, "mint(uint256,address)", (shares, account))

    def transfer(self, account: str, symbol: str, to: str, amount: int) -> Tx:
        """Hand over aTokens."""
        a_token = self.market.assets[symbol].a_token
        return Tx(account, a_token, "transfer(address,uint256)", (to, amount))

    def liquidate(
        self, keeper: str, pair: tuple[str, str], borrower: str, amount: int, receive_a_token: bool
    ) -> Tx:
        """Repay `amount` of the second of `pair` for the borrower against the first."""
        collateral, debt = (self._token(symbol) for symbol in pair)
        args = (collateral, debt, borrower, amount, receive_a_token)
        signature = "liquidationCall(address,address,address,uint256,bool)"
        return self._pool(keeper, signature, *args)

    def _pool(self, sender: str, signature: str, *args: object) -> Tx:
        return Tx(sender, self.market.pool, signature, args)

    def _token(self, symbol: str) -> str:
        return self.market.assets[symbol].token
