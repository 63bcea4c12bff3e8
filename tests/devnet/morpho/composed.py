"""Markets of Morpho over what other protocols made: shares, aTokens, and sources of every kind."""

from __future__ import annotations

from dataclasses import dataclass

from ..abi import ZERO_ADDRESS
from ..chain import Chain, Tx
from ..feeds import Feeds
from ..market import Market
from ..oracles.market import (
    CAPPED,
    FAIR,
    NAIVE,
    PEGGED,
    PRICES,
    PYTH,
    RENEWED,
    SHARE,
    TWAP_V2,
    TWAP_V3,
    WRITTEN,
    Oracles,
)
from ..protocol import ADMIN
from ..uniswap_v2.market import UniswapV2
from ..vaults.market import ALLOCATOR, CREDIT, Vaults, submit_caps
from .market import PARAMS, PERCENT, IsolatedMarket, Morpho, market_id

A_WETH, LP = "aWETH", f"LP {SHARE}"
LOOPED, BAD, PEG, THIN = "looped", "bad", "hard-coded", "thin-twap"
A_TOKEN, SHARED_USDT, SHARED_DAI, VAULT_RATE = "atoken", "shared-usdt", "shared-dai", "vault-rate"
LP_NAIVE, LP_FAIR = "lp-naive", "lp-fair"
RATED = "rated"  # credit again, at its rate
ALLOCATED = A_TOKEN, BAD  # and the first plain market


@dataclass(frozen=True)
class Composition:
    """A market to be created: `base` is the label of a source or the symbol of a shared feed.

    A `vault` whose shares are the collateral makes the oracle ask for their rate; without a `base`
    its asset is the loan token.
    """

    label: str
    collateral: str
    loan: str
    lltv: float
    base: str = ""
    vault: str = ""


COMPOSITIONS = (
    Composition(LOOPED, "yWETH", "WETH", 94.5, vault="yWETH"),
    # With the two plain markets for WETH these are six that one feed decides on.
    Composition(A_TOKEN, A_WETH, "USDC", 77.0, "WETH"),
    Composition(SHARED_USDT, "WETH", "USDT", 77.0, "WETH"),
    Composition(SHARED_DAI, "WETH", "DAI", 86.0, "WETH"),
    Composition(VAULT_RATE, "yWETH", "USDC", 77.0, "WETH", vault="yWETH"),
    Composition(LP_NAIVE, LP, "USDC", 77.0, NAIVE),
    Composition(LP_FAIR, LP, "USDC", 77.0, FAIR),
    Composition(PEG, "USDT", "DAI", 94.5, PEGGED),
    Composition(BAD, CREDIT, "USDC", 86.0, WRITTEN),
    Composition(THIN, "LINK", "USDC", 62.5, TWAP_V2),
    Composition("v3-twap", "WETH", "USDC", 86.0, TWAP_V3),
    Composition("pyth", "WBTC", "USDC", 86.0, PYTH),
    Composition("capped-rate", "yWETH", "USDC", 86.0, CAPPED),
    Composition("replaced-feed", "AAVE", "USDC", 62.5, RENEWED),
    Composition("vault-share", ALLOCATOR, "DAI", 86.0, "USDC", vault=ALLOCATOR),
)


PRUDENT_COMPOSITIONS = (
    Composition("yweth", "yWETH", "WETH", 77.0, vault="yWETH"),
    Composition(A_TOKEN, A_WETH, "USDC", 77.0, "WETH"),
    Composition(VAULT_RATE, "yWETH", "USDC", 77.0, "WETH", vault="yWETH"),
    Composition(LP_FAIR, LP, "USDC", 77.0, FAIR),
    Composition("usdt", "USDT", "DAI", 86.0, "USDT"),
    Composition(RATED, CREDIT, "USDC", 77.0, "USDC", vault=CREDIT),
    Composition("link", "LINK", "USDC", 62.5, "LINK"),
    Composition("v3-twap", "WETH", "USDC", 86.0, TWAP_V3),
    Composition("pyth", "WBTC", "USDC", 86.0, PYTH),
    Composition("capped-rate", "yWETH", "USDC", 77.0, CAPPED),
    Composition("vault-share", ALLOCATOR, "DAI", 86.0, "USDC", vault=ALLOCATOR),
)
"""What the control has instead: every price is somebody's answer, and each market's own."""
PRUDENTLY_ALLOCATED = A_TOKEN, RATED


@dataclass(frozen=True)
class Parts:
    """What markets are composed of."""

    aave: Market
    uniswap_v2: UniswapV2
    vaults: Vaults
    oracles: Oracles

    @property
    def feeds(self) -> Feeds:
        """The shared ones."""
        return self.aave.feeds

    def token(self, symbol: str) -> str:
        """The address of a plain token, or of one that is a claim on others."""
        if symbol == A_WETH:
            return self.aave.assets["WETH"].a_token
        if symbol == LP:
            return self.uniswap_v2.pools[SHARE].address
        vault = self.vaults.by_symbol.get(symbol)
        return vault.address if vault else self.aave.tokens.by_symbol[symbol]

    def source(self, label: str, feeds: Feeds | None = None) -> str:
        """The address of a source, or of one of the shared or of other feeds; zero for none."""
        if not label:
            return ZERO_ADDRESS
        own = self.oracles.sources.get(label)
        return own.address if own else (feeds or self.feeds).by_symbol[label].proxy


def compose_markets(chain: Chain, morpho: Morpho, parts: Parts, planted: bool = True) -> None:
    """Create every composed market, and let the allocator start on the caps of its three."""
    for composition in COMPOSITIONS if planted else PRUDENT_COMPOSITIONS:
        feeds = parts.feeds if planted else _own_feeds(parts, composition)
        morpho.markets.append(_market(chain, morpho, parts, composition, feeds))
    created = morpho.composed
    labels = ALLOCATED if planted else PRUDENTLY_ALLOCATED
    allocated = [morpho.markets[0], *(created[label] for label in labels)]
    create = f"createMarket({PARAMS})"
    chain.must(
        *(Tx(ADMIN, morpho.address, create, (one.params,)) for one in created.values()),
        *submit_caps(parts.vaults.by_symbol[ALLOCATOR], allocated),
    )


def _own_feeds(parts: Parts, composition: Composition) -> Feeds:
    """Those of its two sides that a network reports."""
    asked = (composition.base, composition.loan) if composition.base else ()
    return parts.feeds.another({one: PRICES[one] for one in dict.fromkeys(asked) if one in PRICES})


def _market(
    chain: Chain, morpho: Morpho, parts: Parts, composition: Composition, feeds: Feeds
) -> IsolatedMarket:
    collateral, loan = parts.token(composition.collateral), parts.token(composition.loan)
    base = parts.source(composition.base, feeds)
    quote = parts.source(composition.loan if composition.base else "", feeds)
    if composition.vault:
        vault = parts.token(composition.vault)
        sides = ((vault, base, ZERO_ADDRESS, collateral), (ZERO_ADDRESS, quote, ZERO_ADDRESS, loan))
        oracle = chain.deploy("ComposedOracle", ADMIN, *sides[0], *sides[1])
    else:
        oracle = chain.deploy("FeedOracle", ADMIN, base, quote, collateral, loan)
    lltv = round(composition.lltv * 10) * PERCENT // 10
    params = (loan, collateral, oracle, morpho.irm, lltv)
    symbols = (composition.collateral, composition.loan)
    return IsolatedMarket(*symbols, market_id(params), params, composition.label)
