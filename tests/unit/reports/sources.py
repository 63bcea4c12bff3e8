"""A small book with pools, feeds and wrapped tokens, and what reads them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from defirisk.core.adapter import Answer, Token
from defirisk.core.book import Book
from defirisk.core.claim import Allocation, Claim
from defirisk.core.quote import Constant, Conversion, Feed, Market, Product, Program, Spot
from defirisk.core.sources import Sources
from defirisk.core.venue import Pool, Venue, VenueKind
from defirisk.swaps.concentrated import Concentrated
from defirisk.swaps.constant_product import ConstantProduct
from defirisk.swaps.order_book import OrderBook
from defirisk.swaps.stableswap import StableSwap
from tests import books

E = 10**18
WETH, USDC, DAI, SHARE = (books.address(name) for name in ("WETH", "USDC", "DAI", "yWETH"))
PAIR, BOOK, THREE, RANGES = (books.address(name) for name in ("pair", "book", "three", "ranges"))
ETH_FEED, DOLLAR_FEED = books.address("feed-WETH"), books.address("feed-USDC")
POOL = ConstantProduct((1000 * E, 2_000_000 * 10**6))
SPOT = Spot(PAIR, WETH, USDC, Fraction(2000))


def venue(
    address: str,
    pool: Pool,
    *,
    kind: VenueKind = "constant-product",
    tokens: tuple[str, ...] = (WETH, USDC),
    decimals: tuple[int, ...] = (18, 6),
    label: str = "WETH/USDC",
) -> Venue:
    return Venue(
        address=address,
        deployment="uniswap-v2",
        label=label,
        kind=kind,
        tokens=tokens,
        decimals=decimals,
        pool=pool,
    )


def answer(price: int, *, age: int = 60, program: Program | None = None) -> Answer:
    """Of 8 decimals."""
    return Answer(
        price=price, decimals=8, updated_at=books.NOW - age, grade="logs", program=program
    )


def book(*venues: Venue, **programs: Program) -> Book:
    """WETH of $2000 and USDC against each other; quotes of an asset may be replaced."""
    plain = books.book(
        [books.Token("WETH", 2000), books.Token("USDC", 1)],
        [[("collateral", "WETH", 5.0), ("debt", "USDC", 6000.0)], [("collateral", "WETH", 1.0)]],
    )
    quotes = tuple(
        programs.get(plain.symbol(int(asset)), program)
        for asset, program in zip(plain.quote_asset, plain.quote_program, strict=True)
    )
    tokens = (Token(address=DAI, symbol="DAI", name="Dai", decimals=18),)
    found = Sources(
        tokens={token.address: token for token in tokens},
        venues={one.address: one for one in venues},
        answers={ETH_FEED: answer(2000 * 10**8), DOLLAR_FEED: answer(10**8)},
    )
    return replace(plain, quote_program=quotes, sources=found)


def with_claim(made: Book) -> Book:
    """The same book, in which a share of a vault is known."""
    claim = Claim(
        token=SHARE,
        kind="vault",
        program=Product((Conversion(SHARE, Fraction(11, 10)), Market(WETH, Fraction(2000)))),
        underlying=WETH,
        rate=Fraction(11, 10),
        allocations=(Allocation(market="m", assets_raw=1),),
    )
    return replace(made, sources=replace(made.sources, claims={SHARE: claim}))


def depth_table() -> Venue:
    """10 WETH at 2000, and 90 more at 1900."""
    prices = (Fraction(2000, 10**12), Fraction(1900, 10**12))
    return venue(BOOK, OrderBook(prices=prices, amounts=(10 * E, 100 * E)), kind="depth")


def three_coins() -> Venue:
    pool = StableSwap(
        balances=(10**6 * E, 10**6 * E, 10**6 * E),
        rates=(E, E, E),
        amplification=2000_00,
        fee_e10=4_000_000,
    )
    return venue(
        THREE,
        pool,
        kind="stableswap",
        tokens=(DAI, USDC, WETH),
        decimals=(18, 18, 18),
        label="DAI/USDC/WETH",
    )


def ranges() -> Venue:
    """One range around a price of one, over nothing."""
    pool = Concentrated.of(
        sqrt_price_x96=1 << 96,
        tick=0,
        liquidity=10**24,
        fee_pips=500,
        tick_spacing=10,
        liquidity_net={-1000: 10**24, 1000: -(10**24)},
    )
    return venue(RANGES, pool, kind="concentrated", decimals=(18, 18))


def hard_coded(value: int) -> Program:
    return Constant(Fraction(value))


def feed_of(address: str, value: int) -> Feed:
    return Feed(address, Fraction(value))
