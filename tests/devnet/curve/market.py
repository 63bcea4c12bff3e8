"""Curve: a StableSwap pool of four stablecoins, one of which no lending market lists."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..abi import ZERO_ADDRESS, address_in
from ..chain import Chain, Tx
from ..protocol import ADMIN
from ..purse import Purse
from ..uniswap_v2.market import MAKER

UNLISTED = "FRAX"
COINS = ("DAI", "USDC", "USDT", UNLISTED)  # 18, 6, 6 and 18 decimals
COUNT = len(COINS)
AMPLIFICATION = 200
FEE = 4_000_000  # of 1e10
SIDE = 4_000_000.0  # dollars of each coin on the first day
IMPLEMENTATIONS = 10  # places of the factory's table
DEPLOY = "deploy_plain_pool(string,string,address[4],uint256,uint256)"


@dataclass(frozen=True)
class Pool:
    """A plain pool, which is its own share token; `tokens` are addresses in the pool's order."""

    label: str
    address: str
    tokens: tuple[str, ...]
    symbols: tuple[str, ...]


@dataclass(frozen=True)
class Curve:
    """The factory and its pools by label."""

    first_block: int
    factory: str
    pools: dict[str, Pool]

    def describe(self) -> dict[str, Any]:
        """The section of `deployment.json`."""
        return {
            "name": "curve-devnet",
            "first_block": self.first_block,
            "factory": self.factory,
            "pools": {label: asdict(pool) for label, pool in self.pools.items()},
        }

    @classmethod
    def load(cls, described: dict[str, Any]) -> Curve:
        """The pools on a chain that was built before."""
        pools = {
            label: Pool(**{**one, "tokens": tuple(one["tokens"]), "symbols": tuple(one["symbols"])})
            for label, one in described["pools"].items()
        }
        return cls(described["first_block"], described["factory"], pools)


def deploy_curve(chain: Chain, purse: Purse) -> Curve:
    """Deploy the factory and the pool, and fill it."""
    chain.fund((MAKER,), wei=10**27)
    implementation = chain.deploy("Plain4Basic", ADMIN)
    factory = chain.deploy("FactorySidechains", ADMIN, ADMIN)
    first_block = chain.head
    table = [implementation, *[ZERO_ADDRESS] * (IMPLEMENTATIONS - 1)]
    coins = tuple(purse.token(symbol) for symbol in COINS)
    chain.must(
        Tx(ADMIN, factory, "set_plain_implementations(uint256,address[10])", (COUNT, table)),
        Tx(ADMIN, factory, DEPLOY, ("Devnet stables", "4S", coins, AMPLIFICATION, FEE)),
    )
    address = address_in(chain.call(factory, "pool_list(uint256)", 0))
    amounts = [purse.units(symbol, SIDE) for symbol in COINS]
    funded = [
        tx
        for symbol, amount in zip(COINS, amounts, strict=True)
        for tx in purse.fund(MAKER, symbol, amount, address)
    ]
    chain.must(*funded, Tx(MAKER, address, "add_liquidity(uint256[4],uint256)", (amounts, 0)))
    pool = Pool("4S", address, coins, COINS)
    return Curve(first_block, factory, {pool.label: pool})
