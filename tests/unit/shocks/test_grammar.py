"""What can be typed, what it moves, and what a mistake is answered with."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from defirisk.core import plugins
from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.quote import Conversion, Market, Product
from defirisk.core.scenario import Moves
from defirisk.shocks import grammar
from tests.books import Token, address, book

WETH, STETH, USDC, SUSDC = range(4)
TOKENS = [
    Token("WETH", 2000),
    Token("stETH", 1980, follows="WETH", feed="feed-WETH"),
    Token("USDC", 0.999),
    Token("sUSDC", 1.1, follows="USDC", feed=""),
]


@pytest.fixture
def made() -> Book:
    return book(TOKENS, [], deployments=("core", "prime"), protocols=("aave-v3", "aave-v3"))


def test_price_moves_market_and_feeds_of_the_asset_and_its_followers(made: Book) -> None:
    cut = Fraction(3, 5)

    assert grammar.parse("price:WETH=-40%", made) == Moves(
        market={WETH: cut, STETH: cut}, feeds={address("feed-WETH"): cut}
    )
    assert grammar.parse("price:weth=1200", made) == grammar.parse("price:WETH=-40%", made)


def test_market_leaves_oracles_alone(made: Book) -> None:
    cut = Fraction(4, 5)

    assert grammar.parse("market:WETH=-20%", made) == Moves(market={WETH: cut, STETH: cut})


def test_oracle_moves_quotes_of_one_deployment_or_of_all(made: Book) -> None:
    up = Fraction(13, 10)
    here = {q for q in range(16) if made.quote_asset[q] == WETH}
    prime = {q for q in here if made.quote_deployment[q] == 1}

    assert grammar.parse("oracle:WETH@prime=+30%", made) == Moves(quotes=dict.fromkeys(prime, up))
    assert grammar.parse("oracle:WETH@aave-v3=+30%", made) == Moves(quotes=dict.fromkeys(here, up))
    assert grammar.parse("oracle:WETH=+30%", made) == Moves(quotes=dict.fromkeys(here, up))


def test_depeg_is_absolute_and_followers_keep_their_rate(made: Book) -> None:
    factor = Fraction("0.88") / Fraction(0.999)

    moves = grammar.parse("depeg:USDC=0.88", made)

    assert moves.market == {USDC: factor, SUSDC: factor}
    assert moves.feeds == {address("feed-USDC"): factor}


def test_depeg_of_a_wrapper_is_relative_to_where_it_trades(made: Book) -> None:
    assert grammar.parse("depeg:stETH=0.94", made).market == {STETH: Fraction("0.94")}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prize:WETH=-40%", "did you mean price?"),
        ("WETH=-40%", "names no kind"),
        ("price:=-40%", "names no target"),
        ("price:WETH", "neither a change nor a price"),
        ("price:WETH=40%", "neither a change nor a price"),
        ("price:WETH=-140%", "fall of more than 100 %"),
        ("price:WBTC=-40%", "unknown asset 'WBTC'"),
        ("oracle:WETH@compound=+30%", "unknown deployment 'compound'"),
        ("oracle:WETH=1200", "not a change in percent"),
        ("depeg:USDC=-12%", "not a price in units of the peg"),
        ("depeg:WETH=0.9", "not near a dollar"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_type(made: Book, text: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        grammar.parse(text, made)

    message = str(error.value)
    assert said in message
    assert "\n" not in message
    assert "did you mean" in message or "type for example" in message


def test_an_asset_without_quotes_has_no_oracle() -> None:
    bare = book(TOKENS, [], deployments=())
    with pytest.raises(UsageError, match="WETH is not quoted anywhere"):
        grammar.parse("oracle:WETH=+30%", bare)


def test_a_scenario_combines_and_factors_multiply(made: Book) -> None:
    both = grammar.scenario("", ["price:WETH=-50%", "market:WETH=-50%"], made)

    assert both.name == "price:WETH=-50% market:WETH=-50%"
    assert both.moves.market[WETH] == Fraction(1, 4)
    assert both.moves.feeds[address("feed-WETH")] == Fraction(1, 2)


def test_nothing_typed_is_the_baseline(made: Book) -> None:
    assert grammar.scenario("", [], made) == grammar.baseline()


def test_a_grid_is_the_product_of_alternatives(made: Book) -> None:
    texts = ["price:WETH=-10%", "depeg:USDC=0.9", "price:weth=-20%"]

    axes = grammar.axes(texts)

    assert axes == [["price:WETH=-10%", "price:weth=-20%"], ["depeg:USDC=0.9"]]
    assert [scenario.name for scenario in grammar.grid(axes, made)] == [
        "price:WETH=-10% depeg:USDC=0.9",
        "price:weth=-20% depeg:USDC=0.9",
    ]


PRICES = """ts,asset,price_usd,source
2024-03-10,WETH,4000,exchange
2024-03-12,WETH,3000,exchange
2024-03-14,WETH,2500,exchange
"""


@pytest.mark.parametrize("name", sorted(plugins.shocks()))
def test_every_shock_obeys_its_contract(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shock = plugins.shocks()[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prices.csv").write_text(PRICES, encoding="utf-8")
    tokens = [
        Token("WETH", 2000),
        Token("USDC", 1),
        Token("stETH", 1900, follows="WETH"),
        Token("yWETH", 2200, follows="WETH"),
    ]
    made = _with_share(book(tokens, [], deployments=("aave-v3",)), "yWETH", "WETH")
    prices = made.asset_price.copy(), made.quote_price.copy()

    assert shock.name == name
    assert type(shock).__module__ == f"defirisk.shocks.{name}"
    assert shock.summary
    for example in shock.grammar.split():
        assert grammar.parse(example, made) != Moves()
    assert (made.asset_price == prices[0]).all()
    assert (made.quote_price == prices[1]).all()


def _with_share(made: Book, wrapper: str, wrapped: str) -> Book:
    """The book with one asset being a share that converts to another."""
    worth = Product(
        (Conversion(address(wrapper), Fraction(11, 10)), Market(address(wrapped), None))
    )
    assets = tuple(
        replace(asset, program=worth) if asset.symbol == wrapper else asset for asset in made.assets
    )
    return replace(made, assets=assets)
