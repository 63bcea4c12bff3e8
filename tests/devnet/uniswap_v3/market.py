"""Uniswap v3: factory, periphery, and pools whose ranges meet everything that a swap can cross."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..abi import address_in, words
from ..chain import Chain, Tx
from ..protocol import ADMIN
from ..purse import DECIMALS, Plan, Purse
from ..uniswap_v2.market import DEADLINE, MAKER

CREATE = "createAndInitializePoolIfNecessary(address,address,uint24,uint160)"
MINT = "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
CREATE_GAS = 8_000_000  # the pool's own code is most of it
HIGHEST_TICK = 887_272
SPACINGS = {500: 10, 3000: 60}
TICKS_PER_WORD = 256  # of the bitmap, in units of the tick spacing


@dataclass(frozen=True)
class Listing:
    """A pool to be created with that many dollars of liquidity; the fee in millionths."""

    base: str
    quote: str
    fee: int
    dollars: float
    observations: int


LISTINGS = (
    Listing("WETH", "USDC", 500, 16_000_000, 48),
    Listing("WETH", "USDC", 3000, 6_000_000, 24),
    Listing("WBTC", "USDC", 3000, 8_000_000, 16),
)

# Part of the liquidity, and the range in ticks around the price of the first day.
RANGES = (
    (0.10, None, None),
    (0.30, -3000, 3000),
    (0.20, -9000, 6000),
    (0.10, -600, 600),
    (0.12, -7800, -1800),  # one-sided, below the price
    (0.08, 1200, 5400),  # one-sided, above it
)
EDGE_PART = 0.10


@dataclass(frozen=True)
class Pool:
    """A pool; `tokens` are addresses and `symbols` their names, in the pool's own order."""

    label: str
    address: str
    tokens: tuple[str, str]
    symbols: tuple[str, str]
    fee: int
    spacing: int

    def tick_of(self, prices: dict[str, float]) -> int:
        """The tick at dollar prices."""
        return math.floor(math.log(self._ratio(prices)) / math.log(1.0001))

    def sqrt_price_of(self, prices: dict[str, float]) -> int:
        """The square root of the price at dollar prices, as the contract writes it."""
        return int(math.sqrt(self._ratio(prices)) * 2.0**96)

    def usable(self, tick: int) -> int:
        """The nearest tick below that may bound a range."""
        return max(-self.highest, min(self.highest, tick // self.spacing * self.spacing))

    @property
    def highest(self) -> int:
        """The highest tick that may bound a range."""
        return HIGHEST_TICK // self.spacing * self.spacing

    def _ratio(self, prices: dict[str, float]) -> float:
        first, second = (prices[one] / 10.0 ** DECIMALS[one] for one in self.symbols)
        return first / second


@dataclass(frozen=True)
class UniswapV3:
    """The factory, its periphery, and the pools by label, such as "WETH/USDC 0.05%"."""

    first_block: int
    addresses: dict[str, str]
    pools: dict[str, Pool]

    @property
    def positions(self) -> str:
        """The contract that wraps ranges into transferable tokens."""
        return self.addresses["position_manager"]

    @property
    def router(self) -> str:
        """Where traders go."""
        return self.addresses["router"]

    def describe(self) -> dict[str, Any]:
        """The section of `deployment.json`."""
        return {
            "name": "uniswap-v3-devnet",
            "first_block": self.first_block,
            **self.addresses,
            "pools": {label: asdict(pool) for label, pool in self.pools.items()},
        }

    @classmethod
    def load(cls, described: dict[str, Any]) -> UniswapV3:
        """The pools on a chain that was built before."""
        pools = {
            label: Pool(**{**one, "tokens": tuple(one["tokens"]), "symbols": tuple(one["symbols"])})
            for label, one in described["pools"].items()
        }
        addresses = {role: described[role] for role in ROLES}
        return cls(described["first_block"], addresses, pools)


ROLES = ("factory", "position_manager", "router", "quoter", "payer")


def deploy_uniswap_v3(chain: Chain, purse: Purse) -> UniswapV3:
    """Deploy the contracts; create and fill every listed pool."""
    chain.fund((MAKER,), wei=10**27)
    weth = purse.token("WETH")
    factory = chain.deploy("UniswapV3Factory", ADMIN)
    first_block = chain.head
    addresses = {
        "factory": factory,
        "position_manager": chain.deploy("NonfungiblePositionManager", ADMIN, factory, weth, ADMIN),
        "router": chain.deploy("SwapRouter", ADMIN, factory, weth),
        "quoter": chain.deploy("QuoterV2", ADMIN, factory, weth),
        "payer": chain.deploy("RangePayer", ADMIN),
    }
    uniswap = UniswapV3(first_block, addresses, {})
    for listing in LISTINGS:
        pool = _create(chain, purse, addresses, listing)
        uniswap.pools[pool.label] = pool
        chain.must(*fill(purse, uniswap.positions, pool, listing.dollars))
    return uniswap


def _create(chain: Chain, purse: Purse, addresses: dict[str, str], listing: Listing) -> Pool:
    symbols = (listing.base, listing.quote)
    if int(purse.token(symbols[0]), 16) > int(purse.token(symbols[1]), 16):
        symbols = (symbols[1], symbols[0])
    tokens = (purse.token(symbols[0]), purse.token(symbols[1]))
    label = f"{listing.base}/{listing.quote} {listing.fee / 10_000:g}%"
    pool = Pool(label, "", tokens, symbols, listing.fee, SPACINGS[listing.fee])
    start = (*tokens, listing.fee, pool.sqrt_price_of(purse.prices))
    chain.must(Tx(ADMIN, addresses["position_manager"], CREATE, start, gas=CREATE_GAS))
    get = "getPool(address,address,uint24)"
    address = address_in(chain.call(addresses["factory"], get, *tokens, listing.fee))
    raise_to = "increaseObservationCardinalityNext(uint16)"
    chain.must(Tx(ADMIN, address, raise_to, (listing.observations,)))
    assert words(chain.call(address, "tickSpacing()"))[0] == pool.spacing
    return Pool(label, address, tokens, symbols, listing.fee, pool.spacing)


def fill(purse: Purse, positions: str, pool: Pool, dollars: float) -> Plan:
    """The market maker provides that much in the listed ranges around the present price."""
    funded = [
        tx
        for symbol in pool.symbols
        for tx in purse.fund(MAKER, symbol, purse.units(symbol, dollars), positions)
    ]
    orders = []
    for part, lower, upper in listed_ranges(pool, pool.tick_of(purse.prices)):
        amounts = [purse.units(symbol, dollars * part / 2) for symbol in pool.symbols]
        orders.append((mint_order(pool, lower, upper, amounts, MAKER),))
    return [*funded, *(Tx(MAKER, positions, MINT, order) for order in orders)]


def listed_ranges(pool: Pool, tick: int) -> list[tuple[float, int, int]]:
    """Parts and bounds, with two ranges that touch and cross the nearest edge of a bitmap word."""
    word = TICKS_PER_WORD * pool.spacing
    edge = round(tick / word) * word
    return [
        *((part, *_bounds(pool, tick, below, above)) for part, below, above in RANGES),
        (EDGE_PART / 2, edge - 3 * pool.spacing, edge),
        (EDGE_PART / 2, edge - pool.spacing, edge + 2 * pool.spacing),
    ]


def _bounds(pool: Pool, tick: int, below: int | None, above: int | None) -> tuple[int, int]:
    if below is None or above is None:
        return -pool.highest, pool.highest
    return pool.usable(tick + below), pool.usable(tick + above)


def mint_order(
    pool: Pool, lower: int, upper: int, amounts: Sequence[int], owner: str
) -> tuple[object, ...]:
    """What the position manager is told to mint: at most `amounts` of the two tokens."""
    return (*pool.tokens, pool.fee, lower, upper, *amounts, 0, 0, owner, DEADLINE)
