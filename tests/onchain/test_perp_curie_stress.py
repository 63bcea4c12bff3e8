"""The same move, put to our rows and to Perp Curie itself: the same accounts must fall.

The contracts' pools are traded and their feeds report, in a state that is thrown away afterwards.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import pytest

from defirisk.core.holdings import Holdings, Side
from defirisk.core.quote import Factor, Feed, Leaf, Spot, exact
from defirisk.core.scenario import quote_prices
from defirisk.protocols.perps.perp_curie import ADAPTER
from defirisk.protocols.perps.perp_curie.account_value import (
    Prices,
    present_prices,
)
from defirisk.protocols.perps.perp_curie.liquidation import Liquidatable
from defirisk.protocols.perps.perp_curie.mark_program import mark_program
from defirisk.protocols.perps.perp_curie.perp_now import perp_now
from defirisk.shocks.grammar import scenario
from defirisk.store.frames import load_book
from tests.devnet.abi import view_data
from tests.devnet.alone import build_alone, start_alone
from tests.devnet.curie_perp.desk import Desk
from tests.devnet.curie_perp.keepers import Keepers
from tests.devnet.curie_perp.market import Curie, ints
from tests.devnet.purse import Purse
from tests.onchain.markets import stored
from tests.onchain.perp_curie_chain import FOLDER, Indexed
from tests.onchain.perp_curie_moves import MOVES, WINDOWS, Move, TakenBack, World, both

pytestmark = pytest.mark.onchain
TICK = Fraction(2, 10_000)
"""Means are prices of whole ticks, which are a basis point apart."""
WAD = 10**18


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("curie-stress")
    with start_alone(build_alone(FOLDER, 1)) as alone:
        curie = alone.deployed
        assert isinstance(curie, Curie)
        bases = curie.bases.values()
        prices = {"USDC": 1.0}
        for base in bases:
            (price,) = ints(
                alone.chain.calls([(base.token, view_data("getIndexPrice(uint256)", 0))])
            )
            prices[base.asset] = price[0] / WAD
        desk = Desk(curie, Purse(alone.market.tokens, prices), {})
        keepers = Keepers(alone.chain, desk, random.Random(7), set())
        known = Indexed.of(alone, folder)
        holdings = ADAPTER.holdings(known.snapshot())
        yield World(alone, curie, known, keepers, holdings, folder)
        known.store.close()


@dataclass(frozen=True)
class Outcome:
    """What the contracts said after a move."""

    fallen: frozenset[str]
    prices: Prices


@pytest.fixture(scope="module")
def outcomes(world: World) -> dict[str, Outcome]:
    """Every move, taken back afterwards."""
    found = {}
    for name, move in MOVES.items():
        with TakenBack(world):
            world.play(move)
            found[name] = Outcome(frozenset(world.fallen()), world.said())
    return found


@pytest.mark.parametrize("name", MOVES)
def test_the_same_accounts_can_be_liquidated_as_the_contracts_say(
    world: World, outcomes: dict[str, Outcome], name: str
) -> None:
    """From before the move, knowing the prices that it led to: makers hold what pools gave them."""
    outcome = outcomes[name]
    check = Liquidatable(world.known.snapshot())

    ours = {unit for unit in world.accounts if check.at(unit, outcome.prices)}

    assert ours == outcome.fallen


@pytest.mark.parametrize("name", MOVES)
def test_the_rows_say_the_same_of_all_who_provide_no_liquidity(
    world: World, outcomes: dict[str, Outcome], name: str
) -> None:
    """Collateral times threshold, less debts and requirements, in fractions."""
    outcome, holdings = outcomes[name], world.holdings
    accounts = perp_now(world.known.snapshot()).accounts
    takers = {unit for unit in world.accounts if unit in accounts and not accounts[unit].has_orders}

    fallen = {unit for unit in takers if margin(holdings, unit, outcome.prices) < 0}

    assert fallen == outcome.fallen & takers


def margin(holdings: Holdings, unit: str, prices: Prices) -> Fraction:
    """What a unit has beyond what it must keep."""
    if unit not in holdings.units:
        return Fraction(0)
    place, total = holdings.units.index(unit), Fraction(0)
    values = [_price(holdings, quote, prices) for quote in range(len(holdings.quotes))]
    for held in holdings.holdings:
        if held.unit == place:
            units = 10 ** holdings.quotes[held.quote].decimals
            value = (held.amount_raw + held.remainder) / units * values[held.quote]
            threshold = holdings.parameters[held.parameters].liquidation_threshold
            total += value * threshold if held.side is Side.COLLATERAL else -value
    for kept in holdings.requirements:
        if kept.unit == place:
            units = 10 ** holdings.quotes[kept.quote].decimals
            total -= Fraction(kept.amount_raw, units) * values[kept.quote] * kept.ratio
    return total


def _price(holdings: Holdings, quote: int, prices: Prices) -> Fraction:
    asset = holdings.quotes[quote].asset
    moved = prices.marks.get(asset, prices.collateral.get(asset))
    if moved is not None:
        return Fraction(moved, WAD)
    said = exact(holdings.quotes[quote].program)
    assert said is not None
    return said


def test_the_moves_above_tell_accounts_apart(outcomes: dict[str, Outcome]) -> None:
    sets = {outcome.fallen for outcome in outcomes.values()}

    assert len(MOVES) >= 20
    assert len(sets) >= 9
    assert max(map(len, sets)) >= 8


def test_factors_on_quotes_are_what_the_marks_moved_by(
    world: World, outcomes: dict[str, Outcome]
) -> None:
    """`liquidation_check` as the engine calls it, where the pools went with their marks."""
    check, now = Liquidatable(world.known.snapshot()), perp_now(world.known.snapshot())
    before = present_prices(now)
    for name, move in MOVES.items():
        if not (move.follow and move.wait == WINDOWS):
            continue
        after = outcomes[name].prices
        factors = {
            place: Fraction(after.marks[token], before.marks[token])
            for place, token in enumerate(now.markets)
        }
        for place, token in enumerate(now.collateral, len(now.markets) + 2):
            factors[place] = Fraction(after.collateral[token], before.collateral[token])
        takers = {u for u in world.accounts if u in now.accounts and not now.accounts[u].has_orders}
        assert {u for u in takers if check(u, factors)} == outcomes[name].fallen & takers, name


@pytest.mark.parametrize("name", ["both -25 %, seen soon", "ETH +25 %", "the index alone +25 %"])
def test_everything_agrees_to_the_wei_after_a_move(world: World, name: str) -> None:
    with TakenBack(world):
        world.play(MOVES[name])
        moved = world.indexed()
        try:
            assert moved.verdict().mismatches == ()
            check = Liquidatable(moved.snapshot())
            assert {unit for unit in world.accounts if check(unit, {})} == world.fallen()
        finally:
            moved.store.close()


CALM = {
    "the market": (Move({"vETH": 0.85, "vBTC": 1.12}), Move()),
    "the index alone": (Move(both(1.15), follow=False), Move(follow=False)),
    "the pools alone": (Move(follow=False, pool=both(0.93)), Move(follow=False)),
}


@pytest.mark.parametrize("name", CALM)
def test_the_mark_program_says_what_the_mark_will_be(world: World, name: str) -> None:
    """Feeds and pools moved apart or together, and every averaging window has passed."""
    with TakenBack(world):
        world.play(Move())
        calm = world.indexed()
        try:
            now = perp_now(calm.snapshot())
            before = world.said()
            world.play(CALM[name][0])
            after = world.said()
            factors = _factors(world, before, after, CALM[name][0])
            for token, market in now.markets.items():
                program = mark_program(market, calm.market.contracts["quote_token"])
                assert exact(program) == Fraction(market.mark or 0, WAD)
                ours = exact(program, factors)
                assert ours is not None
                assert abs(ours * WAD / after.marks[token] - 1) < TICK
        finally:
            calm.store.close()


SHOCKS = {
    "price:vETH=-20%": {"vETH": 0.8},
    "price:WETH=-20%": {"vETH": 0.8},
    "price:WETH=+35%": {"vETH": 1.35},
    "oracle:vBTC=-11%": {"vBTC": 0.89},
    "market:vETH=-30%": {"vETH": 0.7},
}


@pytest.mark.parametrize("text", SHOCKS)
def test_shocks_move_the_mark_as_they_say(world: World, text: str) -> None:
    """vETH follows WETH by the deployment's data; its pool moves with its market, and two of three
    legs with the pool: a market that moves without its feed takes the mark along.
    """
    with world.known.store.transaction() as connection:
        of = [stored(world.known.store, world.known.market)]
        book = load_book(connection, of, world.known.block)
    prices = quote_prices(book, [scenario("", [], book), scenario("", [text], book)])

    for place, token in enumerate(perp_now(world.known.snapshot()).markets):
        symbol = next(s for s, base in world.curie.bases.items() if base.token == token)
        moved = prices[place, 1] / prices[place, 0]
        assert moved == pytest.approx(SHOCKS[text].get(symbol, 1.0), rel=0.08), symbol
        if symbol not in SHOCKS[text]:
            assert moved == pytest.approx(1.0)


def _factors(world: World, before: Prices, after: Prices, move: Move) -> Factor:
    """What feeds and pools moved by."""
    tokens = {base.asset: symbol for symbol, base in world.curie.bases.items()}
    proxies = {
        world.alone.market.feeds.by_symbol[asset].proxy: move.index.get(symbol, 1.0)
        for asset, symbol in tokens.items()
    }

    def factor(leaf: Leaf) -> Fraction:
        if isinstance(leaf, Spot):
            moved = after.roots[leaf.base] ** 2, before.roots[leaf.base] ** 2
            same = abs(Fraction(*moved) - 1) < Fraction(1, 10**6)
            return Fraction(1) if same else Fraction(*moved)
        if isinstance(leaf, Feed):
            return Fraction(proxies[leaf.address])
        return Fraction(1)

    return factor
