"""Price sources of every kind, all with the reading interface of Chainlink."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from eth_abi.abi import encode
from eth_hash.auto import keccak

from ..abi import derived_address, words
from ..chain import SLOT, Chain, Tx
from ..feeds import Feeds
from ..protocol import ADMIN
from ..reserves import RESERVES
from ..tokens import WAD, Tokens
from ..uniswap_v2.market import UniswapV2
from ..uniswap_v3.market import UniswapV3
from ..vaults.market import CREDIT, Vaults

PUBLISHER = derived_address("devnet publisher")
PERIOD, WINDOW = 3600, 1800  # seconds
THIN, DEEP, SHARE = "LINK/USDC", "WETH/USDC 0.05%", "WETH/USDC"
YEARLY_GROWTH = 300  # basis points: less than what yWETH earns
PYTH_PLACES = 8
PYTH_ID = keccak(b"WBTC/USD")
REPLACED = "AAVE"
PRICES = {reserve.symbol: reserve.price for reserve in RESERVES}
TWAP_V2, TWAP_V3, CAPPED = "twap-v2 LINK", "twap-v3 WETH", "capped yWETH"
NAIVE, FAIR, PYTH = "lp-naive WETH/USDC", "lp-fair WETH/USDC", "pyth WBTC"
PEGGED, WRITTEN = "hard-coded USDT", f"hard-coded {CREDIT}"
RENEWED = "chainlink AAVE"


@dataclass(frozen=True)
class Source:
    """A contract to read as a Chainlink feed, and what its answer is made of."""

    kind: str
    address: str
    made_of: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Oracles:
    """All sources by label; `renewed` has the one whose aggregator is replaced."""

    first_block: int
    pyth: str
    sources: dict[str, Source]
    renewed: Feeds

    def describe(self) -> dict[str, Any]:
        """The section of `deployment.json`."""
        sources = {label: asdict(source) for label, source in self.sources.items()}
        sources[RENEWED]["made_of"]["aggregator"] = self.renewed.by_symbol[REPLACED].aggregator
        return {
            "name": "oracles-devnet",
            "first_block": self.first_block,
            "pyth": self.pyth,
            "feeds": sources,
        }

    @classmethod
    def load(cls, chain: Chain, tokens: Tokens, described: dict[str, Any]) -> Oracles:
        """The sources on a chain that was built before."""
        sources = {label: Source(**one) for label, one in described["feeds"].items()}
        renewed = Feeds(chain, ADMIN, tokens.by_symbol["LINK"])
        proxy = sources[RENEWED]
        renewed.attach(REPLACED, proxy.made_of["aggregator"], proxy.address)
        return cls(described["first_block"], described["pyth"], sources, renewed)

    def publish(self, chain: Chain, price: float) -> Tx:
        """An update of Pyth's price, made for the next block."""
        time, answer = chain.time + SLOT, round(price * 10**PYTH_PLACES)
        said = (answer, answer // 2000, -PYTH_PLACES, time)
        one = "(int64,uint64,int32,uint256)"
        update = encode(["bytes32", one, one, "uint64"], [PYTH_ID, said, said, time - 1])
        return Tx(PUBLISHER, self.pyth, "updatePriceFeeds(bytes[])", ([update],), value=1)


def deploy_oracles(
    chain: Chain,
    tokens: Tokens,
    feeds: Feeds,
    vaults: Vaults,
    pools: tuple[UniswapV2, UniswapV3],
    planted: bool = True,
) -> Oracles:
    """Deploy every source, and see to it that each has an answer; `planted` ones lie or may."""
    chain.fund((PUBLISHER,), wei=10**24)
    pyth = chain.deploy("MockPyth", ADMIN, 60, 1)
    renewed = Feeds(chain, ADMIN, tokens.by_symbol["LINK"])
    oracles = Oracles(chain.head, pyth, {}, renewed)
    proxy = renewed.add(REPLACED).proxy
    chain.must(oracles.publish(chain, PRICES["WBTC"]), *renewed.report(REPLACED, PRICES[REPLACED]))
    reader = chain.deploy("PythAggregatorV3", ADMIN, pyth, PYTH_ID)
    oracles.sources.update(
        {
            **_of_pools(chain, tokens, feeds, pools, planted),
            CAPPED: _capped(chain, feeds, vaults),
            **(_hard_coded(chain) if planted else {}),
            PYTH: Source("pyth", reader, {"pyth": pyth, "id": "0x" + PYTH_ID.hex()}),
            RENEWED: Source("chainlink", proxy),
        }
    )
    # The first period of the one average, and time to look back on for the other.
    chain.mine([], PERIOD)
    if planted:
        chain.must(Tx(PUBLISHER, oracles.sources[TWAP_V2].address, "update()"))
    return oracles


def _of_pools(
    chain: Chain,
    tokens: Tokens,
    feeds: Feeds,
    pools: tuple[UniswapV2, UniswapV3],
    planted: bool,
) -> dict[str, Source]:
    thin, deep, share = pools[0].pools[THIN], pools[1].pools[DEEP], pools[0].pools[SHARE]
    link, weth, dollar = tokens.by_symbol["LINK"], tokens.by_symbol["WETH"], feeds.by_symbol["USDC"]
    first, second = (feeds.by_symbol[symbol].proxy for symbol in share.symbols)
    twap_v2 = (thin.address, link, dollar.proxy, PERIOD, "TWAP LINK / USD")
    twap_v3 = (deep.address, WINDOW, weth, dollar.proxy, "TWAP WETH / USD")
    sides = (share.address, first, second)
    made_of = {"pair": share.address, "feed_0": first, "feed_1": second}
    found: dict[str, Source] = {}
    if planted:
        address = chain.deploy("TwapV2Feed", ADMIN, *twap_v2)
        of = {"pair": thin.address, "base": link, "quote_feed": dollar.proxy, "period": PERIOD}
        found[TWAP_V2] = Source("twap-v2", address, of)
    address = chain.deploy("TwapV3Feed", ADMIN, *twap_v3)
    of = {"pool": deep.address, "base": weth, "quote_feed": dollar.proxy, "window": WINDOW}
    found[TWAP_V3] = Source("twap-v3", address, of)
    if planted:
        address = chain.deploy("LpFeedNaive", ADMIN, *sides, "Naive LP / USD")
        found[NAIVE] = Source("lp-naive", address, made_of)
    address = chain.deploy("LpFeedFair", ADMIN, *sides, "Fair LP / USD")
    found[FAIR] = Source("lp-fair", address, dict(made_of))
    return found


def _capped(chain: Chain, feeds: Feeds, vaults: Vaults) -> Source:
    vault, base = vaults.by_symbol["yWETH"].address, feeds.by_symbol["WETH"].proxy
    rate = words(chain.call(vault, "convertToAssets(uint256)", WAD))[0]
    snapshot = (rate, chain.time, YEARLY_GROWTH)
    words_of_it = "Capped yWETH / WETH / USD"
    address = chain.deploy("CappedRatioFeed", ADMIN, vault, base, *snapshot, words_of_it)
    return Source("capped-ratio", address, {"vault": vault, "base_feed": base})


def _hard_coded(chain: Chain) -> dict[str, Source]:
    """A dollar, whatever happens."""
    found = {}
    for label, symbol in ((PEGGED, "USDT"), (WRITTEN, CREDIT)):
        price = (10**8, 8, f"{symbol} / USD")
        address = chain.deploy("HardCodedFeed", ADMIN, *price)
        found[label] = Source("hard-coded", address, {"answer": price[0]})
    return found
