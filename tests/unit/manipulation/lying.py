"""How tests lie about the prices of a small market."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from defirisk.core.book import Book
from defirisk.core.quote import Twap
from defirisk.manipulation.assumptions import Assumptions
from defirisk.manipulation.attempts import (
    Earner,
    earners,
)
from defirisk.manipulation.lending import Listing, listings
from defirisk.manipulation.lies import TRUTH, Family, families
from defirisk.swaps.constant_product import UNISWAP_FEE, ConstantProduct
from defirisk.swaps.twap import CumulativePrices
from tests.books import NOW
from tests.unit.manipulation.made import MARKET, TKN, USDC, book, pool, spot

ASSUMED = Assumptions(gas_usd=0.0)
PRICES = {TKN: 10.0, USDC: 1.0}
CASH = 1000.0  # 1060 supplied, 60 borrowed


def sides(made: Book) -> tuple[Listing, Listing]:
    collateral, loan = listings(made)[0, MARKET]
    return collateral, loan


def attack(made: Book, aim: str, assumed: Assumptions = ASSUMED, about: int = 0) -> Earner:
    both = sides(made)
    every = list(earners(made, both[about], [both[1 - about]], assumed))
    if aim == "liquidate":
        return every[-1]
    found = {said.aim: earner for earner in every if (said := earner(TRUTH)) is not None}
    return found[aim]  # type: ignore[index]


def family(
    made: Book, assumed: Assumptions = ASSUMED, *, up: bool = True, about: int = 0
) -> Family:
    program = sides(made)[about].program
    return next(one for one in families(program, made.sources, PRICES, assumed) if one.up is up)


def averaged(window: int = 3600) -> Book:
    venue = pool(fee=UNISWAP_FEE)
    assert isinstance(venue.pool, ConstantProduct)
    history = CumulativePrices(0, 0, NOW, venue.pool.reserves)
    mean = Twap(spot(), window, Fraction(10))
    return book(mean, venues=[replace(venue, history=history)])
