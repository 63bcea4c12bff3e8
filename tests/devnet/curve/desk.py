"""Calls of a StableSwap pool of four coins, and what it says right now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..abi import call_data, view_data, words
from ..chain import Chain, Tx
from ..life import Call
from ..purse import Plan, Purse
from ..uniswap_v2.market import MAKER
from .market import COUNT, Pool

IMBALANCE = "remove_liquidity_imbalance(uint256[4],uint256)"


@dataclass(frozen=True)
class Desk:
    """Writes plans; `holders` are those who may ever have had shares, in this order."""

    pool: Pool
    purse: Purse
    holders: dict[str, None] = field(default_factory=lambda: {MAKER: None})

    def add(self, who: str, dollars: Sequence[float]) -> Plan:
        """That many dollars of each coin."""
        self.holders[who] = None
        symbols = self.pool.symbols
        amounts = [
            self.purse.units(symbol, value) if value else 0
            for symbol, value in zip(symbols, dollars, strict=True)
        ]
        plan: Plan = []
        for symbol, amount in zip(symbols, amounts, strict=True):
            if amount:
                plan += self.purse.fund(who, symbol, amount, self.pool.address)
        return [*plan, self._call(who, "add_liquidity(uint256[4],uint256)", amounts, 0)]

    def remove(self, who: str, shares: int) -> Tx:
        """Shares back into all coins."""
        return self._call(who, "remove_liquidity(uint256,uint256[4])", shares, [0] * COUNT)

    def remove_one(self, who: str, shares: int, place: int) -> Tx:
        """Shares back into one coin."""
        signature = "remove_liquidity_one_coin(uint256,int128,uint256)"
        return self._call(who, signature, shares, place, 0)

    def remove_exactly(self, who: str, dollars: Sequence[float], most: int) -> Tx:
        """Exactly that much of each coin, for at most `most` shares."""
        amounts = [
            self.purse.units(symbol, value) if value else 0
            for symbol, value in zip(self.pool.symbols, dollars, strict=True)
        ]
        return self._call(who, IMBALANCE, amounts, most)

    def give(self, who: str, to: str, shares: int) -> Tx:
        """Shares change hands."""
        self.holders[to] = None
        return self._call(who, "transfer(address,uint256)", to, shares)

    def exchange(self, who: str, sold: int, bought: int, amount: int) -> Tx:
        """Sell the coin in one place for that in another."""
        signature = "exchange(int128,int128,uint256,uint256)"
        return self._call(who, signature, sold, bought, amount, 0)

    def quote(self, sold: int, bought: int, amount: int) -> Call:
        """What an exchange would bring."""
        arguments = (sold, bought, amount)
        return (self.pool.address, call_data("get_dy(int128,int128,uint256)", arguments))

    def view(self, signature: str, *arguments: str | int) -> Call:
        """A question to the pool."""
        return (self.pool.address, view_data(signature, *arguments))

    def _call(self, who: str, signature: str, *arguments: object) -> Tx:
        return Tx(who, self.pool.address, signature, arguments)


def read_answers(chain: Chain, calls: list[Call]) -> list[int]:
    """The first word of each answer, and 0 where the pool reverts."""
    return [words(answer)[0] if answer else 0 for answer in chain.calls(calls)]
