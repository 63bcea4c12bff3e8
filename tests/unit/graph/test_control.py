"""A sound book, by hand: plain tokens, a feed each, small debts. Nothing may stand out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from defirisk.core.adapter import Token
from defirisk.core.book import Book
from defirisk.core.sources import Sources
from defirisk.graph.build import compose
from defirisk.graph.measures import measures
from tests import books

TOKENS = (books.Token("WETH", 2000), books.Token("WBTC", 30_000), books.Token("USDC", 1))
SOUND = [
    [("collateral", "WETH", 5.0), ("debt", "USDC", 4000.0)],
    [("collateral", "WBTC", 1.0), ("debt", "USDC", 9000.0)],
    [("supply", "USDC", 30_000.0)],
    [("supply", "WETH", 10.0)],
]


def sound() -> Book:
    made = books.book(TOKENS, SOUND, deployments=("market",))
    tokens = {
        asset.address: Token(address=asset.address, symbol=asset.symbol, name="", decimals=18)
        for asset in made.assets
    }
    return replace(made, sources=Sources(tokens=tokens))


@pytest.mark.parametrize("name", sorted(measures()))
def test_nothing_stands_out_in_a_sound_book(name: str) -> None:
    measure = measures()[name]
    values = measure.compute(compose(sound()))
    assert [node for node, value in values.items() if measure.is_finding(value)] == []


def test_no_node_of_it_is_unknown() -> None:
    nodes = compose(sound()).graph.nodes
    assert [one.label for one in nodes if one.value_usd is None] == []
