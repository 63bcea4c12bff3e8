"""A small book in which everything that the graph measures is there once, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from defirisk.core.adapter import Answer, Token
from defirisk.core.book import Book
from defirisk.core.claim import Allocation, Claim
from defirisk.core.quote import Constant, Conversion, Market, Product
from defirisk.core.sources import Sources
from defirisk.core.venue import Venue
from defirisk.swaps.constant_product import ConstantProduct
from tests import books
from tests.books import Entry

E = 10**18
WETH, SHARE, USDC = (books.address(name) for name in ("WETH", "yWETH", "USDC"))
FEED, WRITTEN, OUTER = (books.address(name) for name in ("feed-WETH", "written", "outer"))
POOL = books.address("pool")
UNITS: list[Sequence[Entry]] = [
    [("collateral", "yWETH", 10.0), ("debt", "WETH", 9.9)],  # the looper, on here
    [("collateral", "WETH", 5.0), ("debt", "USDC", 4000.0)],  # anna, on here
    [("collateral", "WETH", 1.0), ("debt", "USDC", 500.0)],  # anna, on there
    [("supply", "WETH", 20.0)],  # a bank
    [("supply", "USDC", 9000.0)],
    *([("supply", "USDC", 1.0)] for _ in range(3)),  # three alike
]
OWNERS = ("looper", "anna", "anna", "bank", "bank", "one", "two", "three")
TOKENS = (
    books.Token("WETH", 2000),
    books.Token("yWETH", 2200, feed="feed-WETH"),
    books.Token("USDC", 1, feed=""),
)


def pool(reserves: tuple[int, int] = (100 * E, 200_000 * 10**6)) -> Venue:
    return Venue(
        address=POOL,
        deployment="uniswap-v2",
        label="WETH/USDC",
        kind="constant-product",
        tokens=(WETH, USDC),
        decimals=(18, 6),
        pool=ConstantProduct(reserves),
    )


def vault(*allocations: Allocation, total: int = 110 * E) -> Claim:
    rate = Fraction(11, 10)
    return Claim(
        token=SHARE,
        kind="vault",
        program=Product((Conversion(SHARE, rate), Market(WETH, Fraction(2000)))),
        underlying=WETH,
        rate=rate,
        total_assets_raw=total,
        supply_raw=100 * E,
        allocations=allocations,
    )


def answer(kind: str, *made_of: str) -> Answer:
    program = Constant(Fraction(1)) if kind == "hard-coded" else None
    return Answer(
        price=1, decimals=0, updated_at=0, grade="logs", kind=kind, made_of=made_of, program=program
    )


def book(
    *allocations: Allocation,
    reserves: tuple[int, int] = (100 * E, 200_000 * 10**6),
    symbols: dict[str, str] | None = None,
) -> Book:
    """WETH and its share priced by one feed that reads a pool; USDC by nobody. `symbols` renames
    assets.
    """
    made = books.book(
        TOKENS, UNITS, deployments=("here", "there"), placed=(0, 0, 1, 0, 0, 0, 0, 0), owners=OWNERS
    )
    markets = tuple(
        replace(m, price_source=WRITTEN if made.symbol(m.asset) == "USDC" else OUTER, market="main")
        for m in made.markets
    )
    decimals = {WETH: 18, SHARE: 18, USDC: 6}
    sources = Sources(
        tokens={a: Token(address=a, symbol="", name="", decimals=d) for a, d in decimals.items()},
        venues={POOL: pool(reserves)},
        claims={SHARE: vault(*allocations)},
        answers={
            OUTER: answer("capped-ratio", FEED),
            FEED: answer("uniswap-twap-v2", POOL),
            WRITTEN: answer("hard-coded"),
        },
    )
    renamed = tuple(
        replace(one, symbol=(symbols or {}).get(one.symbol, one.symbol)) for one in made.assets
    )
    return replace(
        made,
        assets=renamed,
        markets=markets,
        quote_market=("main",) * len(made.quote_market),
        sources=sources,
    )
