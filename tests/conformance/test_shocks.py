"""What every shock file owes to the rest."""

from __future__ import annotations

import copy
import importlib
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from defirisk.contagion.screen import screen
from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.plugins import shocks
from defirisk.core.quote import Conversion, Market, Product
from defirisk.core.scenario import Moves, Shock
from defirisk.shocks.grammar import parse, scenario
from tests.books import Token, address, book

EVERY_SHOCK = pytest.mark.parametrize(
    ("name", "shock"), [pytest.param(n, s, id=n) for n, s in sorted(shocks().items())]
)
OF_ASSETS = pytest.mark.parametrize(
    ("name", "shock"),
    [
        pytest.param(n, s, id=n)
        for n, s in sorted(shocks().items())
        if n not in ("fail", "halt", "history")
    ],
)
"""Those whose target is any asset: not a claim, the keepers or a file."""
EXAMPLES = [
    pytest.param(text, id=text)
    for name, shock in shocks().items()
    if name != "history"  # its target is a file
    for text in shock.grammar.split()
]
VALUES = ("-40%", "+30%", "-100%", "-0%", "0.9", "1200", "0")
NONSENSE = (
    "",
    "%",
    "-",
    "40%",
    "-101%",
    "nan",
    "inf",
    "1e400",
    "-40 %",
    "٣",
    "0x10",
    "1_000",
    "--4%",
)


def small_book() -> Book:
    """A market with the assets that examples are written with."""
    tokens = [
        Token("WETH", 2500.0),
        Token("stETH", 2490.0, follows="WETH"),
        Token("USDC", 1.0),
        Token("DAI", 0.999),
        Token("yWETH", 2600.0, follows="WETH"),
    ]
    units = [[("collateral", "WETH", 1.0), ("debt", "USDC", 1800.0)], [("supply", "stETH", 3.0)]]
    made = book(tokens, units)
    share = Conversion(address("yWETH"), Fraction(26, 25))
    worth = Product((share, Market(address("WETH"), Fraction(2500))))
    assets = (*made.assets[:-1], replace(made.assets[-1], program=worth))
    return replace(made, assets=assets)


def frozen_copy(of: Book) -> dict[str, Any]:
    """Everything in a book except what decides at its edge."""
    return {f.name: copy.deepcopy(getattr(of, f.name)) for f in fields(of) if f.name != "edge"}


def assert_unchanged(of: Book, before: dict[str, Any]) -> None:
    for name, value in before.items():
        np.testing.assert_equal(getattr(of, name), value, err_msg=name)


def every_factor(moves: Moves) -> list[Any]:
    every = (
        *(moves.market, moves.feeds, moves.conversions, moves.quotes),
        *(moves.recoveries, moves.depth),
    )
    return [factor for factors in every for factor in factors.values()]


@EVERY_SHOCK
def test_the_name_is_that_of_the_file(name: str, shock: Shock) -> None:
    module = importlib.import_module(f"defirisk.shocks.{name}")
    assert shock.name == name
    assert module.SHOCK is shock


@EVERY_SHOCK
def test_it_says_what_it_does_and_how_it_is_written(name: str, shock: Shock) -> None:
    assert shock.summary.strip()
    assert "\n" not in shock.summary
    assert shock.grammar.split()
    assert all(text.startswith(f"{name}:") for text in shock.grammar.split())


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_can_be_typed_as_it_stands(text: str) -> None:
    moves = parse(text, small_book())
    assert moves != Moves()
    assert moves.halt_seconds or any(factor != 1 for factor in every_factor(moves))


def moves_or_refusal(text: str, of: Book) -> Moves | str:
    try:
        return parse(text, of)
    except UsageError as error:
        return str(error)


@OF_ASSETS
def test_every_asset_of_the_recorded_chain_moves_exactly_or_is_refused(
    name: str, shock: Shock, recorded_book: Book
) -> None:
    before = frozen_copy(recorded_book)
    moved = 0
    for value in VALUES:
        for asset in recorded_book.assets:
            found = moves_or_refusal(f"{name}:{asset.symbol}={value}", recorded_book)
            if isinstance(found, str):
                assert "type for example" in found
                continue
            moved += 1
            factors = every_factor(found)
            assert factors
            assert all(isinstance(factor, Fraction) and factor >= 0 for factor in factors)
            assert all(0 <= index < len(recorded_book.assets) for index in found.market)
            assert all(0 <= index < len(recorded_book.quote_program) for index in found.quotes)
    # Only what converts to something else can lose of that.
    claims = sum(asset.program is not None for asset in recorded_book.assets)
    assert moved >= (claims if name == "slash" else len(recorded_book.assets))
    assert claims >= 3
    assert_unchanged(recorded_book, before)


@EVERY_SHOCK
@pytest.mark.parametrize("value", NONSENSE)
def test_what_is_no_value_is_refused(name: str, shock: Shock, value: str) -> None:
    if (name, value) == ("fail", ""):
        return  # a recovery of nothing, which may be left out
    with pytest.raises(UsageError, match="type for example"):
        parse(f"{name}:WETH={value}", small_book())


@OF_ASSETS
def test_an_unknown_asset_is_answered_with_the_nearest(name: str, shock: Shock) -> None:
    with pytest.raises(UsageError, match="unknown asset 'WEHT': did you mean WETH"):
        parse(f"{name}:WEHT=-40%", small_book())


@OF_ASSETS
def test_screening_leaves_the_book_as_it_was(name: str, shock: Shock, recorded_book: Book) -> None:
    before = frozen_copy(recorded_book)
    value = "0.9" if name == "depeg" else "-30%"
    symbol = {"depeg": "USDC", "slash": "yWETH"}.get(name, "WETH")
    once = screen(recorded_book, [scenario("", [f"{name}:{symbol}={value}"], recorded_book)])
    again = screen(recorded_book, [scenario("", [f"{name}:{symbol}={value}"], recorded_book)])
    assert_unchanged(recorded_book, before)
    np.testing.assert_equal(once.debt_at_risk_usd, again.debt_at_risk_usd)


@pytest.mark.parametrize("text", ["fail:yWETH=0.5", "fail:aave-v3", "halt:liquidations=2h"])
def test_screening_what_is_no_asset_leaves_the_book_as_it_was(
    text: str, recorded_book: Book
) -> None:
    before = frozen_copy(recorded_book)
    once, again = (screen(recorded_book, [scenario("", [text], recorded_book)]) for _ in range(2))
    assert_unchanged(recorded_book, before)
    np.testing.assert_equal(once.debt_at_risk_usd, again.debt_at_risk_usd)


def test_every_claim_of_the_recorded_chain_can_fail(recorded_book: Book) -> None:
    """By its address, all of them; what is no claim is refused."""
    claims = set(recorded_book.sources.claims)
    for asset in recorded_book.assets:
        found = moves_or_refusal(f"fail:{asset.address}=0.25", recorded_book)
        if asset.address in claims:
            assert not isinstance(found, str)
            assert every_factor(found) == [Fraction(1, 4)]
        else:
            assert isinstance(found, str)
            assert "nothing that can fail" in found
