"""Assets, their followers and their feeds."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.quote import Feed, leaves
from defirisk.core.scenario import Moves, Scenario, market_prices, quote_prices
from defirisk.shocks.target import family, find_asset, find_deployments, price_moves
from tests.books import Token, address, book, books

HALF = Fraction(1, 2)


def oracle_ratio(of: Book, asset: int, factor: Fraction) -> list[float]:
    """By how much each quote moves."""
    moved = Scenario(name="", shocks=(), moves=price_moves(of, asset, factor))
    still = dataclasses.replace(moved, moves=Moves())
    prices = quote_prices(of, [still, moved])
    return [float(ratio) for ratio in prices[:, 1] / prices[:, 0]]


def test_symbols_are_found_in_any_case_and_addresses_by_their_start() -> None:
    made = book([Token("WETH", 2000), Token("USDC", 1)], [])

    assert find_asset(made, "usdc") == 1
    assert find_asset(made, address("USDC").upper().replace("0X", "0x")) == 1
    assert find_asset(made, address("USDC")[:8]) == 1


def test_an_unknown_asset_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown asset 'WHET': did you mean WETH\?"):
        find_asset(book([Token("WETH", 2000), Token("USDC", 1)], []), "WHET")


def test_a_symbol_of_two_tokens_is_never_resolved() -> None:
    one, two = "0x" + "a1" * 20, "0x" + "b2" * 20
    made = book([Token("USDC", 1, address=one), Token("usdc", 1, address=two)], [])

    with pytest.raises(UsageError) as error:
        find_asset(made, "USDC")

    assert "0xa1a1…a1a1, 0xb2b2…b2b2" in str(error.value)
    assert one in str(error.value)
    assert find_asset(made, two) == 1


def test_a_symbol_that_looks_like_hex_is_no_address() -> None:
    with pytest.raises(UsageError):
        find_asset(book([Token("WETH", 2000)], []), "0x")


def test_followers_follow_through_others_and_cycles_end() -> None:
    made = book(
        [
            Token("WETH", 2000),
            Token("stETH", 1990, follows="WETH"),
            Token("wstETH", 2400, follows="stETH"),
            Token("A", 1, follows="B"),
            Token("B", 1, follows="A"),
        ],
        [],
    )

    assert family(made, 0) == [0, 1, 2]
    assert family(made, 1) == [1, 2]
    assert family(made, 3) == [3, 4]


def test_a_deployment_or_all_of_a_protocol() -> None:
    made = book([], [], deployments=("core", "prime"), protocols=("aave-v3", "aave-v3"))

    assert find_deployments(made, "prime") == [1]
    assert find_deployments(made, "aave-v3") == [0, 1]
    with pytest.raises(UsageError, match="did you mean prime"):
        find_deployments(made, "prim")


def test_a_shared_feed_moves_all_quotes_that_read_it() -> None:
    made = book([Token("WETH", 2000), Token("rETH", 2200, feed="feed-WETH")], [])

    assert oracle_ratio(made, 0, HALF) == [0.5, 0.5, 0.5, 0.5]
    assert price_moves(made, 0, HALF).market == {0: HALF}


def test_hard_coded_quotes_stay() -> None:
    made = book([Token("WETH", 2000), Token("wrapped", 2000, follows="WETH", feed="")], [])

    assert oracle_ratio(made, 0, HALF) == [0.5, 0.5, 1, 1]
    assert price_moves(made, 0, HALF).market == {0: HALF, 1: HALF}


def test_a_quote_over_two_feeds_moves_once_and_leaves_the_others_alone() -> None:
    tokens = [
        Token("WETH", 2000),
        Token("wstETH", 2400, follows="WETH", feed="feed-WETH", ratio_feed="ratio"),
    ]
    made = book(tokens, [])

    assert oracle_ratio(made, 0, HALF) == [0.5, 0.5, 0.5, 0.5]
    assert oracle_ratio(made, 1, HALF) == [1, 1, 0.5, 0.5]


def test_a_quote_over_two_moving_feeds_moves_once() -> None:
    tokens = [
        Token("WETH", 2000),
        Token("ratio", 1, follows="WETH", feed="ratio"),
        Token("wstETH", 2400, follows="WETH", feed="feed-WETH", ratio_feed="ratio"),
    ]
    made = book(tokens, [])

    for factor in (Fraction(0), HALF, Fraction(3)):
        assert oracle_ratio(made, 0, factor) == pytest.approx([float(factor)] * 6)


@given(books(), st.fractions(0, 3), st.data())
def test_every_quote_with_a_feed_moves_by_exactly_the_factor(
    made: Book, factor: Fraction, data: st.DataObject
) -> None:
    asset = data.draw(st.integers(0, len(made.assets) - 1))
    moved = Scenario(name="", shocks=(), moves=price_moves(made, asset, factor))
    moving = family(made, asset)

    prices, market = quote_prices(made, [moved])[:, 0], market_prices(made, [moved])[:, 0]

    for q, program in enumerate(made.quote_program):
        if made.quote_asset[q] in moving:
            fed = any(isinstance(leaf, Feed) for leaf in leaves(program))
            expected = made.quote_price[q] * (float(factor) if fed else 1)
            np.testing.assert_allclose(prices[q], expected, rtol=1e-12)
    for a in range(len(made.assets)):
        expected = made.asset_price[a] * (float(factor) if a in moving else 1)
        np.testing.assert_allclose(market[a], expected, rtol=1e-12)
