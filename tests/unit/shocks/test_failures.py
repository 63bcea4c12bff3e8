"""`fail:`, `liquidity:` and `halt:`: what can be typed, what moves, and what a mistake is told."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defirisk.core.backing import backing
from defirisk.core.book import Book
from defirisk.core.claim import Claim
from defirisk.core.errors import UsageError
from defirisk.core.quote import Constant, Conversion, Market, Product
from defirisk.core.scenario import ExactMoves, Moves, combine, market_prices, quote_prices
from defirisk.shocks import grammar
from tests import books
from tests.unit.contagion.failure.failing import BAD, HAND, USDC, V, W, at, book, place, row

HALF = Fraction(1, 2)


@pytest.fixture
def made() -> Book:
    return book(HAND, [V, W])


def moved(made: Book, text: str) -> dict[str, float]:
    """By how much market prices move; fractions say the same."""
    scenario = grammar.scenario("", [text], made)
    floats = market_prices(made, [scenario])[:, 0] / made.asset_price
    exactly = ExactMoves(made, scenario)
    for a, factor in enumerate(floats.tolist()):
        assert float(exactly.market(a)) == pytest.approx(factor, rel=1e-12)
    return {asset.symbol: floats[a] for a, asset in enumerate(made.assets)}


def test_a_vault_fails_and_what_holds_its_shares_with_it(made: Book) -> None:
    assert grammar.parse("fail:V=0.4", made) == Moves(conversions={at("V"): Fraction(2, 5)})
    assert grammar.parse("fail:V", made) == Moves(conversions={at("V"): Fraction(0)})
    assert moved(made, "fail:V=0.4") == pytest.approx({BAD: 1, USDC: 1, "V": 0.4, "W": 0.4})


def test_a_market_fails_and_the_vault_that_lent_there_is_worth_less(made: Book) -> None:
    """V lent half of its assets to it: S (1 - a (1 - R))."""
    place_of = {row(made, "bad"): HALF}
    assert grammar.parse("fail:USDC@bad=0.5", made) == Moves(recoveries=place_of)
    every = {m: HALF for m, facts in enumerate(made.markets) if facts.market == "bad"}
    assert grammar.parse("fail:bad=0.5", made) == Moves(recoveries=every)
    assert moved(made, "fail:bad=0.5") == pytest.approx({BAD: 1, USDC: 1, "V": 0.75, "W": 0.75})


def test_markets_that_fail_together_add_up_and_do_not_multiply(made: Book) -> None:
    scenario = grammar.scenario("", ["fail:bad=0", "fail:good=0"], made)
    prices = market_prices(made, [scenario])[:, 0]
    assert prices[place(made, "V")] == pytest.approx(1 - 0.5 - 0.3, rel=1e-12)


def test_a_market_is_found_by_the_start_of_its_id(made: Book) -> None:
    labels = {"bad": "BAD/USDC 86% 0xdaea7108", "good": "W/USDC 77% 0xdaea9999"}
    named = replace(
        made,
        markets=tuple(
            replace(facts, market=labels.get(facts.market, facts.market)) for facts in made.markets
        ),
    )
    first = {m for m, facts in enumerate(named.markets) if facts.market == labels["bad"]}
    assert set(grammar.parse("fail:0xdaea7108", named).recoveries) == first
    assert set(grammar.parse("fail:0xdaea7108" + "0" * 56, named).recoveries) == first


def issued(made: Book, issuer: str) -> Book:
    """The same book with an aToken of USDC and a share of a pool, both issued by `issuer`."""
    token, pool = at("aUSDC"), at("pool")
    claims = {
        token: Claim(
            token=token,
            kind="a-token",
            program=Product((Conversion(token, Fraction(1)), Market(at(USDC), None))),
            underlying=at(USDC),
            rate=Fraction(1),
            issuer=issuer,
        ),
        pool: Claim(
            token=pool,
            kind="lp",
            program=Product((Constant(Fraction(1)), Market(at(USDC), None))),
            issuer="pools",
        ),
    }
    sources = replace(made.sources, claims={**made.sources.claims, **claims})
    assets = tuple(
        replace(asset, address=token, program=claims[token].program)
        if asset.symbol == "W"
        else replace(asset, address=pool, program=claims[pool].program)
        if asset.symbol == BAD
        else asset
        for asset in made.assets
    )
    return replace(made, sources=sources, assets=assets)


def test_a_protocol_fails_with_its_a_tokens_and_only_its_own(made: Book) -> None:
    here, there = issued(made, "bad"), issued(made, "good")
    assert backing(here)[at("aUSDC")] == {row(here, "bad"): 1}
    assert moved(here, "fail:bad=0.5")["W"] == pytest.approx(0.5)
    assert moved(there, "fail:bad=0.5")["W"] == 1


def test_shares_of_the_pools_of_a_protocol_fall_at_market(made: Book) -> None:
    here = issued(made, "bad")
    assert grammar.parse("fail:pools=0.25", here) == Moves(
        market={place(here, BAD): Fraction(1, 4)}
    )


def test_an_oracle_that_asks_the_vault_follows_and_a_feed_does_not(made: Book) -> None:
    asking = Product((Conversion(at("V"), Fraction(1)), Constant(Fraction(1))))
    quote = next(q for q, a in enumerate(made.quote_asset) if made.symbol(int(a)) == "V")
    programs = list(made.quote_program)
    programs[quote] = asking
    asked = replace(made, quote_program=tuple(programs))
    scenario = grammar.scenario("", ["fail:bad=0.5"], asked)
    prices = quote_prices(asked, [scenario])[:, 0]
    assert prices[quote] == pytest.approx(0.75)
    others = [q for q, a in enumerate(asked.quote_asset) if asked.symbol(int(a)) == "V"]
    assert all(prices[q] == 1 for q in others if q != quote)


@given(parts=st.tuples(st.fractions(0, 1), st.fractions(0, 1)))
@settings(max_examples=25)
def test_more_recovery_is_never_a_lower_price(parts: tuple[Fraction, Fraction]) -> None:
    made = book(HAND, [V, W])
    worse, better = sorted(parts)
    prices = [
        market_prices(made, [grammar.scenario("", [f"fail:bad={float(one):.6f}"], made)])[:, 0]
        for one in (worse, better)
    ]
    assert (prices[0] <= prices[1] + 1e-6).all()


def test_depth_and_halt_are_for_the_cascade(made: Book) -> None:
    shallow = grammar.parse("liquidity:USDC=-80%", made)
    assert shallow == Moves(depth={place(made, USDC): Fraction(1, 5)})
    halted = grammar.parse("halt:liquidations=2h", made)
    assert halted == Moves(halt_seconds=7200)
    both = combine([shallow, shallow, halted, grammar.parse("halt:liquidations=90s", made)])
    assert both == Moves(depth={place(made, USDC): Fraction(1, 25)}, halt_seconds=7200)
    scenario = grammar.scenario("", ["liquidity:USDC=-80%", "halt:liquidations=1d"], made)
    assert (market_prices(made, [scenario])[:, 0] == made.asset_price).all()
    assert (quote_prices(made, [scenario])[:, 0] == made.quote_price).all()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fail:aave=0", "nothing that can fail is called 'aave'"),
        ("fail:USDC", "nothing that can fail"),
        ("fail:V=1.2", "no part between 0 and 1"),
        ("fail:V=-40%", "no part between 0 and 1"),
        ("fail:USDC@nowhere", "nothing that can fail"),
        ("liquidity:USDC=0.2", "not a change in percent"),
        ("liquidity:WETH=-20%", "unknown asset 'WETH'"),
        ("halt:oracles=2h", "only liquidations can be halted"),
        ("halt:liquidations", "no duration"),
        ("halt:liquidations=2 hours", "no duration"),
        ("halt:liquidations=0h", "between one second and a year"),
        ("halt:liquidations=9999d", "between one second and a year"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_type(made: Book, text: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        grammar.parse(text, made)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert "did you mean" in str(error.value) or "type for example" in str(error.value)


def test_two_vaults_of_one_symbol_are_never_one(made: Book) -> None:
    assets = tuple(
        replace(asset, symbol="V" if asset.symbol == "W" else asset.symbol) for asset in made.assets
    )
    tokens = {
        token: replace(one, symbol="V" if one.symbol == "W" else one.symbol)
        for token, one in made.sources.tokens.items()
    }
    same = replace(made, assets=assets, sources=replace(made.sources, tokens=tokens))
    with pytest.raises(UsageError, match="is 2 tokens"):
        grammar.parse("fail:V", same)
    assert grammar.parse(f"fail:{at('V')}", same) == Moves(conversions={at("V"): Fraction(0)})


def test_nobody_holds_a_claim_on_it() -> None:
    bare = books.book([books.Token(USDC, 1)], [], deployments=())
    pools = replace(
        bare, sources=replace(bare.sources, claims=issued(book(HAND, [V]), "x").sources.claims)
    )
    with pytest.raises(UsageError, match="nobody in this book holds a claim"):
        grammar.parse("fail:pools", pools)
