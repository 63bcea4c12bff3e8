"""The tree of market prices against widest paths found by brute force, and its kernels."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from defirisk.contagion.cascade.machine import machine_code
from defirisk.contagion.cascade.pools import pool_table
from defirisk.contagion.cascade.prices import (
    KERNELS,
    PriceTree,
    asset_factors,
    price_tree,
)
from defirisk.core.book import Book
from defirisk.core.quote import Market, Product
from defirisk.core.sources import Sources
from defirisk.core.venue import Venue
from defirisk.swaps.constant_product import ConstantProduct
from tests.books import Token, address, book

CODE = machine_code(KERNELS)
PRICES = {"USDC": 1.0, "DAI": 1.01, "WETH": 2000.0, "LINK": 5.0, "UNI": 3.0, "AAVE": 30.0}
SYMBOLS = tuple(PRICES)

Depth = tuple[str, str, int]
"""Two symbols, and thousands of dollars that a pool of both holds of each."""


def traded(depths: list[Depth], claims: tuple[str, ...] = ()) -> Book:
    """A book of six assets, with a pair for each depth, in the order of their addresses."""
    made = book([Token(symbol, price) for symbol, price in PRICES.items()], [])
    assets = tuple(
        replace(asset, program=Product((Market(made.assets[0].address, Fraction(1)),)))
        if asset.symbol in claims
        else asset
        for asset in made.assets
    )
    venues = {}
    for n, (one, other, thousands) in enumerate(depths):
        reserves = [int(thousands * 1000 / Fraction(PRICES[s]) * 10**18) for s in (one, other)]
        where = address(f"pool{n:02}")
        venues[where] = Venue(
            address=where,
            deployment="",
            label=f"{one}/{other}",
            kind="constant-product",
            tokens=(address(one), address(other)),
            decimals=(18, 18),
            pool=ConstantProduct((reserves[0], reserves[1])),
        )
    return replace(made, assets=assets, sources=Sources(venues=venues))


def tree_of(made: Book) -> PriceTree:
    return price_tree(made, pool_table(made).venues)


def hangs(made: Book) -> dict[str, tuple[str, int]]:
    """Each asset that hangs on another one, with the number of the pool."""
    tree = tree_of(made)
    rows = zip(tree.asset, tree.parent, tree.venue, strict=True)
    return {made.symbol(int(a)): (made.symbol(int(p)), int(v)) for a, p, v in rows}


def roots(made: Book) -> list[str]:
    return [made.symbol(int(a)) for a in tree_of(made).root]


def test_each_asset_hangs_on_the_pool_that_pays_most_on_the_way_to_the_dollar() -> None:
    made = traded(
        [
            ("WETH", "USDC", 900),
            ("WETH", "USDC", 1000),
            ("LINK", "USDC", 10),
            ("LINK", "WETH", 500),
            ("UNI", "LINK", 40),
            ("UNI", "USDC", 39),
        ]
    )
    assert roots(made) == ["USDC"]
    assert hangs(made) == {"WETH": ("USDC", 1), "LINK": ("WETH", 3), "UNI": ("LINK", 4)}
    tree = tree_of(made)
    for e in range(len(tree.asset)):
        pool = list(made.sources.venues.values())[tree.venue[e]]
        assert pool.tokens[tree.token[e]] == made.assets[tree.asset[e]].address
        assert pool.tokens[tree.other[e]] == made.assets[tree.parent[e]].address


def test_the_root_is_the_dollar_that_is_traded_most_and_no_claim() -> None:
    pairs = [("DAI", "WETH", 500), ("USDC", "WETH", 300), ("LINK", "WETH", 9000)]
    assert roots(traded(pairs)) == ["DAI"]
    assert hangs(traded(pairs)) == {
        "WETH": ("DAI", 0),
        "USDC": ("WETH", 1),
        "LINK": ("WETH", 2),
    }
    assert roots(traded(pairs, claims=("DAI",))) == ["USDC"]
    assert roots(traded([*pairs, ("USDC", "LINK", 250)])) == ["USDC"]


def test_pools_without_a_way_to_the_dollar_have_a_root_of_their_own() -> None:
    made = traded([("LINK", "UNI", 10), ("UNI", "AAVE", 20), ("USDC", "WETH", 1)])
    assert roots(made) == ["USDC", "UNI"]
    assert hangs(made) == {"WETH": ("USDC", 2), "AAVE": ("UNI", 1), "LINK": ("UNI", 0)}
    apart = traded([("LINK", "DAI", 10), ("USDC", "WETH", 11)])
    assert roots(apart) == ["USDC", "DAI"]
    assert roots(traded([])) == []
    assert hangs(traded([])) == {}


pairs = st.lists(
    st.tuples(st.sampled_from(SYMBOLS), st.sampled_from(SYMBOLS), st.integers(1, 40)).filter(
        lambda pair: pair[0] != pair[1]
    ),
    max_size=14,
)


def paid(venue: Venue, i: int, price: float) -> Fraction:
    """Dollars for a fall by 2 %, of a pair whose other token has this price."""
    sale = venue.pool.sell_until(i, 1 - i, venue.pool.price(i, 1 - i) * Fraction(98, 100))
    return Fraction(sale.received, 10**18) * Fraction(price)


@given(pairs)
def test_no_other_way_to_the_root_is_wider(drawn: list[Depth]) -> None:
    """The narrowest pool of each asset's chain against the best over all chains (Floyd)."""
    made = traded(drawn)
    size = len(made.assets)
    widest = [[Fraction(0)] * size for _ in range(size)]
    places = {asset.address: a for a, asset in enumerate(made.assets)}
    venues = list(made.sources.venues.values())
    for venue in venues:
        for i in (0, 1):
            a, b = places[venue.tokens[i]], places[venue.tokens[1 - i]]
            widest[a][b] = max(widest[a][b], paid(venue, i, made.asset_price[b]))
    for k in range(size):
        for a in range(size):
            for b in range(size):
                widest[a][b] = max(widest[a][b], min(widest[a][k], widest[k][b]))
    tree = tree_of(made)
    width: dict[int, Fraction] = {}
    root_of = {int(root): int(root) for root in tree.root}
    for e in range(len(tree.asset)):
        asset, parent = int(tree.asset[e]), int(tree.parent[e])
        own = paid(venues[tree.venue[e]], int(tree.token[e]), made.asset_price[parent])
        width[asset] = min(width.get(parent, own), own)
        root_of[asset] = root_of[parent]
    for asset, narrowest in width.items():
        assert narrowest == widest[asset][root_of[asset]]
    assert set(root_of) == {places[token] for venue in venues for token in venue.tokens}
    for one in root_of:
        for other in root_of:
            assert (widest[one][other] > 0 or one == other) == (root_of[one] == root_of[other])


def test_an_asset_moves_by_the_product_of_its_pools() -> None:
    made = traded([("WETH", "USDC", 100), ("LINK", "WETH", 50), ("AAVE", "UNI", 1)])
    tree, out, twin = tree_of(made), np.empty(6), np.empty(6)
    places = [made.symbol(int(asset)) for asset in tree.asset]
    moves = np.array([{"WETH": 0.7, "LINK": 0.9}.get(one, np.nan) for one in places])
    asset_factors(tree, moves, out)
    CODE["asset_factors"](tree, moves, twin)

    np.testing.assert_array_equal(out, twin)
    said = dict(zip(SYMBOLS, out, strict=True))
    assert (said["USDC"], said["WETH"], said["DAI"]) == (1.0, 0.7, 1.0)
    assert said["LINK"] == 0.7 * 0.9
    assert np.isnan(out).sum() == 1
