"""Calls of Perps V2."""

from __future__ import annotations

from dataclasses import dataclass

from ..chain import Tx
from ..purse import Plan
from .market import PYTH_FEE, Perp, Synthetix
from .system import UNIT

SLACK = 0.25
ORDER_DELAY = 60  # seconds


@dataclass(frozen=True)
class Desk:
    """Writes plans; sizes and amounts in wei, prices in dollars."""

    synthetix: Synthetix

    def deposit(self, account: str, perp: Perp, amount: int) -> Plan:
        """Get sUSD and make it margin."""
        return [self.synthetix.system.mint(account, amount), self.transfer(account, perp, amount)]

    def transfer(self, account: str, perp: Perp, amount: int) -> Tx:
        """Put margin in, or take it out with an amount below 0."""
        return Tx(account, perp.market, "transferMargin(int256)", (amount,))

    def withdraw_all(self, account: str, perp: Perp) -> Tx:
        """Take out whatever is not needed."""
        return Tx(account, perp.market, "withdrawAllMargin()")

    def trade(self, account: str, perp: Perp, size: int, price: float) -> Tx:
        """Buy, or sell with a size below 0, at once."""
        args = (size, worst(size, price))
        return Tx(account, perp.market, "modifyPosition(int256,uint256)", args)

    def close(self, account: str, perp: Perp, size: int, price: float) -> Tx:
        """Close a position of this size."""
        args = (worst(-size, price),)
        return Tx(account, perp.market, "closePosition(uint256)", args)

    def order(self, account: str, perp: Perp, size: int, price: float, offchain: bool) -> Tx:
        """Trade later: at Pyth's next price, or at that of the market's own feed."""
        limit = worst(size, price)
        if offchain:
            signature = "submitOffchainDelayedOrder(int256,uint256)"
            return Tx(account, perp.market, signature, (size, limit))
        signature = "submitDelayedOrder(int256,uint256,uint256)"
        return Tx(account, perp.market, signature, (size, ORDER_DELAY, limit))

    def execute(self, keeper: str, perp: Perp, account: str) -> Tx:
        """Carry out an order at the feed's price."""
        return Tx(keeper, perp.market, "executeDelayedOrder(address)", (account,))

    def execute_offchain(self, keeper: str, perp: Perp, account: str, update: bytes) -> Tx:
        """Carry out an order at the price that the update brings."""
        signature = "executeOffchainDelayedOrder(address,bytes[])"
        return Tx(keeper, perp.market, signature, (account, [update]), value=PYTH_FEE)

    def cancel(self, sender: str, perp: Perp, account: str, offchain: bool) -> Tx:
        """Withdraw an order that is too old."""
        kind = "Offchain" if offchain else ""
        return Tx(sender, perp.market, f"cancel{kind}DelayedOrder(address)", (account,))

    def flag(self, keeper: str, perp: Perp, account: str) -> Tx:
        """The first step of a liquidation."""
        return Tx(keeper, perp.market, "flagPosition(address)", (account,))

    def liquidate(self, keeper: str, perp: Perp, account: str, forced: bool = False) -> Tx:
        """The second step; the endorsed may do it whatever it does to the market."""
        name = "forceLiquidatePosition" if forced else "liquidatePosition"
        return Tx(keeper, perp.market, f"{name}(address)", (account,))


def worst(size: int, price: float) -> int:
    """The worst price that a trade is still made at."""
    return int(price * (1 + SLACK if size > 0 else 1 - SLACK) * 10**6) * UNIT // 10**6
