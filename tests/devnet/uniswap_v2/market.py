"""Uniswap v2: the factory, the router, and pools that a market maker fills at the feeds' prices."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from ..abi import address_in, derived_address
from ..chain import Chain, Tx
from ..protocol import ADMIN
from ..purse import Purse

MAKER = derived_address("devnet market maker")
DEADLINE = 2**40
ADD = "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)"


@dataclass(frozen=True)
class Listing:
    """A pool to be created, with that many dollars of each token in it."""

    base: str
    quote: str
    side: float


# Deep pools that arbitrage keeps at the feeds' prices, and thin ones that lag behind them.
LISTINGS = (
    Listing("WETH", "USDC", 8_000_000),
    Listing("WBTC", "WETH", 4_000_000),
    Listing("yWETH", "WETH", 3_000_000),
    Listing("LINK", "WETH", 250_000),
    Listing("LINK", "USDC", 60_000),
)
THIN = 500_000.0  # a pool with less than that on a side
DEEP_LISTINGS = tuple(replace(one, side=max(one.side, 4 * THIN)) for one in LISTINGS)


@dataclass(frozen=True)
class Pool:
    """A pair; `tokens` are addresses and `symbols` their names, in the pair's own order."""

    label: str
    address: str
    tokens: tuple[str, str]
    symbols: tuple[str, str]
    thin: bool


@dataclass(frozen=True)
class UniswapV2:
    """The factory, its router, and the pools by label, such as "WETH/USDC"."""

    first_block: int
    factory: str
    router: str
    pools: dict[str, Pool]

    def describe(self) -> dict[str, Any]:
        """The section of `deployment.json`."""
        return {
            "name": "uniswap-v2-devnet",
            "first_block": self.first_block,
            "factory": self.factory,
            "router": self.router,
            "pools": {label: asdict(pool) for label, pool in self.pools.items()},
        }

    @classmethod
    def load(cls, described: dict[str, Any]) -> UniswapV2:
        """The pools on a chain that was built before."""
        pools = {
            label: Pool(**{**one, "tokens": tuple(one["tokens"]), "symbols": tuple(one["symbols"])})
            for label, one in described["pools"].items()
        }
        return cls(described["first_block"], described["factory"], described["router"], pools)


def deploy_uniswap_v2(chain: Chain, purse: Purse, planted: bool = True) -> UniswapV2:
    """Deploy the factory and the router; create and fill every listed pool."""
    chain.fund((MAKER,), wei=10**27)
    listings = LISTINGS if planted else DEEP_LISTINGS
    factory = chain.deploy("UniswapV2Factory", ADMIN, ADMIN)
    first_block = chain.head
    router = chain.deploy("UniswapV2Router02", ADMIN, factory, purse.token("WETH"))
    pairs = [(purse.token(one.base), purse.token(one.quote)) for one in listings]
    create = "createPair(address,address)"
    chain.must(*(Tx(ADMIN, factory, create, pair) for pair in pairs))
    uniswap = UniswapV2(first_block, factory, router, {})
    for listing, pair in zip(listings, pairs, strict=True):
        pool = _pool(chain, factory, listing, pair)
        uniswap.pools[pool.label] = pool
    chain.must(*(tx for listing in listings for tx in _fill(purse, router, listing)))
    return uniswap


def _pool(chain: Chain, factory: str, listing: Listing, pair: tuple[str, str]) -> Pool:
    address = address_in(chain.call(factory, "getPair(address,address)", *pair))
    symbols = (listing.base, listing.quote)
    if int(pair[0], 16) > int(pair[1], 16):
        pair, symbols = (pair[1], pair[0]), (symbols[1], symbols[0])
    label = f"{listing.base}/{listing.quote}"
    return Pool(label, address, pair, symbols, listing.side < THIN)


def _fill(purse: Purse, router: str, listing: Listing) -> list[Tx]:
    symbols = (listing.base, listing.quote)
    amounts = [purse.units(symbol, listing.side) for symbol in symbols]
    addresses = [purse.token(symbol) for symbol in symbols]
    txs = [
        tx
        for symbol, amount in zip(symbols, amounts, strict=True)
        for tx in purse.fund(MAKER, symbol, amount, router)
    ]
    return [*txs, Tx(MAKER, router, ADD, (*addresses, *amounts, 0, 0, MAKER, DEADLINE))]
