"""Calls of Compound v2, and whether they did what they say: most failures are silent."""

from __future__ import annotations

from dataclasses import dataclass

from ..abi import words
from ..chain import Tx
from ..purse import Plan, Purse
from .market import Compound

NO_ERROR = 0
TRUE = 1


@dataclass(frozen=True)
class Desk:
    """Writes plans; cTokens go by the symbol of what they wrap."""

    compound: Compound
    purse: Purse

    def fund(self, account: str, symbol: str, amount: int) -> Plan:
        """Get the underlying token and let the cToken take it."""
        return self.purse.fund(account, symbol, amount, self.ctoken(symbol))

    def supply(self, account: str, symbol: str, amount: int) -> Tx:
        """Supply."""
        return self._call(account, symbol, "mint(uint256)", amount)

    def redeem(self, account: str, symbol: str, ctokens: int) -> Tx:
        """Withdraw, in cTokens."""
        return self._call(account, symbol, "redeem(uint256)", ctokens)

    def redeem_underlying(self, account: str, symbol: str, amount: int) -> Tx:
        """Withdraw, in the underlying token."""
        return self._call(account, symbol, "redeemUnderlying(uint256)", amount)

    def borrow(self, account: str, symbol: str, amount: int) -> Tx:
        """Borrow."""
        return self._call(account, symbol, "borrow(uint256)", amount)

    def repay(self, account: str, symbol: str, amount: int, of: str | None = None) -> Tx:
        """Repay one's own or another account's debt; the largest amount means all of it."""
        if of is None:
            return self._call(account, symbol, "repayBorrow(uint256)", amount)
        return self._call(account, symbol, "repayBorrowBehalf(address,uint256)", of, amount)

    def transfer(self, account: str, symbol: str, to: str, ctokens: int) -> Tx:
        """Hand over cTokens."""
        return self._call(account, symbol, "transfer(address,uint256)", to, ctokens)

    def accrue(self, account: str, symbol: str) -> Tx:
        """Book the interest, as anybody may."""
        return self._call(account, symbol, "accrueInterest()")

    def enter(self, account: str, symbols: list[str]) -> Tx:
        """Use as collateral."""
        ctokens = [self.ctoken(symbol) for symbol in symbols]
        return Tx(account, self.compound.comptroller, "enterMarkets(address[])", (ctokens,))

    def leave(self, account: str, symbol: str) -> Tx:
        """Use as collateral no longer."""
        market = (self.ctoken(symbol),)
        return Tx(account, self.compound.comptroller, "exitMarket(address)", market)

    def liquidate(self, keeper: str, pair: tuple[str, str], borrower: str, amount: int) -> Tx:
        """Repay `amount` of the second of `pair` for the borrower against the first."""
        collateral, debt = pair
        args = (borrower, amount, self.ctoken(collateral))
        return self._call(keeper, debt, "liquidateBorrow(address,uint256,address)", *args)

    def ctoken(self, symbol: str) -> str:
        """The address of a cToken."""
        return self.compound.ctokens[symbol].ctoken

    def _call(self, sender: str, symbol: str, signature: str, *args: object) -> Tx:
        return Tx(sender, self.ctoken(symbol), signature, args)


def succeeded(tx: Tx, result: str) -> bool:
    """Whether a call that did not revert did what it says, by what it returned."""
    said = words(result)
    if tx.signature == "transfer(address,uint256)":
        return said[0] == TRUE
    if tx.signature == "enterMarkets(address[])":
        return all(code == NO_ERROR for code in said[2:])
    return not said or said[0] == NO_ERROR
