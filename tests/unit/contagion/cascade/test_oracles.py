"""What oracles say, round by round: against `core.scenario`, and against slow twins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.contagion.cascade import oracles
from defirisk.contagion.cascade.machine import machine_code
from defirisk.contagion.cascade.oracles import step
from defirisk.contagion.cascade.pools import pool_table
from defirisk.contagion.cascade.sources import Sources, sources
from defirisk.core.book import Book
from defirisk.core.evaluation import Floats
from defirisk.core.quote import Constant, Cut, Median, Product, Program, Sum, Twap, exact
from defirisk.core.scenario import Moves, Scenario, market_prices, quote_prices
from defirisk.shocks.grammar import baseline, scenario
from defirisk.shocks.target import find_asset
from tests.books import Token, book
from tests.unit.contagion.cascade.playing import ROUNDS, Play, by_feed, fed, has_mean, shocks_of

CODE = machine_code(oracles.KERNELS)
TINY = Fraction(1, 10**12)


@pytest.fixture(scope="module")
def recorded(recorded_book: Book) -> tuple[Book, Sources]:
    return recorded_book, sources(recorded_book, pool_table(recorded_book).venues)


def test_nothing_moves_while_no_pool_does(recorded: tuple[Book, Sources]) -> None:
    """Also means that are off today, at a deviation of nothing, and after any shock."""
    made, found = recorded
    for happens in shocks_of(made):
        play = Play.of(made, happens, found)
        before = play.told.leaves.copy()
        for r in range(3):
            moved, _, said = play.after(r, seconds=10_000.0)
            assert not moved
        np.testing.assert_array_equal(play.told.leaves, before)
        np.testing.assert_array_equal(said, play.told.said * play.told.own_quote)


def pair_moves(found: Sources, made: Book, factors: dict[int, float]) -> Floats:
    """What pools move by where market prices moved by these factors."""
    tree, place = found.tables.tree, {asset.address: a for a, asset in enumerate(made.assets)}

    def of(a: int) -> float:
        return factors.get(a, 1.0)

    spots = [of(place.get(spot.base, -1)) / of(place.get(spot.quote, -1)) for spot in found.spots]
    edges = [of(int(a)) / of(int(p)) for a, p in zip(tree.asset, tree.parent, strict=True)]
    return np.array(edges + spots)


def test_pools_that_move_like_a_price_shock_end_where_it_does(
    recorded: tuple[Book, Sources],
) -> None:
    """All that hangs on WETH falls by 30 % in pools: feeds, pools and means follow, as the static
    engine says of such a shock. Feeds are cut to their decimals, means to ticks.
    """
    made, found = recorded
    tree, weth = found.tables.tree, find_asset(made, "WETH")
    below = {weth}
    for asset, parent in zip(tree.asset, tree.parent, strict=True):
        if int(parent) in below:
            below.add(int(asset))
    own = sorted(a for a in below if made.assets[a].program is None)
    assert len(own) >= 2
    feeds = [feed for feed, asset in by_feed(found).items() if asset in own]
    fall = Fraction(7, 10)
    shocked = Scenario(
        name="fall",
        shocks=(),
        moves=Moves(market=dict.fromkeys(own, fall), feeds=dict.fromkeys(feeds, fall)),
    )
    play = Play.of(made, baseline(), found)
    moves = pair_moves(found, made, dict.fromkeys(below, 0.7))
    moved, market, said = play.after(0, moves, seconds=100_000.0, deviation=0.005)

    assert moved
    np.testing.assert_allclose(market, market_prices(made, [shocked])[:, 0], rtol=1e-12)
    expected = quote_prices(made, [shocked])[:, 0]
    averaged = np.array([has_mean(program) for program in made.quote_program])
    np.testing.assert_allclose(said[~averaged], expected[~averaged], rtol=3e-9)
    # A mean keeps what it is off by today, which the static shock does not.
    kept = replace(made, quote_program=tuple(map(keeping, made.quote_program)))
    np.testing.assert_allclose(said, quote_prices(kept, [shocked])[:, 0], rtol=1.5e-4)
    assert (said < made.quote_price * 0.71).sum() >= 5
    assert not play.after(1, moves, seconds=12.0, deviation=0.005)[0]


def keeping(program: Program) -> Program:
    """With every mean as what its part says now, times what the mean is off by."""
    match program:
        case Twap(part=part, value=value):
            now = exact(part)
            assert now
            assert value
            return Product((Constant(value / now), part))
        case Product(inner) | Sum(inner) | Median(inner):
            return type(program)(tuple(map(keeping, inner)))
        case Cut(part=part):
            return replace(program, part=keeping(part))
        case _:
            return program


@given(
    st.lists(st.floats(0.9, 1.1), min_size=1, max_size=ROUNDS),
    st.sampled_from([0.0, 0.005, 0.02]),
    st.integers(2 * 10**8, 3000 * 10**8).map(lambda raw: Fraction(raw, 10**8)),
)
def test_reporters_post_what_is_off_and_cut_it(
    moves: Sequence[float], deviation: float, price: Fraction
) -> None:
    """Against the rule in fractions."""
    made, found = fed(price)
    play = Play.of(made, baseline(), found)
    said, factor = price, 1.0
    for r, move in enumerate(moves):
        factor *= move
        pairs = np.ones(len(found.tables.pair_venue))
        pairs[0] = factor
        moved, market, quoted = play.after(r, pairs, deviation=deviation)
        target, before = price * Fraction(factor), said
        off, raw = abs(target - said) / said, target * 10**8
        if abs(off - Fraction(deviation)) < TINY or abs(raw - round(raw)) < raw * TINY:
            return  # at an edge floats decide either way
        if off >= deviation:
            said = Fraction(floor(raw), 10**8)
        assert quoted[0] == float(said)
        assert moved == (abs(said - before) > before * TINY)
        assert market[0] == pytest.approx(float(price) * factor, rel=1e-15)
        assert quoted[2] == 1.0


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("price:WETH=-20%", False),
        ("market:WETH=-20%", True),
        ("oracle:WETH=+30%", True),
        ("market:USDC=-5%", False),
    ],
)
def test_what_the_scenario_holds_apart_from_its_market_stays(text: str, stays: bool) -> None:
    made, found = fed(Fraction(2000))
    play = Play.of(made, scenario("", [text], made), found)
    start = play.told.said * play.told.own_quote
    pairs = np.ones(len(found.tables.pair_venue))
    pairs[0] = 0.5
    growth = np.array([1.0, 1.25, 1.0, 1.0])
    moved, market, said = play.after(0, pairs, growth=growth)
    assert moved is not stays
    assert said[0] == start[0] * (1.0 if stays else 0.5)
    assert said[1] == said[0] * 1.25
    assert market[0] == pytest.approx(play.told.opening[found.tables.blocks.markets] / 2)


def test_a_share_follows_its_rate_and_what_it_is_a_share_of(
    recorded: tuple[Book, Sources],
) -> None:
    """Every conversion falls by a tenth: as the static engine says of the same moves."""
    made, found = recorded
    assert len(found.conversions) >= 2
    tokens = sorted({one.token for one in found.conversions})
    shocked = Scenario(
        name="", shocks=(), moves=Moves(conversions=dict.fromkeys(tokens, Fraction(9, 10)))
    )
    play = Play.of(made, baseline(), found)
    moved, market, said = play.after(conversions=np.full(len(found.conversions), 0.9))
    assert moved
    expected = market_prices(made, [shocked])[:, 0]
    np.testing.assert_allclose(market, expected, rtol=1e-13)
    np.testing.assert_allclose(said, quote_prices(made, [shocked])[:, 0], rtol=1e-9)
    assert (expected < made.asset_price).sum() >= 2


def test_unknown_prices_stay_unknown() -> None:
    made = book([Token("WETH", np.nan), Token("USDC", 1.0)], [])
    found = sources(made, [])
    play = Play.of(made, baseline(), found)
    moved, market, said = play.after()
    assert not moved
    assert np.isnan(market).tolist() == [True, False]
    assert np.isnan(said).tolist() == [True, True, False, False]


def test_machine_code_says_the_same_bit_for_bit(recorded: tuple[Book, Sources]) -> None:
    """Every shock, over rounds in which everything moves somewhere."""
    made, found = recorded
    rng = np.random.default_rng(5)
    for happens in shocks_of(made)[::4]:
        plays = [Play.of(made, happens, found, run) for run in (step, CODE["step"])]
        for r in range(ROUNDS):
            moves = np.exp(rng.normal(0, 0.05, len(found.tables.pair_venue)))
            conversions = rng.uniform(0.9, 1.1, len(found.conversions))
            growth = rng.uniform(1, 1.01, len(made.quote_program))
            seconds, deviation = float(rng.integers(0, 2000)), float(rng.choice([0.0, 0.02]))
            (slow, *one), (fast, *other) = (
                play.after(
                    r,
                    moves,
                    seconds=seconds,
                    deviation=deviation,
                    conversions=conversions,
                    growth=growth,
                )
                for play in plays
            )
            assert slow == fast
            np.testing.assert_array_equal(one[0], other[0])
            np.testing.assert_array_equal(one[1], other[1])
        for one_array, other_array in zip(plays[0].told, plays[1].told, strict=True):
            np.testing.assert_array_equal(one_array, other_array)
