"""Markets take over what a feed is made of, and take its integer for their own unit of account."""

from __future__ import annotations

from fractions import Fraction

import pytest

from defirisk.core.adapter import Answer
from defirisk.core.quote import Feed, Leaf, Program, Spot, exact, leaves
from defirisk.protocols.lending.aave_v3.market_now import PriceNow as AavePrice
from defirisk.protocols.lending.compound_v2.market_now import PriceNow as CompoundPrice

FEED = "0xf1"
SPOT = Spot("0x90", "0xe1", "0xdc", Fraction(2_000))
POOLED = Answer(price=2_000 * 10**8, decimals=8, updated_at=7, grade="logs", program=SPOT)
PLAIN = Answer(price=2_000 * 10**8, decimals=8, updated_at=7, grade="logs")


def aave(answer: Answer | None, unit: int = 10**8) -> Program:
    price = answer.price if answer else 5 * 10**8
    return AavePrice(
        price=price, source=FEED, updated_ts=None, grade="logs", answer=answer
    ).program(unit)


def compound(answer: Answer | None) -> Program:
    price = answer.price if answer else 5 * 10**8
    now = CompoundPrice(
        answer=price, scale=10**10, source=FEED, updated_ts=None, grade="logs", said=answer
    )
    assert now.mantissa is not None
    return now.program(Fraction(now.mantissa, 10**18))


@pytest.mark.parametrize("market", [aave, compound])
def test_a_quote_has_the_leaves_of_its_feed(market: object) -> None:
    assert callable(market)
    assert market(POOLED) == SPOT
    assert market(PLAIN) == Feed(FEED, Fraction(2_000))
    # What the market's oracle says by itself has no feed behind it.
    assert market(None) == Feed(FEED, Fraction(5))


def test_aave_takes_an_answer_of_other_decimals_for_its_own_unit() -> None:
    """`AaveOracle` never looks at a source's decimals: what has 18 is 10^10 times too dear."""

    def half(leaf: Leaf) -> Fraction:
        return Fraction(1, 2 if leaf == SPOT else 1)

    program = aave(POOLED, unit=10**6)

    assert exact(program) == 200_000
    assert exact(program, half) == 100_000
    assert SPOT in leaves(program)


def test_a_price_that_is_not_known_has_no_value() -> None:
    unknown = AavePrice(price=None, source=FEED, updated_ts=None, grade="none")
    assert unknown.program(10**8) == Feed(FEED, None)
