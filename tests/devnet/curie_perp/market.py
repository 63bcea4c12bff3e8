"""Perp Curie over the shared feeds: USDC is what profits and losses are settled in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isqrt
from typing import Any

from ..abi import MAX_UINT256, address_in, words
from ..chain import Chain, Tx
from ..market import Market
from ..protocol import ADMIN
from ..purse import Purse

SETTLEMENT = "USDC"
WAD = 10**18
PERCENT = 10_000
"""Ratios are in parts of a million."""
POOL_FEE = 3_000
TICK_SPACING = 60
FEE = 1_000
FUND_SHARE = 10 * PERCENT
MOST_TICKS = 1_000
MEMORY = 200
FEED_TIMEOUT, FEED_WINDOW = 40 * 60, 900
WARM_UP = 7_200
INSURANCE = 1_500 * 10**6
CAP = 10**30
COSTLY = 10**7
BASES = {"vETH": "WETH", "vBTC": "WBTC"}
COLLATERALS = {"WETH": (70 * PERCENT, 10 * PERCENT)}
"""Collateral ratio and discount of what is taken beside USDC."""


@dataclass(frozen=True)
class Base:
    """A market: a virtual token, its pool against the virtual dollar, and what its index reads."""

    symbol: str
    asset: str
    token: str
    pool: str
    dispatcher: str
    price_feed: str


@dataclass(frozen=True)
class Curie:
    """Addresses by role, and the markets by the symbol of their virtual token."""

    first_block: int
    contracts: dict[str, str]
    bases: dict[str, Base]

    def describe(self) -> dict[str, Any]:
        """The section of `deployment.json`."""
        return {
            "name": "perp-curie-devnet",
            "first_block": self.first_block,
            "contracts": self.contracts,
            "bases": {symbol: asdict(base) for symbol, base in self.bases.items()},
        }

    def __getitem__(self, role: str) -> str:
        return self.contracts[role]


def load(chain: Chain, market: Market, described: dict[str, Any]) -> Curie:
    """The contracts on a chain that was built before."""
    bases = {symbol: Base(**base) for symbol, base in described["bases"].items()}
    return Curie(described["first_block"], described["contracts"], bases)


def deploy(chain: Chain, market: Market, purse: Purse) -> Curie:
    """Deploy the implementations as they are, without proxies, and open every market."""
    contracts = {"settlement_token": purse.token(SETTLEMENT)}
    first_block = chain.head
    _singletons(chain, contracts)
    _connect(chain, contracts)
    curie = Curie(first_block, contracts, {})
    for symbol, asset in BASES.items():
        curie.bases[symbol] = _market(chain, market, purse, curie, symbol, asset)
    dispatchers = {base.asset: base.dispatcher for base in curie.bases.values()}
    add = "addCollateral(address,(address,uint24,uint24,uint256))"
    for asset, (ratio, discount) in COLLATERALS.items():
        config = (dispatchers[asset], ratio, discount, CAP)
        chain.must(Tx(ADMIN, contracts["collateral_manager"], add, (purse.token(asset), config)))
    chain.must(
        *market.tokens.grant(SETTLEMENT, contracts["insurance_fund"], INSURANCE),
        *updates(curie),
    )
    chain.mine([], WARM_UP)  # the mark price looks half an hour back
    return curie


def updates(curie: Curie) -> list[Tx]:
    """What a keeper of the price feeds sends: each takes over what its aggregator said last."""
    return [Tx(ADMIN, base.price_feed, "update()") for base in curie.bases.values()]


def _singletons(chain: Chain, known: dict[str, str]) -> None:
    def make(role: str, name: str, signature: str, *args: Any) -> None:
        known[role] = chain.deploy(name, ADMIN)
        chain.must(Tx(ADMIN, known[role], f"initialize({signature})", args))

    known["factory"] = chain.deploy("UniswapV3Factory", ADMIN)
    make("quote_token", "perp:QuoteToken", "string,string", "vUSD", "vUSD")
    make("clearing_house_config", "perp:ClearingHouseConfig", "")
    config = known["clearing_house_config"]
    pair = (known["factory"], known["quote_token"])
    make("market_registry", "perp:MarketRegistry", "address,address", *pair)
    registry = known["market_registry"]
    make("order_book", "perp:OrderBook", "address", registry)
    book = known["order_book"]
    make("exchange", "perp:Exchange", "address,address,address", registry, book, config)
    make("insurance_fund", "perp:InsuranceFund", "address", known["settlement_token"])
    make("account_balance", "perp:AccountBalance", "address,address", config, book)
    exchange, fund, balance = (
        known[role] for role in ("exchange", "insurance_fund", "account_balance")
    )
    four = "address,address,address,address"
    make("vault", "perp:Vault", four, fund, config, balance, exchange)
    limits = (5, 75 * PERCENT, 50 * PERCENT, 2 * PERCENT, 3 * PERCENT, 10_000 * 10**6, 500 * 10**6)
    make(
        *("collateral_manager", "perp:CollateralManager"),
        "address,address,uint8,uint24,uint24,uint24,uint24,uint256,uint256",
        *(config, known["vault"], *limits),
    )
    make(
        *("clearing_house", "perp:ClearingHouse", f"{four},address,address,address"),
        *(config, known["vault"], known["quote_token"], known["factory"], exchange, balance, fund),
    )
    make("delegate_approval", "perp:DelegateApproval", "")


def _connect(chain: Chain, known: dict[str, str]) -> None:
    house = known["clearing_house"]
    setters = (
        ("clearing_house", "setDelegateApproval", "delegate_approval"),
        ("exchange", "setAccountBalance", "account_balance"),
        ("order_book", "setExchange", "exchange"),
        ("account_balance", "setVault", "vault"),
        ("vault", "setCollateralManager", "collateral_manager"),
        ("insurance_fund", "setVault", "vault"),
    )
    served = ("market_registry", "order_book", "exchange", "account_balance", "vault")
    cap = "setSettlementTokenBalanceCap(uint256)"
    chain.must(
        *(Tx(ADMIN, known[role], "setClearingHouse(address)", (house,)) for role in served),
        *(Tx(ADMIN, known[to], f"{name}(address)", (known[who],)) for to, name, who in setters),
        Tx(ADMIN, known["clearing_house_config"], cap, (MAX_UINT256,)),
        Tx(ADMIN, known["quote_token"], "mintMaximumTo(address)", (house,)),
        Tx(ADMIN, known["quote_token"], "addWhitelist(address)", (house,)),
    )


def _market(
    chain: Chain, market: Market, purse: Purse, curie: Curie, symbol: str, asset: str
) -> Base:
    proxy = market.feeds.by_symbol[asset].proxy
    feed = chain.deploy("perp:ChainlinkPriceFeedV3", ADMIN, proxy, FEED_TIMEOUT, FEED_WINDOW)
    dispatcher = chain.deploy("perp:PriceFeedDispatcher", ADMIN, feed)
    token = _below(chain, curie["quote_token"])
    names = (symbol, symbol, dispatcher)
    chain.must(Tx(ADMIN, token, "initialize(string,string,address)", names))
    pool = _pool(chain, curie, token, purse.prices[asset])
    house, quote = curie["clearing_house"], curie["quote_token"]
    whitelist = ((token, house), (token, pool), (quote, pool))
    registry = curie["market_registry"]
    chain.must(
        Tx(ADMIN, token, "mintMaximumTo(address)", (house,)),
        *(Tx(ADMIN, to, "addWhitelist(address)", (who,)) for to, who in whitelist),
        Tx(ADMIN, registry, "addPool(address,uint24)", (token, POOL_FEE)),
        Tx(ADMIN, registry, "setFeeRatio(address,uint24)", (token, FEE)),
        Tx(ADMIN, registry, "setInsuranceFundFeeRatio(address,uint24)", (token, FUND_SHARE)),
        Tx(
            *(ADMIN, curie["exchange"], "setMaxTickCrossedWithinBlock(address,uint24)"),
            (token, MOST_TICKS),
        ),
    )
    return Base(symbol, asset, token, pool, dispatcher, feed)


def _below(chain: Chain, quote: str) -> str:
    """A base token whose address is lower than the quote token's, so that it is token 0."""
    while True:
        token = chain.deploy("perp:BaseToken", ADMIN)
        if int(token, 16) < int(quote, 16):
            return token


def _pool(chain: Chain, curie: Curie, token: str, price: float) -> str:
    order = (token, curie["quote_token"], POOL_FEE)
    factory = curie["factory"]
    chain.must(Tx(ADMIN, factory, "createPool(address,address,uint24)", order, gas=COSTLY))
    pool = address_in(chain.call(factory, "getPool(address,address,uint24)", *order))
    chain.must(
        Tx(ADMIN, pool, "initialize(uint160)", (sqrt_price(price),)),
        Tx(ADMIN, pool, "increaseObservationCardinalityNext(uint16)", (MEMORY,), gas=COSTLY),
    )
    return pool


def sqrt_price(price: float) -> int:
    """Q64.96, of quote tokens per base token; both have 18 decimals."""
    return isqrt(int(price * 10**12) * (1 << 192) // 10**12)


def signed(word: int) -> int:
    """A word as a signed integer."""
    return word - 2**256 if word >> 255 else word


def ints(answers: Sequence[str | None]) -> list[list[int]]:
    """The signed words of each answer; none where it reverted."""
    return [[] if one is None else [signed(word) for word in words(one)] for one in answers]
