"""Rows and values of the book."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.contagion.valuation import (
    holding_values,
    market_quotes,
    positions,
    unit_collateral,
    unit_debt,
)
from defirisk.core.book import Book
from defirisk.shocks.grammar import baseline, scenario
from tests.books import Token, book, books

TOKENS = [Token("WETH", 2000, threshold=0.8), Token("USDC", 1, debt_rate=1.5)]
UNITS = [
    [("collateral", "WETH", 2.0), ("collateral", "WETH", 1.0), ("debt", "USDC", 1000.0)],
    [("supply", "USDC", 10.0)],
]


def test_rows_add_up_repeated_holdings_and_keep_supply_out() -> None:
    rows = positions(book(TOKENS, UNITS))

    assert rows.collateral.toarray().tolist() == [[3, 0, 0, 0], [0, 0, 0, 0]]
    assert rows.backing.toarray()[0] == pytest.approx([2.4, 0, 0, 0])
    assert rows.debt.toarray().tolist() == [[0, 0, 0, 1000], [0, 0, 0, 0]]
    assert rows.decidable.tolist() == [True, False]
    assert rows.guard == pytest.approx([3e-8, 1e-8])


def test_rates_belong_to_market_values() -> None:
    made = book(TOKENS, UNITS)

    assert market_quotes(made, [baseline()])[:, 0].tolist() == [2000, 2000, 1, 1.5]
    assert holding_values(made).tolist() == [4000, 2000, 1500, 10]
    assert unit_debt(made).tolist() == [1500, 0]
    assert unit_collateral(made).tolist() == [6000, 0]


def test_market_values_follow_the_market_and_not_the_oracle() -> None:
    made = book(TOKENS, UNITS)
    moved = [scenario("", [text], made) for text in ("market:WETH=-50%", "oracle:WETH=-50%")]

    assert market_quotes(made, moved)[0].tolist() == [1000, 2000]


@given(books(), st.integers(0, 12), st.integers(0, 12))
def test_a_tile_is_a_slice(made: Book, first: int, stop: int) -> None:
    first, stop = sorted(min(i, len(made.units)) for i in (first, stop))

    part, whole = positions(made, np.arange(first, stop)), positions(made)

    assert part.count == stop - first
    np.testing.assert_array_equal(part.debt.toarray(), whole.debt.toarray()[first:stop])
    np.testing.assert_array_equal(part.backing.toarray(), whole.backing.toarray()[first:stop])
    np.testing.assert_array_equal(part.decidable, whole.decidable[first:stop])
    np.testing.assert_array_equal(part.guard, whole.guard[first:stop])
