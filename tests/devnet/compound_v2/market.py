"""Compound v2: the comptroller, its price oracle and its cTokens."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..chain import Chain, Tx
from ..feeds import Feeds
from ..protocol import ADMIN
from ..purse import DECIMALS
from ..tokens import Tokens

MANTISSA = 10**18
PERCENT = MANTISSA // 100
CTOKEN_DECIMALS = 8
CLOSE_FACTOR = 50 * PERCENT
LIQUIDATION_INCENTIVE = 108 * PERCENT
BLOCKS_PER_YEAR = 2_102_400  # as the rate models count them
# Interest runs per block, and this chain lives through half a year in a thousand of them: with
# mainnet's rates nothing would accrue that an index could show. Rates are per block here.
SLOPE = BLOCKS_PER_YEAR * 3 * 10**12
STEEP_SLOPE = BLOCKS_PER_YEAR * 8 * 10**12
BASE_RATE = BLOCKS_PER_YEAR * 2 * 10**11
KINK = 80 * PERCENT
FORK = "fork:"  # before the names of contracts whose events are those of Venus


@dataclass(frozen=True)
class Listing:
    """A cToken to be listed: factors in per cent, the borrow cap in whole tokens (0: none)."""

    symbol: str
    collateral_factor: int
    reserve_factor: int
    jump_rates: bool = True
    borrow_cap: int = 0


LISTINGS = (
    Listing("WETH", 82, 20),
    Listing("WBTC", 70, 20, borrow_cap=5_000),
    Listing("USDC", 80, 8),
    Listing("DAI", 75, 15),
    Listing("USDT", 0, 8, jump_rates=False),
    Listing("LINK", 60, 25, jump_rates=False),
)


@dataclass(frozen=True)
class CToken:
    """A cToken and what it wraps."""

    ctoken: str
    underlying: str


@dataclass(frozen=True)
class Compound:
    """Everything the population and the tests need to know of the deployment."""

    first_block: int
    comptroller: str
    oracle: str
    ctokens: dict[str, CToken]

    def describe(self) -> dict[str, Any]:
        """The section of `deployment.json`."""
        return {
            "name": "compound-v2-devnet",
            "first_block": self.first_block,
            "comptroller": self.comptroller,
            "oracle": self.oracle,
            "ctokens": {symbol: asdict(one) for symbol, one in self.ctokens.items()},
        }

    @classmethod
    def load(cls, described: dict[str, Any]) -> Compound:
        """The cTokens on a chain that was built before."""
        ctokens = {symbol: CToken(**one) for symbol, one in described["ctokens"].items()}
        first_block, comptroller = described["first_block"], described["comptroller"]
        return cls(first_block, comptroller, described["oracle"], ctokens)


def deploy_compound(chain: Chain, tokens: Tokens, feeds: Feeds, code: str = "") -> Compound:
    """Deploy the comptroller behind its proxy and list every cToken.

    `code` is `FORK` where the comptroller and the cTokens are those of a fork.
    """
    comptroller = chain.deploy("Unitroller", ADMIN)
    first_block = chain.head
    implementation = chain.deploy(f"{code}Comptroller", ADMIN)
    oracle = chain.deploy("FeedPriceOracle", ADMIN)
    chain.must(
        Tx(ADMIN, comptroller, "_setPendingImplementation(address)", (implementation,)),
        Tx(ADMIN, implementation, "_become(address)", (comptroller,)),
        Tx(ADMIN, comptroller, "_setPriceOracle(address)", (oracle,)),
        Tx(ADMIN, comptroller, "_setCloseFactor(uint256)", (CLOSE_FACTOR,)),
        Tx(ADMIN, comptroller, "_setLiquidationIncentive(uint256)", (LIQUIDATION_INCENTIVE,)),
    )
    jump = chain.deploy("JumpRateModelV2", ADMIN, BASE_RATE, SLOPE, STEEP_SLOPE, KINK, ADMIN)
    straight = chain.deploy("WhitePaperInterestRateModel", ADMIN, BASE_RATE, SLOPE)
    delegate = chain.deploy(f"{code}CErc20Delegate", ADMIN)
    compound = Compound(first_block, comptroller, oracle, {})
    for listing in LISTINGS:
        model = jump if listing.jump_rates else straight
        symbol, token = listing.symbol, tokens.by_symbol[listing.symbol]
        ctoken = _delegator(chain, comptroller, model, delegate, symbol, token)
        feed = (ctoken, feeds.by_symbol[symbol].proxy)
        chain.must(
            Tx(ADMIN, oracle, "setFeed(address,address)", feed),
            *_listing(comptroller, ctoken, listing),
        )
        compound.ctokens[symbol] = CToken(ctoken, token)
    return compound


def _delegator(
    chain: Chain, comptroller: str, model: str, delegate: str, symbol: str, token: str
) -> str:
    # A new cToken is worth a fiftieth of its underlying token.
    exchange_rate = 2 * 10 ** (18 + DECIMALS[symbol] - CTOKEN_DECIMALS - 2)
    names = (f"Compound {symbol}", f"c{symbol}", CTOKEN_DECIMALS)
    return chain.deploy(
        *("CErc20Delegator", ADMIN, token, comptroller, model, exchange_rate, *names),
        *(ADMIN, delegate, b""),
    )


def _listing(comptroller: str, ctoken: str, listing: Listing) -> list[Tx]:
    txs = [Tx(ADMIN, comptroller, "_supportMarket(address)", (ctoken,))]
    if listing.collateral_factor:
        factor = (ctoken, listing.collateral_factor * PERCENT)
        txs.append(Tx(ADMIN, comptroller, "_setCollateralFactor(address,uint256)", factor))
    reserve_factor = (listing.reserve_factor * PERCENT,)
    txs.append(Tx(ADMIN, ctoken, "_setReserveFactor(uint256)", reserve_factor))
    if listing.borrow_cap:
        caps = ([ctoken], [listing.borrow_cap * 10 ** DECIMALS[listing.symbol]])
        txs.append(Tx(ADMIN, comptroller, "_setMarketBorrowCaps(address[],uint256[])", caps))
    return txs
