"""What a price is made of, in words."""

from __future__ import annotations

from fractions import Fraction

import pytest

from defirisk.core.quote import (
    Clamp,
    Constant,
    Conversion,
    Feed,
    Market,
    Median,
    Product,
    Program,
    Rate,
    Ratio,
    Root,
    Sum,
    Twap,
)
from defirisk.reports.program import lines
from tests.unit.reports import sources
from tests.unit.reports.sources import PAIR, SHARE, SPOT, WETH

FEED = Feed("0xf", Fraction(3))


@pytest.mark.parametrize(
    ("program", "what", "value", "address"),
    [
        (FEED, "a feed", 3, "0xf"),
        (SPOT, "a pool: WETH in USDC, right now", 2000, PAIR),
        (Conversion(WETH, Fraction(2)), "what a share of WETH converts to", 2, WETH),
        (Market(WETH, None), "the market price of WETH", None, WETH),
        (Rate("aave/borrow_index", Fraction(2)), "the market's own books: borrow index", 2, ""),
        (Constant(Fraction(7)), "a constant", 7, ""),
        (Product((FEED, FEED)), "the product of", 9, ""),
        (Sum((FEED, FEED)), "the sum of", 6, ""),
        (Ratio(FEED, Constant(Fraction(0))), "the ratio of", None, ""),
        (Median((FEED, SPOT)), "the median of", 1001.5, ""),
        (Root(Constant(Fraction(9))), "the square root of", 3, ""),
        (Root(Constant(Fraction(-9))), "the square root of", None, ""),
        (Twap(FEED, 1800, Fraction(4)), "the mean over 30 min of", 4, ""),
        (Clamp(FEED, Fraction(4), None), "not below 4:", 4, ""),
        (Clamp(FEED, None, Fraction(5, 2)), "not above 2.5:", 2.5, ""),
        (Clamp(FEED, Fraction(1), Fraction(5)), "not below 1 and not above 5:", 3, ""),
    ],
)
def test_each_step_in_words(program: Program, what: str, value: float | None, address: str) -> None:
    first = next(lines(sources.book(), program))
    assert (first.level, first.what, first.value, first.address) == (0, what, value, address)


def test_parts_are_indented_under_what_is_made_of_them() -> None:
    program = Product((Median((FEED, Twap(SPOT, 60, None))), Conversion(SHARE, None)))
    found = list(lines(sources.book(), program))

    assert [line.level for line in found] == [0, 1, 2, 2, 3, 1]
    assert found[4].row[0] == "· · · a pool: WETH in USDC, right now"
    assert [line.value for line in found] == [None, None, 3, None, 2000, None]


def test_a_deep_program_is_written_out() -> None:
    program: Program = FEED
    for _ in range(60):
        program = Product((program, Constant(Fraction(1))))
    found = list(lines(sources.book(), program))
    assert len(found) == 121
    assert max(line.level for line in found) == 60
    assert all(line.value in (1, 3) for line in found)
