"""Shocks on what is made of something else: vault shares, pools, caps, averages, LP shares."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from defirisk.contagion.edge import oracle_factors
from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.quote import (
    Clamp,
    Constant,
    Conversion,
    Feed,
    Market,
    Product,
    Program,
    Ratio,
    Root,
    Spot,
    Twap,
    exact,
)
from defirisk.core.scenario import Moves, market_prices, quote_prices
from defirisk.shocks.grammar import scenario
from tests.books import Token, address, book

WETH, YWETH, USDC, LP, THIN = range(5)
SYMBOLS = ("WETH", "yWETH", "USDC", "LP", "THIN")
AT = [address(symbol) for symbol in SYMBOLS]
ETH_FEED, USDC_FEED = address("feed-WETH"), address("feed-USDC")
SHARE = Conversion(AT[YWETH], Fraction(11, 10))
ETH, DOLLAR = Feed(ETH_FEED, Fraction(2000)), Feed(USDC_FEED, Fraction(1))
SPOT = Spot(address("pool"), AT[THIN], AT[USDC], Fraction(5))


def lp(first: Program, second: Program) -> Program:
    """Twice the square root of k, at these prices, over the supply."""
    return Product((Constant(Fraction(2)), Root(Product((Constant(Fraction(900)), first, second)))))


def made(**programs: Program) -> Book:
    """A book in which yWETH and the LP share are claims; quotes by symbol may be replaced."""
    plain = book(
        [
            Token("WETH", 2000),
            Token("yWETH", 2200, follows="WETH"),
            Token("USDC", 1),
            Token("LP", float(exact(lp(ETH, DOLLAR)) or 0)),
            Token("THIN", 5),
        ],
        [[("collateral", symbol, 1.0)] for symbol in SYMBOLS],
    )
    claims = {
        YWETH: Product((SHARE, Market(AT[WETH], Fraction(2000)))),
        LP: lp(Market(AT[WETH], Fraction(2000)), Market(AT[USDC], Fraction(1))),
    }
    assets = tuple(
        dataclasses.replace(asset, program=claims.get(a)) for a, asset in enumerate(plain.assets)
    )
    quotes = tuple(
        programs.get(SYMBOLS[int(asset)], program)
        for asset, program in zip(plain.quote_asset, plain.quote_program, strict=True)
    )
    prices = np.array([float(exact(program) or 0) for program in quotes])
    return dataclasses.replace(plain, assets=assets, quote_program=quotes, quote_price=prices)


def moved(of: Book, *shocks: str) -> tuple[dict[str, float], dict[str, float]]:
    """By how much market and oracle prices move, by symbol; and fractions agree with floats."""
    one = scenario("", shocks, of)
    market = market_prices(of, [one])[:, 0] / of.asset_price
    oracle = quote_prices(of, [one])[:, 0] / of.quote_price
    factors = oracle_factors(of, one, 0)
    for q, factor in enumerate(oracle):
        assert float(factors.get(q, Fraction(1))) == pytest.approx(factor, rel=1e-12)
    by_asset = {SYMBOLS[int(a)]: float(oracle[q]) for q, a in enumerate(of.quote_asset)}
    return dict(zip(SYMBOLS, market.tolist(), strict=True)), by_asset


def test_a_share_moves_with_what_it_wraps_and_exactly_once() -> None:
    market, oracle = moved(made(yWETH=Product((SHARE, ETH))), "price:WETH=-40%")

    assert market["yWETH"] == pytest.approx(0.6)
    assert oracle["yWETH"] == pytest.approx(0.6)
    assert market["USDC"] == oracle["USDC"] == 1


def test_an_lp_share_loses_by_the_square_root_when_one_side_falls() -> None:
    market, oracle = moved(made(LP=lp(ETH, DOLLAR)), "price:WETH=-36%")

    assert market["LP"] == pytest.approx(0.8)
    assert oracle["LP"] == pytest.approx(0.8)


def test_a_depeg_reaches_what_is_pooled_with_it() -> None:
    market, oracle = moved(made(LP=lp(ETH, DOLLAR)), "depeg:USDC=0.81")

    assert market["LP"] == pytest.approx(0.9)
    assert oracle["LP"] == pytest.approx(0.9)
    assert market["WETH"] == 1


def test_a_wrapper_that_leaves_its_peg_does_not_move_what_it_wraps() -> None:
    market, oracle = moved(made(yWETH=Product((SHARE, ETH))), "depeg:yWETH=0.9")

    assert [market["yWETH"], oracle["yWETH"]] == pytest.approx([0.9, 0.9])
    assert market["WETH"] == oracle["WETH"] == 1


def test_a_lossy_vault_is_seen_by_oracles_that_ask_it_and_by_no_other() -> None:
    asked, _ = moved(made(yWETH=Product((SHARE, ETH))), "slash:yWETH=-2%")
    _, oracle = moved(made(yWETH=Product((SHARE, ETH))), "slash:yWETH=-2%")
    _, blind = moved(made(), "slash:yWETH=-2%")

    assert asked["yWETH"] == pytest.approx(0.98)
    assert oracle["yWETH"] == pytest.approx(0.98)
    assert blind["yWETH"] == 1


def test_a_cap_lets_a_share_fall_but_not_rise() -> None:
    capped = made(yWETH=Product((Clamp(SHARE, None, Fraction(11, 10)), ETH)))

    assert moved(capped, "slash:yWETH=+5%")[1]["yWETH"] == 1
    assert moved(capped, "slash:yWETH=-5%")[1]["yWETH"] == pytest.approx(0.95)


def test_a_market_shock_leaves_feeds_behind_and_takes_pools_along() -> None:
    of = made(THIN=Product((SPOT, DOLLAR)))

    for shock in ("market:THIN=-20%", "price:THIN=-20%"):
        market, oracle = moved(of, shock)
        assert [market["THIN"], oracle["THIN"]] == pytest.approx([0.8, 0.8])
        assert oracle["USDC"] == 1, "the pool is in dollars, whose feed does not move"
    assert moved(of, "market:WETH=-20%")[1]["WETH"] == 1


def test_an_average_is_today_s_until_its_pool_moves() -> None:
    of = made(THIN=Product((Twap(SPOT, 1800, Fraction(6)), DOLLAR)))

    assert moved(of, "market:WETH=-20%")[1]["THIN"] == 1
    assert moved(of, "market:THIN=-50%")[1]["THIN"] == pytest.approx(2.5 / 6)


def test_a_hard_coded_price_does_not_move_at_all() -> None:
    market, oracle = moved(made(USDC=Constant(Fraction(1))), "depeg:USDC=0.5")

    assert (market["USDC"], oracle["USDC"]) == (0.5, 1)


def test_a_feed_that_lies_is_heard_by_all_that_is_made_of_it() -> None:
    of = made(yWETH=Product((SHARE, ETH)), LP=Ratio(lp(ETH, DOLLAR), Constant(Fraction(1))))
    one = dataclasses.replace(
        scenario("", ("price:WETH=+0%",), of), moves=Moves(feeds={ETH_FEED: Fraction(4)})
    )

    prices = quote_prices(of, [one])[:, 0] / of.quote_price
    heard = {SYMBOLS[int(a)]: float(prices[q]) for q, a in enumerate(of.quote_asset)}

    assert heard["WETH"] == heard["yWETH"] == 4
    assert heard["LP"] == pytest.approx(2)
    assert heard["USDC"] == 1


def test_what_is_no_claim_cannot_be_slashed() -> None:
    with pytest.raises(UsageError, match="not known to convert"):
        scenario("", ("slash:USDC=-2%",), made())


def test_an_oracle_of_one_market_can_be_meant_by_its_label() -> None:
    of = made()
    of = dataclasses.replace(
        of, quote_market=tuple(f"m 0x{q:010x}" for q in range(len(of.quote_market)))
    )

    found = scenario("", ("oracle:WETH@0x0000000000=+30%",), of).moves.quotes

    assert found == {0: Fraction(13, 10)}
