"""Prices and what depends on them."""

import numpy as np

from defirisk.metrics.oracle import dependences, prices
from tests.books import Token, address, book

TOKENS = [
    Token("WETH", 2000),
    Token("wstETH", 2400, feed="feed-WETH", ratio_feed="ratio"),
    Token("GHO", 1, feed=""),
    Token("ODD", np.nan),
]
UNITS = [
    [("collateral", "WETH", 1.0), ("debt", "GHO", 100.0)],
    [("collateral", "wstETH", 1.0), ("supply", "WETH", 5.0)],
    [("supply", "WETH", 5.0), ("debt", "ODD", 3.0)],
]


def test_every_market_says_where_its_price_comes_from() -> None:
    weth = prices(book(TOKENS, UNITS))[0]

    assert (weth.price_usd, weth.age_seconds, weth.grade) == (2000, 60, "logs")
    assert weth.source == address("feed-WETH")


def test_what_each_feed_prices() -> None:
    found = {dependence.feed: dependence for dependence in dependences(book(TOKENS, UNITS))}

    assert next(iter(found)) == address("feed-WETH")
    shared, ratio = found[address("feed-WETH")], found[address("ratio")]
    assert (shared.assets, shared.accounts, shared.collateral_usd) == ((0, 1), 2, 4400)
    assert (ratio.assets, ratio.accounts, ratio.collateral_usd) == ((1,), 1, 2400)
    assert (found[None].assets, found[None].debt_usd) == ((2,), 100)
    assert (found[address("feed-ODD")].accounts, found[address("feed-ODD")].debt_usd) == (1, 0)


def test_a_feed_without_users_is_listed_with_nothing() -> None:
    assert all(d.accounts == 0 for d in dependences(book(TOKENS, [])))
