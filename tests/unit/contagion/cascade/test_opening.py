"""Where oracles stand at the start: against `core.scenario`, and what each of them follows."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from defirisk.contagion.cascade.opening import opening
from defirisk.contagion.cascade.oracles import quotes
from defirisk.contagion.cascade.pools import pool_table
from defirisk.contagion.cascade.sources import Sources, sources
from defirisk.core.book import Asset, Book
from defirisk.core.quote import (
    Market,
    Product,
)
from defirisk.core.scenario import claims_in_order, market_prices, quote_prices
from defirisk.shocks.grammar import baseline
from defirisk.shocks.target import find_asset
from tests.books import Token, address, book
from tests.unit.contagion.cascade.playing import ROUNDS, by_feed, has_mean, shocks_of


@pytest.fixture(scope="module")
def recorded(recorded_book: Book) -> tuple[Book, Sources]:
    return recorded_book, sources(recorded_book, pool_table(recorded_book).venues)


def test_the_start_is_what_the_static_engine_says(recorded: tuple[Book, Sources]) -> None:
    """But for means that moved, which are cut as their contracts cut them."""
    made, found = recorded
    every = shocks_of(made)
    expected, market = quote_prices(made, every), market_prices(made, every)
    averaged = np.array([has_mean(program) for program in made.quote_program])
    assert averaged.sum() >= 2
    for s, happens in enumerate(every):
        told = opening(made, happens, found, ROUNDS)
        said = np.empty(len(averaged))
        assert quotes(found.tables, told, np.ones(len(said)), said) == 0
        rtol = np.where(averaged & (said != made.quote_price), 1.01e-4, 1e-12)
        assert (np.abs(said - expected[:, s]) <= rtol * np.abs(expected[:, s])).all(), happens
        blocks = found.tables.blocks
        ours = told.leaves[blocks.markets : blocks.means]
        np.testing.assert_allclose(ours, market[:, s], rtol=1e-13)
    rest = opening(made, baseline(), found, ROUNDS)
    np.testing.assert_allclose(rest.said, made.quote_price, rtol=1e-15)


def test_a_feed_follows_the_asset_whose_price_it_is(recorded: tuple[Book, Sources]) -> None:
    made, found = recorded
    followed = by_feed(found)
    assert set(followed.values()) >= {find_asset(made, one) for one in ("WETH", "USDC", "LINK")}
    known = made.sources.answers
    for feed, scale in zip(found.feeds, found.tables.feed_scale, strict=True):
        assert feed.value
        near = float(known[feed.address].value if feed.address in known else feed.value)
        assert near == pytest.approx(made.asset_price[followed[feed.address]], rel=0.05)
        assert scale == (1e8 if feed.address in known else 0)
    # Margin of perpetuals is priced by a feed of the protocol's own, whose decimals nobody needs.
    assert sum(feed.address not in known for feed in found.feeds) == 1


def test_claims_come_after_what_they_are_made_of() -> None:
    made = book([Token(symbol, 1.0) for symbol in "ABCD"], [])
    wraps = {"A": "B", "B": "D", "C": "A"}

    def wrapped(asset: Asset) -> Asset:
        inner = wraps.get(asset.symbol)
        program = inner and Product((Market(address(inner), Fraction(1)),))
        return replace(asset, program=program or None)

    claims = replace(made, assets=tuple(map(wrapped, made.assets)))
    assert [made.symbol(a) for a in claims_in_order(claims)] == ["B", "A", "C"]
    wraps["D"] = "A"  # a circle ends somewhere
    circle = replace(made, assets=tuple(map(wrapped, made.assets)))
    assert sorted(claims_in_order(circle)) == [0, 1, 2, 3]
