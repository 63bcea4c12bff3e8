"""A small isolated market, whose collateral is priced as a test wants it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from defirisk.core.adapter import Answer, Token
from defirisk.core.book import Book
from defirisk.core.claim import Claim
from defirisk.core.evm import Address
from defirisk.core.quote import Feed, Product, Program, Rate, Spot
from defirisk.core.sources import Sources
from defirisk.core.venue import PriceHistory, Venue
from defirisk.swaps.constant_product import ConstantProduct
from tests import books
from tests.books import Entry

E = 10**18
TKN, USDC = books.address("TKN"), books.address("USDC")
POOL, NETWORK = books.address("pool"), books.address("feed-USDC")
MARKET = "TKN/USDC"
UNITS: list[Sequence[Entry]] = [
    [("collateral", "TKN", 10.0), ("debt", "USDC", 60.0)],
    [("supply", "USDC", 1060.0)],
]
NO_FEE = Fraction(0)


def pool(
    reserves: tuple[int, int] = (100 * E, 1000 * 10**6),
    fee: Fraction = NO_FEE,
    history: PriceHistory | None = None,
) -> Venue:
    """TKN at 10 USDC, unless the reserves say otherwise."""
    return Venue(
        address=POOL,
        deployment="uniswap-v2",
        label=MARKET,
        kind="constant-product",
        tokens=(TKN, USDC),
        decimals=(18, 6),
        pool=ConstantProduct(reserves, fee=fee),
        history=history,
    )


def spot(venue: Venue | None = None) -> Spot:
    """What a pool says of TKN, in USDC."""
    price = (venue or pool()).pool.price(0, 1) * 10**12
    return Spot(POOL, TKN, USDC, price)


def book(
    program: Program,
    *,
    venues: Sequence[Venue] = (),
    claims: Sequence[Claim] = (),
    answers: dict[Address, Answer] | None = None,
    worth: float = 10.0,
    ltv: float = 0.8,
    units: Sequence[Sequence[Entry]] = UNITS,
    debt: Program | None = None,
    **facts: Any,
) -> Book:
    """USDC is a dollar by a network's feed; TKN is `worth` that many and backs loans of it."""
    tokens = (books.Token("TKN", worth, threshold=ltv), books.Token("USDC", 1, threshold=0.05))
    made = books.book(tokens, units)
    loan = debt or Feed(NETWORK, Fraction(1))
    index = Rate("index", Fraction(1))
    programs = tuple(Product((one, index)) for one in (program, program, loan, loan))
    markets = (
        replace(made.markets[0], market=MARKET, ltv=ltv, liquidation_threshold=ltv, **facts),
        replace(made.markets[1], market=MARKET, ltv=0.0, liquidation_threshold=0.0),
    )
    said = Answer(
        price=10**8, decimals=8, updated_at=books.NOW - 30, grade="logs", kind="chainlink"
    )
    return replace(
        made,
        markets=markets,
        quote_market=(MARKET,) * 4,
        quote_program=programs,
        quote_price=np.array([worth, worth, 1.0, 1.0]),
        liquidation_threshold=np.array([ltv, 0.0]),
        sources=Sources(
            tokens={
                TKN: Token(address=TKN, symbol="TKN", name="TKN", decimals=18),
                USDC: Token(address=USDC, symbol="USDC", name="USDC", decimals=6),
            },
            venues={one.address: one for one in venues},
            claims={one.token: one for one in claims},
            answers={NETWORK: said, **(answers or {})},
        ),
    )
