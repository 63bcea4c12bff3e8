"""Calls of Uniswap v3, through its periphery and straight to its pools."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ..abi import MAX_UINT256
from ..chain import Tx
from ..purse import Plan, Purse
from ..uniswap_v2.market import DEADLINE
from .market import MINT, Pool, UniswapV3, mint_order

MOST = 2**128 - 1
SWAP_IN = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
SWAP_OUT = "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
SWAP_PATH = "exactInput((bytes,address,uint256,uint256,uint256))"
INCREASE = "increaseLiquidity((uint256,uint256,uint256,uint256,uint256,uint256))"
DECREASE = "decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))"
COLLECT = "collect((uint256,address,uint128,uint128))"
POOL_COLLECT = "collect(address,int24,int24,uint128,uint128)"
SLACK = 1.02  # an amount in the making moves with the price

Range = tuple[str, str, int, int]
"""Label of a pool, owner as the pool sees it, and the ticks."""


@dataclass(frozen=True)
class Desk:
    """Writes plans; `ranges` are all that ever had liquidity, in this order."""

    uniswap: UniswapV3
    purse: Purse
    ranges: dict[Range, None] = field(default_factory=dict)

    def liquidity(self, pool: Pool, sqrt_price: int, ticks: tuple[int, int], dollars: float) -> int:
        """How much liquidity that many dollars are worth in the range."""
        unit = self._amounts(sqrt_price, ticks, 1.0)
        worth = (
            self.purse.dollars(symbol, 1) * amount
            for symbol, amount in zip(pool.symbols, unit, strict=True)
        )
        return max(1, int(dollars / sum(worth)))

    def mint(
        self, who: str, pool: Pool, sqrt_price: int, ticks: tuple[int, int], dollars: float
    ) -> Plan:
        """A new token of the position manager."""
        liquidity = self.liquidity(pool, sqrt_price, ticks, dollars)
        funded, amounts = self._funds(who, pool, sqrt_price, ticks, liquidity)
        self.ranges[pool.label, self.uniswap.positions, *ticks] = None
        order = mint_order(pool, *ticks, amounts, who)
        return [*funded, Tx(who, self.uniswap.positions, MINT, (order,))]

    def mint_directly(
        self, who: str, pool: Pool, sqrt_price: int, ticks: tuple[int, int], dollars: float
    ) -> Plan:
        """A range that the pool itself writes to the account's name."""
        liquidity = self.liquidity(pool, sqrt_price, ticks, dollars)
        payer = self.uniswap.addresses["payer"]
        funded, _ = self._funds(who, pool, sqrt_price, ticks, liquidity, payer)
        self.ranges[pool.label, who, *ticks] = None
        signature = "mint(address,int24,int24,uint128)"
        return [*funded, Tx(who, payer, signature, (pool.address, *ticks, liquidity))]

    def burn_directly(self, who: str, pool: Pool, ticks: tuple[int, int], liquidity: int) -> Plan:
        """Liquidity out of an own range, and everything that is owed."""
        return [
            Tx(who, pool.address, "burn(int24,int24,uint128)", (*ticks, liquidity)),
            Tx(who, pool.address, POOL_COLLECT, (who, *ticks, MOST, MOST)),
        ]

    def increase(
        self,
        who: str,
        token: int,
        pool: Pool,
        sqrt_price: int,
        ticks: tuple[int, int],
        dollars: float,
    ) -> Plan:
        """More liquidity for a token."""
        liquidity = self.liquidity(pool, sqrt_price, ticks, dollars)
        funded, amounts = self._funds(who, pool, sqrt_price, ticks, liquidity)
        order = (token, *amounts, 0, 0, DEADLINE)
        return [*funded, Tx(who, self.uniswap.positions, INCREASE, (order,))]

    def decrease(self, who: str, token: int, liquidity: int) -> Plan:
        """Less liquidity for a token, and everything that is owed."""
        order = (token, liquidity, 0, 0, DEADLINE)
        return [Tx(who, self.uniswap.positions, DECREASE, (order,)), self.collect(who, token)]

    def collect(self, who: str, token: int) -> Tx:
        """Everything that is owed to a token."""
        return Tx(who, self.uniswap.positions, COLLECT, ((token, who, MOST, MOST),))

    def burn(self, who: str, token: int) -> Tx:
        """An empty token goes away."""
        return Tx(who, self.uniswap.positions, "burn(uint256)", (token,))

    def give(self, who: str, token: int, to: str) -> Tx:
        """A token changes hands."""
        signature = "transferFrom(address,address,uint256)"
        return Tx(who, self.uniswap.positions, signature, (who, to, token))

    def sell(self, who: str, pool: Pool, zero: bool, amount: int, limit: int = 0) -> Tx:
        """Sell at most that much of the first token, or of the second, down to a price."""
        path = pool.tokens if zero else pool.tokens[::-1]
        order = (*path, pool.fee, who, DEADLINE, amount, 0, limit)
        return Tx(who, self.uniswap.router, SWAP_IN, (order,))

    def buy(self, who: str, pool: Pool, zero: bool, amount: int) -> Tx:
        """Pay with the first token, or with the second, for exactly that much of the other."""
        path = pool.tokens if zero else pool.tokens[::-1]
        order = (*path, pool.fee, who, DEADLINE, amount, MAX_UINT256, 0)
        return Tx(who, self.uniswap.router, SWAP_OUT, (order,))

    def sell_through(self, who: str, pools: list[Pool], symbol: str, amount: int) -> Tx:
        """Sell through several pools, one after the other."""
        path = bytes.fromhex(self.purse.token(symbol)[2:])
        for pool in pools:
            symbol = next(other for other in pool.symbols if other != symbol)
            path += pool.fee.to_bytes(3) + bytes.fromhex(self.purse.token(symbol)[2:])
        return Tx(who, self.uniswap.router, SWAP_PATH, ((path, who, DEADLINE, amount, 0),))

    def _funds(
        self,
        who: str,
        pool: Pool,
        sqrt_price: int,
        ticks: tuple[int, int],
        liquidity: int,
        spender: str | None = None,
    ) -> tuple[Plan, list[int]]:
        amounts = [
            int(amount * SLACK) for amount in self._amounts(sqrt_price, ticks, float(liquidity))
        ]
        plan: Plan = []
        for symbol, amount in zip(pool.symbols, amounts, strict=True):
            if amount:
                plan += self.purse.fund(who, symbol, amount, spender or self.uniswap.positions)
        return plan, amounts

    def _amounts(
        self, sqrt_price: int, ticks: tuple[int, int], liquidity: float
    ) -> tuple[float, float]:
        """What a range holds of each token, in units."""
        lower, upper = (math.exp(tick / 2 * math.log(1.0001)) for tick in ticks)
        root = min(max(sqrt_price / 2.0**96, lower), upper)
        return liquidity * (1 / root - 1 / upper), liquidity * (root - lower)
