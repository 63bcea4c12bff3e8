"""Small books whose protocols liquidate and whose assets trade in pools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from hypothesis import strategies as st

from defirisk.core.book import Book
from defirisk.core.liquidation import (
    BadDebt,
    Interest,
    Liquidation,
    Mechanism,
    Model,
    Pocket,
    Rounding,
    Rule,
)
from defirisk.core.sources import Sources
from defirisk.core.venue import Venue
from defirisk.swaps.constant_product import ConstantProduct
from tests.books import Token, address
from tests.books import book as plain

UNIT = 10**18

HALF = Rule(mechanism=Mechanism.CLOSE_FACTOR, close_factor=Fraction(1, 2), bad_debt=BadDebt.STAYS)
"""Half of one debt at a time, and nothing is booked."""

AAVE = Rule(
    mechanism=Mechanism.HEALTH_CLOSE_FACTOR,
    close_factor=Fraction(1, 2),
    bad_debt=BadDebt.DEFICIT,
    full_close_health=Fraction(95, 100),
    full_close_below=Fraction(2000),
    leftover=Fraction(1000),
    of_all_debts=True,
    debt_rounding=Rounding.UP,
)
AAVE_OLD = replace(
    AAVE,
    bad_debt=BadDebt.STAYS,
    full_close_below=Fraction(0),
    leftover=Fraction(0),
    of_all_debts=False,
)
WHOLE = Rule(
    mechanism=Mechanism.WHOLE_POSITION,
    close_factor=Fraction(1),
    bad_debt=BadDebt.SOCIALISED,
    debt_rounding=Rounding.UP,
)
RULES = (HALF, AAVE, AAVE_OLD, WHOLE)


def liquidated(book: Book, rules: Sequence[Rule], pools: Sequence[Venue] = ()) -> Book:
    """The book with a rule for each deployment, and pools."""
    return replace(
        book,
        liquidation=Liquidation(
            rules=tuple(rules), unit_rule=tuple(int(d) for d in book.unit_deployment)
        ),
        sources=Sources(venues={pool.address: pool for pool in pools}),
    )


def pair(first: str, second: str, reserves: tuple[float, float], name: str = "") -> Venue:
    """A constant product pool of two tokens of 18 decimals, with whole tokens in it."""
    return Venue(
        address=address(name or f"{first}-{second}"),
        deployment="pools",
        label=f"{first}/{second}",
        kind="constant-product",
        tokens=(address(first), address(second)),
        decimals=(18, 18),
        pool=ConstantProduct(
            reserves=(int(reserves[0] * UNIT), int(reserves[1] * UNIT)), fee=Fraction(3, 1000)
        ),
    )


def pocket_of(book: Book, asset: int, fee: Fraction) -> Pocket:
    """The first market of an asset, with 100,000 whole tokens of lenders and no interest."""
    quotes = [q for q in range(len(book.quote_asset)) if book.quote_asset[q] == asset]
    return Pocket(
        market=next(m for m, facts in enumerate(book.markets) if facts.asset == asset),
        supply_quote=quotes[0],
        debt_quote=quotes[-1],
        cash_raw=50_000 * 10**18,
        supplied_raw=100_000 * 10**18,
        borrowed_raw=50_000 * 10**18,
        interest=Interest(
            model=Model.LINEAR, borrow_rate=Fraction(0), supply_rate=Fraction(0), base=Fraction(0)
        ),
        fee=fee,
        pays_out=False,
    )


SYMBOLS = ("USD", "ETH", "BTC", "DAI")
TOKENS = [
    Token("USD", 1.0, 0.9, debt_rate=1.0, supply_rate=1.0),
    Token("ETH", 2000.0, 0.8, debt_rate=1.25, supply_rate=1.0625),
    Token("BTC", 60000.0, 0.75, debt_rate=1.0, supply_rate=1.5),
    Token("DAI", 1.0, 0.85, debt_rate=1.0, supply_rate=1.0),
]


@st.composite
def liquidated_books(draw: st.DrawFn) -> Book:
    """Units of four deployments, one for each rule, around health 1; pools from thin to deep."""
    placed = draw(st.lists(st.integers(0, len(RULES) - 1), min_size=1, max_size=12))
    pools = [
        pair(symbol, "USD", (depth, depth * token.price))
        for symbol, token in zip(SYMBOLS[1:], TOKENS[1:], strict=True)
        if (depth := draw(st.sampled_from([0.0, 3.0, 50.0, 10_000.0])))
    ]
    if draw(st.booleans()):
        pools.append(pair("ETH", "BTC", (300.0, 10.0)))
    made = plain(
        TOKENS,
        [draw(_entries(single=RULES[d] is WHOLE)) for d in placed],
        deployments=("half", "aave", "old", "whole"),
        placed=placed,
    )
    return liquidated(made, RULES, pools)


@st.composite
def _entries(draw: st.DrawFn, single: bool) -> list[tuple[str, str, float]]:
    most = 1 if single else 3
    pledged = draw(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=most, unique=True))
    owed = draw(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=most, unique=True))
    worth = draw(st.sampled_from([50.0, 1500.0, 30_000.0, 400_000.0]))
    health = draw(st.floats(0.7, 1.6))
    backing = sum(token.threshold * worth * token.supply_rate for token in pledged)
    share = backing / health / len(owed)
    entries = [("collateral", token.symbol, worth / token.price) for token in pledged]
    return entries + [
        ("debt", token.symbol, share / token.price / token.debt_rate) for token in owed
    ]
