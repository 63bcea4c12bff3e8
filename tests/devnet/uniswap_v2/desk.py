"""Calls of Uniswap v2, and what its pools say right now."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..abi import view_data, words
from ..chain import Chain, Tx
from ..life import Call
from ..purse import Plan, Purse
from .market import ADD, DEADLINE, MAKER, Pool, UniswapV2

REMOVE = "removeLiquidity(address,address,uint256,uint256,uint256,address,uint256)"
SWAP = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"


@dataclass(frozen=True)
class Desk:
    """Writes plans; `holders` are those who may ever have had shares of a pool, in this order."""

    uniswap: UniswapV2
    purse: Purse
    holders: dict[tuple[str, str], None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for label in self.uniswap.pools:
            self.holders[label, MAKER] = None

    def add(self, who: str, pool: Pool, dollars: float) -> Plan:
        """Half of it in each token; the router takes what fits the reserves."""
        router = self.uniswap.router
        amounts = [self.purse.units(symbol, dollars / 2) for symbol in pool.symbols]
        plan: Plan = []
        for symbol, amount in zip(pool.symbols, amounts, strict=True):
            plan += self.purse.fund(who, symbol, amount, router)
        self.holders[pool.label, who] = None
        return [*plan, Tx(who, router, ADD, (*pool.tokens, *amounts, 0, 0, who, DEADLINE))]

    def remove(self, who: str, pool: Pool, shares: int) -> Plan:
        """Shares back into tokens."""
        router = self.uniswap.router
        return [
            Tx(who, pool.address, "approve(address,uint256)", (router, shares)),
            Tx(who, router, REMOVE, (*pool.tokens, shares, 0, 0, who, DEADLINE)),
        ]

    def give(self, who: str, pool: Pool, to: str, shares: int) -> Plan:
        """Shares change hands."""
        self.holders[pool.label, to] = None
        return [Tx(who, pool.address, "transfer(address,uint256)", (to, shares))]

    def sell(self, who: str, path: list[str], amount: int) -> Tx:
        """Sell exactly that much along a path of symbols."""
        tokens = [self.purse.token(symbol) for symbol in path]
        return Tx(who, self.uniswap.router, SWAP, (amount, 0, tokens, who, DEADLINE))

    def donate(self, who: str, pool: Pool, symbol: str, amount: int) -> Plan:
        """Send tokens to a pool, which does not notice."""
        token = self.purse.token(symbol)
        granted = self.purse.tokens.grant(symbol, who, amount)
        return [*granted, Tx(who, token, "transfer(address,uint256)", (pool.address, amount))]


def read_reserves(chain: Chain, pools: list[Pool]) -> list[tuple[int, int]]:
    """Reserves of each pool."""
    answers = chain.calls([(pool.address, view_data("getReserves()")) for pool in pools])
    return [(words(one or "0x")[0], words(one or "0x")[1]) for one in answers]


def read_shares(chain: Chain, desk: Desk, who: str) -> list[tuple[Pool, int]]:
    """The pools of which an account has shares."""
    pools = list(desk.uniswap.pools.values())
    answers = chain.calls([balance_question(pool, who) for pool in pools])
    shares = [words(answer or "0x")[0] for answer in answers]
    return [(pool, held) for pool, held in zip(pools, shares, strict=True) if held]


def balance_question(pool: Pool, who: str) -> Call:
    """Shares of an account."""
    return (pool.address, view_data("balanceOf(address)", who))
