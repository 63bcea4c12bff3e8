"""Calls of Morpho Blue."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..chain import Tx
from ..purse import Plan, Purse
from .market import PARAMS, IsolatedMarket, Morpho

AMOUNTS = f"{PARAMS},uint256,uint256,address"  # assets or shares, and for whom


@dataclass(frozen=True)
class Desk:
    """Writes plans; amounts are assets unless `shares` are given."""

    morpho: Morpho
    purse: Purse
    places: dict[tuple[str, str], None] = field(default_factory=dict)
    """Ids of markets and accounts that something was supplied or borrowed for, in this order."""

    def fund(self, account: str, symbol: str, amount: int) -> Plan:
        """Get the token and let Morpho take it."""
        return self.purse.fund(account, symbol, amount, self.morpho.address)

    def supply(
        self, account: str, market: IsolatedMarket, assets: int, of: str | None = None
    ) -> Tx:
        """Lend, for oneself or on behalf of another account."""
        self.places[market.id, of or account] = None
        args = (market.params, assets, 0, of or account, b"")
        return self._call(account, f"supply({AMOUNTS},bytes)", *args)

    def withdraw(
        self, account: str, market: IsolatedMarket, assets: int = 0, shares: int = 0
    ) -> Tx:
        """Stop lending."""
        args = (market.params, assets, shares, account, account)
        return self._call(account, f"withdraw({AMOUNTS},address)", *args)

    def borrow(self, account: str, market: IsolatedMarket, assets: int = 0, shares: int = 0) -> Tx:
        """Borrow for oneself."""
        args = (market.params, assets, shares, account, account)
        return self._call(account, f"borrow({AMOUNTS},address)", *args)

    def repay(
        self,
        account: str,
        market: IsolatedMarket,
        assets: int = 0,
        shares: int = 0,
        of: str | None = None,
    ) -> Tx:
        """Repay one's own or another account's debt."""
        args = (market.params, assets, shares, of or account, b"")
        return self._call(account, f"repay({AMOUNTS},bytes)", *args)

    def supply_collateral(
        self, account: str, market: IsolatedMarket, assets: int, of: str | None = None
    ) -> Tx:
        """Put collateral in."""
        self.places[market.id, of or account] = None
        args = (market.params, assets, of or account, b"")
        return self._call(account, f"supplyCollateral({PARAMS},uint256,address,bytes)", *args)

    def withdraw_collateral(self, account: str, market: IsolatedMarket, assets: int) -> Tx:
        """Take collateral out."""
        args = (market.params, assets, account, account)
        return self._call(account, f"withdrawCollateral({PARAMS},uint256,address,address)", *args)

    def accrue(self, account: str, market: IsolatedMarket) -> Tx:
        """Book the interest, as anybody may."""
        return self._call(account, f"accrueInterest({PARAMS})", market.params)

    def liquidate(
        self,
        keeper: str,
        market: IsolatedMarket,
        borrower: str,
        seized: int = 0,
        repaid_shares: int = 0,
    ) -> Tx:
        """Seize that much collateral, or repay that many shares of the debt."""
        args = (market.params, borrower, seized, repaid_shares, b"")
        signature = f"liquidate({PARAMS},address,uint256,uint256,bytes)"
        return self._call(keeper, signature, *args)

    def set_fee(self, owner: str, market: IsolatedMarket, fee: int) -> Tx:
        """Change the protocol's part of the interest, 1e18 being all of it."""
        return self._call(owner, f"setFee({PARAMS},uint256)", market.params, fee)

    def _call(self, sender: str, signature: str, *args: object) -> Tx:
        return Tx(sender, self.morpho.address, signature, args)
