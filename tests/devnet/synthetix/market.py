"""Markets of Perps V2: four, of which two are added while the story goes on, and one is removed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from eth_abi.abi import encode
from eth_hash.auto import keccak

from ..abi import ZERO_ADDRESS
from ..chain import SLOT, Chain, Tx
from ..market import KEEPERS, Market
from ..protocol import ADMIN
from ..purse import Purse
from ..toolchain import load_toolchain
from .system import UNIT, System, create, deploy_system, name32, rebuild_cache

PRICED_BY = {"sETH": "WETH", "sBTC": "WBTC", "LINK": "LINK", "AAVE": "AAVE"}
FROM_THE_START = ("sETH", "sBTC")
PYTH_PLACES = 8
PYTH_VALID, PYTH_FEE = 60, 1
PARAMETER_GAS = 6_000_000
# The published fees of orders at the present price keep everybody away from them.
TAKER_FEE, MAKER_FEE = 5 * 10**14, 2 * 10**14
# Nobody trades for the sake of funding here as they do elsewhere: at the published velocity rates
# of some hundred per cent a day would stay.
SLOWER_FUNDING = 150
# Functions of each part of a market, by whether they are views.
ROUTES = {
    "PerpsV2Market": (
        *("transferMargin(int256)", "withdrawAllMargin()", "modifyPosition(int256,uint256)"),
        *("closePosition(uint256)", "recomputeFunding()"),
    ),
    "PerpsV2MarketLiquidate": (
        *("flagPosition(address)", "liquidatePosition(address)"),
        "forceLiquidatePosition(address)",
    ),
    "PerpsV2MarketDelayedIntent": (
        *("submitDelayedOrder(int256,uint256,uint256)",),
        *("submitOffchainDelayedOrder(int256,uint256)",),
    ),
    "PerpsV2MarketDelayedExecution": (
        *("executeDelayedOrder(address)", "executeOffchainDelayedOrder(address,bytes[])"),
        *("cancelDelayedOrder(address)", "cancelOffchainDelayedOrder(address)"),
    ),
    "PerpsV2MarketViews": (
        *("marketKey()", "baseAsset()", "marketSize()", "marketSkew()", "marketSizes()"),
        *("assetPrice()", "marketDebt()", "currentFundingRate()", "currentFundingVelocity()"),
        *("unrecordedFunding()", "fundingSequence(uint256)", "fundingSequenceLength()"),
        *("fundingLastRecomputed()", "fundingRateLastRecomputed()", "fillPrice(int256)"),
        *("positions(address)", "delayedOrders(address)", "isFlagged(address)"),
        *("notionalValue(address)", "profitLoss(address)", "accruedFunding(address)"),
        *("remainingMargin(address)", "accessibleMargin(address)"),
        *("liquidationPrice(address)", "liquidationFee(address)", "canLiquidate(address)"),
    ),
}
VIEWS = "PerpsV2MarketViews"
SET_PARAMETERS = f"setParameters(bytes32,({16 * 'uint256,'}bytes32{5 * ',uint256'}))"
FRACTIONS = (
    *("takerFeeOffchainDelayedOrder", "makerFeeOffchainDelayedOrder", "maxLeverage"),
    *("maxMarketValue", "maxFundingVelocity", "skewScale"),
)


@dataclass(frozen=True)
class Perp:
    """One market: its proxy, the asset that it follows, and the token whose feed prices it."""

    market: str
    asset: str
    key: str
    symbol: str


@dataclass(frozen=True)
class Synthetix:
    """Everything the population and the tests need to know of the deployment."""

    system: System
    pyth: str
    perps: dict[str, Perp]

    def describe(self) -> dict[str, Any]:
        """The section of `deployment.json`."""
        return {
            "name": "synthetix-perps-v2-devnet",
            "first_block": self.system.first_block,
            "address_resolver": self.system["AddressResolver"],
            "names": self.system.names,
            "libraries": self.system.libraries,
            "pyth": self.pyth,
            "perps": {asset: asdict(perp) for asset, perp in self.perps.items()},
        }

    def publish(self, chain: Chain, perp: Perp, price: float) -> bytes:
        """An update of Pyth's price, made for the next block."""
        time, answer = chain.time + SLOT - 1, round(price * 10**PYTH_PLACES)
        said = (answer, answer // 2000, -PYTH_PLACES, time)
        one = "(int64,uint64,int32,uint256)"
        types = ["bytes32", one, one, "uint64"]
        return encode(types, [pyth_id(perp.asset), said, said, time - 1])

    def add(self, asset: str) -> list[Tx]:
        """Transactions by which a market becomes one that may issue sUSD, with its parameters."""
        perp, settings = self.perps[asset], self.system["PerpsV2MarketSettings"]
        manager, words = self.system["FuturesMarketManager"], published(perp.asset)
        return [
            Tx(ADMIN, manager, "addProxiedMarkets(address[])", ([perp.market],)),
            Tx(ADMIN, settings, SET_PARAMETERS, (name32(perp.key), words), gas=PARAMETER_GAS),
        ]

    def remove(self, asset: str) -> Tx:
        """The market may no longer issue sUSD: nobody gets out."""
        markets = ([self.perps[asset].market],)
        return Tx(ADMIN, self.system["FuturesMarketManager"], "removeMarkets(address[])", markets)


def _said(asset: str) -> dict[str, Any]:
    file = load_toolchain().folder / "synthetix_markets.json"
    found: dict[str, Any] = next(
        one for one in json.loads(file.read_text()) if one["asset"] == asset
    )
    return found


def pyth_id(asset: str) -> bytes:
    """The id of a price."""
    return keccak(f"{asset}/USD".encode())


def published(asset: str) -> tuple[Any, ...]:
    """The published parameters of a market in the order of the contract's struct."""
    said = _said(asset)

    def wad(name: str) -> int:
        return int(Decimal(said[name]) * UNIT)

    def whole(name: str) -> int:
        return int(said[name])

    times = ("nextPriceConfirmWindow", "delayedOrderConfirmWindow", "minDelayTimeDelta")
    more = ("maxDelayTimeDelta", "offchainDelayedOrderMinAge", "offchainDelayedOrderMaxAge")
    last = ("offchainPriceDivergence", "liquidationPremiumMultiplier", "liquidationBufferRatio")
    return (
        *(TAKER_FEE, MAKER_FEE, TAKER_FEE, MAKER_FEE),
        *(wad(name) // (SLOWER_FUNDING if "Velocity" in name else 1) for name in FRACTIONS),
        *(whole(name) for name in (*times, *more)),
        name32(said["offchainMarketKey"]),
        *(wad(name) for name in (*last, "maxLiquidationDelta", "maxPD")),
    )


def deploy_perp(chain: Chain, system: System, asset: str, symbol: str) -> Perp:
    """Deploy a market in its parts; it is not added yet."""
    key = str(_said(asset)["marketKey"])
    proxy = create(chain, "ProxyPerpsV2", ADMIN)
    state = create(chain, "PerpsV2MarketState", ADMIN, [], name32(asset), name32(key), ZERO_ADDRESS)
    resolver = system["AddressResolver"]
    parts = {
        name: create(chain, name, *(() if name == VIEWS else (proxy,)), state, ADMIN, resolver)
        for name in ROUTES
    }
    routes = [
        Tx(
            ADMIN,
            proxy,
            "addRoute(bytes4,address,bool)",
            (keccak(one.encode())[:4], parts[name], name == VIEWS),
        )
        for name, functions in ROUTES.items()
        for one in functions
    ]
    execution = ([parts["PerpsV2MarketDelayedExecution"]],)
    chain.must(
        Tx(ADMIN, state, "addAssociatedContracts(address[])", (list(parts.values()),)),
        Tx(ADMIN, state, "linkOrInitializeState()"),
        *(rebuild_cache(part) for part in parts.values()),
        *routes,
        Tx(ADMIN, system["PerpsV2ExchangeRate"], "addAssociatedContracts(address[])", execution),
    )
    return Perp(proxy, asset, key, symbol)


def deploy_synthetix(chain: Chain, market: Market) -> Synthetix:
    """Deploy the system and its markets over the shared feeds."""
    system = deploy_system(chain)
    pyth = chain.deploy("MockPyth", ADMIN, PYTH_VALID, PYTH_FEE)
    rates, offchain = system["ExchangeRates"], system["PerpsV2ExchangeRate"]
    aggregator, feed = "addAggregator(bytes32,address)", "setOffchainPriceFeedId(bytes32,bytes32)"
    chain.must(
        Tx(ADMIN, offchain, "setOffchainOracle(address)", (pyth,)),
        Tx(
            ADMIN,
            system["FuturesMarketManager"],
            "addEndorsedAddresses(address[])",
            ([KEEPERS[0]],),
        ),
    )
    synthetix = Synthetix(system, pyth, {})
    for asset, symbol in PRICED_BY.items():
        chain.must(
            Tx(ADMIN, rates, aggregator, (name32(asset), market.feeds.by_symbol[symbol].proxy)),
            Tx(ADMIN, offchain, feed, (name32(asset), pyth_id(asset))),
        )
        synthetix.perps[asset] = deploy_perp(chain, system, asset, symbol)
    chain.must(*(tx for asset in FROM_THE_START for tx in synthetix.add(asset)))
    return synthetix


def deploy(chain: Chain, market: Market, purse: Purse) -> Synthetix:
    """As `tests.devnet.alone` asks for it."""
    return deploy_synthetix(chain, market)


def load(chain: Chain, market: Market, described: dict[str, Any]) -> Synthetix:
    """The markets on a chain that was built before."""
    system = System(described["first_block"], described["names"], described["libraries"])
    chain.libraries.update(system.libraries)
    perps = {asset: Perp(**one) for asset, one in described["perps"].items()}
    return Synthetix(system, described["pyth"], perps)
