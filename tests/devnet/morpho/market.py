"""Morpho Blue with its markets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from eth_abi.abi import encode
from eth_hash.auto import keccak

from ..chain import Chain, Tx
from ..feeds import Feeds
from ..protocol import ADMIN, TREASURY
from ..tokens import Tokens

PERCENT = 10**16
PARAMS = "(address,address,address,address,uint256)"
FEE = 10 * PERCENT


@dataclass(frozen=True)
class Listing:
    """A market to be created; `lltv` in per cent, `fee` tells whether it starts with one."""

    collateral: str
    loan: str
    lltv: float
    fee: bool = False


# Loan tokens and collaterals of 6, 8 and 18 decimals, in both directions.
LISTINGS = (
    Listing("WETH", "USDC", 86.0, fee=True),
    Listing("WBTC", "DAI", 86.0),
    Listing("yWETH", "WETH", 94.5),
    Listing("LINK", "USDT", 62.5),
    Listing("USDC", "WBTC", 77.0),
    Listing("WETH", "USDC", 77.0),
)
# In these nobody comes to hold five times their own in yWETH.
PRUDENT_LISTINGS = tuple(
    replace(one, lltv=77.0) if (one.collateral, one.loan) == ("yWETH", "WETH") else one
    for one in LISTINGS
)


@dataclass(frozen=True)
class IsolatedMarket:
    """One market: the parameters that its id is the hash of, and its tokens' symbols.

    Those composed of what other protocols made have a label as well.
    """

    collateral: str
    loan: str
    id: str
    params: tuple[str, str, str, str, int]
    label: str = ""

    @property
    def oracle(self) -> str:
        """The contract that prices the collateral in the loan token."""
        return self.params[2]

    @property
    def lltv(self) -> int:
        """The liquidation loan-to-value, 1e18 being 100 %."""
        return self.params[4]


@dataclass(frozen=True)
class Morpho:
    """The singleton and its markets, in the order of their creation."""

    first_block: int
    address: str
    irm: str
    markets: list[IsolatedMarket]

    @property
    def plain(self) -> list[IsolatedMarket]:
        """Those that are there from the beginning, over the shared tokens and feeds."""
        return [market for market in self.markets if not market.label]

    @property
    def composed(self) -> dict[str, IsolatedMarket]:
        """Those whose collateral or price comes from other protocols, by label."""
        return {market.label: market for market in self.markets if market.label}

    def describe(self) -> dict[str, Any]:
        """The section of `deployment.json`."""
        return {
            "name": "morpho-devnet",
            "first_block": self.first_block,
            "morpho": self.address,
            "irm": self.irm,
            "markets": [
                {
                    "id": market.id,
                    "loanToken": market.params[0],
                    "collateralToken": market.params[1],
                    "oracle": market.params[2],
                    "irm": market.params[3],
                    "lltv": market.params[4],
                    "symbols": [market.collateral, market.loan],
                    "label": market.label,
                }
                for market in self.markets
            ],
        }

    @classmethod
    def load(cls, described: dict[str, Any]) -> Morpho:
        """The markets on a chain that was built before."""
        markets = []
        for one in described["markets"]:
            collateral, loan = one["symbols"]
            addresses = (one["loanToken"], one["collateralToken"], one["oracle"], one["irm"])
            params = (*addresses, one["lltv"])
            markets.append(IsolatedMarket(collateral, loan, one["id"], params, one["label"]))
        return cls(described["first_block"], described["morpho"], described["irm"], markets)


def deploy_morpho(chain: Chain, tokens: Tokens, feeds: Feeds, planted: bool = True) -> Morpho:
    """Deploy the singleton and create every listed market."""
    listings = LISTINGS if planted else PRUDENT_LISTINGS
    address = chain.deploy("Morpho", ADMIN, ADMIN)
    first_block = chain.head
    irm = chain.deploy("IrmMock", ADMIN)
    chain.must(
        Tx(ADMIN, address, "enableIrm(address)", (irm,)),
        *(
            Tx(ADMIN, address, "enableLltv(uint256)", (lltv,))
            for lltv in sorted({_lltv(listing) for listing in listings})
        ),
        Tx(ADMIN, address, "setFeeRecipient(address)", (TREASURY,)),
    )
    markets = []
    for listing in listings:
        market = _market(chain, tokens, feeds, irm, listing)
        markets.append(market)
        chain.must(Tx(ADMIN, address, f"createMarket({PARAMS})", (market.params,)))
        if listing.fee:
            chain.must(Tx(ADMIN, address, f"setFee({PARAMS},uint256)", (market.params, FEE)))
    return Morpho(first_block, address, irm, markets)


def _market(
    chain: Chain, tokens: Tokens, feeds: Feeds, irm: str, listing: Listing
) -> IsolatedMarket:
    collateral, loan = tokens.by_symbol[listing.collateral], tokens.by_symbol[listing.loan]
    base, quote = (feeds.by_symbol[one].proxy for one in (listing.collateral, listing.loan))
    oracle = chain.deploy("FeedOracle", ADMIN, base, quote, collateral, loan)
    params = (loan, collateral, oracle, irm, _lltv(listing))
    return IsolatedMarket(listing.collateral, listing.loan, market_id(params), params)


def market_id(params: tuple[str, str, str, str, int]) -> str:
    """The hash of the parameters."""
    encoded = encode(["address", "address", "address", "address", "uint256"], params)
    return "0x" + keccak(encoded).hex()


def _lltv(listing: Listing) -> int:
    return round(listing.lltv * 10) * PERCENT // 10
