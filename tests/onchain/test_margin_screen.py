"""The screen against contracts whose margins are no fixed share of the collateral.

The same shock, as users write it, put to the book and to the running chain: the same units fall.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from defirisk.contagion.compiled import CompiledSweep
from defirisk.contagion.curve import curve
from defirisk.contagion.margin import bent
from defirisk.contagion.screen import liquidatable_units, screen
from defirisk.contagion.sparse import SparseSweep
from defirisk.core.adapter import Deployment
from defirisk.core.book import Book
from defirisk.core.evm import Block
from defirisk.core.quote import Feed, leaves
from defirisk.core.scenario import Moves, Scenario
from defirisk.protocols.cdp.liquity_v1 import ADAPTER as LIQUITY
from defirisk.protocols.cdp.liquity_v1.system_now import system_now
from defirisk.protocols.perps.perp_curie.account_value import Prices, present_prices
from defirisk.protocols.perps.perp_curie.perp_now import PerpNow, perp_now
from defirisk.protocols.perps.synthetix_perps_v2 import ADAPTER as SYNTHETIX
from defirisk.shocks.grammar import scenario
from defirisk.store.database import Store
from defirisk.store.frames import load_book
from tests.command import CommandLine
from tests.devnet.zero.market import COLLATERAL
from tests.onchain import test_perp_curie_stress as curie
from tests.onchain.liquity_v1_chain import indexed_chain
from tests.onchain.markets import stored
from tests.onchain.perp_curie_moves import MOVES as MOVES_OF_POOLS
from tests.onchain.perp_curie_moves import WINDOWS, World
from tests.onchain.synthetix_chain import indexed_alone
from tests.onchain.test_liquity_v1_stress import FACTORS
from tests.onchain.test_liquity_v1_stress import Shocked as ShockedTroves
from tests.onchain.test_synthetix_perps_v2_stress import MOVES, edges, regime
from tests.onchain.test_synthetix_perps_v2_stress import Shocked as ShockedPerps

pytestmark = pytest.mark.onchain
PLACES = 8
"""Of the feeds' answers."""

FALLING = ("WETH", "sETHPERP", "vETH")
"""What falls where commands are tried: one of these is in every book."""

world, outcomes = curie.world, curie.outcomes


def book_of(store: Store, market: Deployment, block: Block) -> Book:
    with store.transaction() as connection:
        return load_book(connection, [stored(store, market)], block)


def price(symbol: str, answer: int) -> str:
    """The shock after which a feed says this."""
    return f"price:{symbol}={Decimal(answer).scaleb(-PLACES):f}"


def fallen(book: Book, *texts: str) -> set[str]:
    """Whom the screen finds; both sweeps count as many."""
    return found_by(book, scenario("", list(texts), book))


def found_by(book: Book, scene: Scenario) -> set[str]:
    """Likewise of any scenario."""
    found = {book.units[int(unit)] for unit in liquidatable_units(book, scene)}
    for sweep in (SparseSweep(book), CompiledSweep(book)):
        assert int(screen(book, [scene], sweep=sweep).liquidatable_accounts.sum()) == len(found)
    return found


@dataclass(frozen=True)
class Troves:
    """A running Sovryn Zero and its book."""

    shocked: ShockedTroves
    book: Book


@pytest.fixture(scope="module")
def troves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Troves]:
    with indexed_chain(1, tmp_path_factory.mktemp("margin")) as indexed:
        snapshot = indexed.snapshot()
        shocked = ShockedTroves(indexed, snapshot, LIQUITY.holdings(snapshot))
        yield Troves(shocked, book_of(indexed.store, indexed.market, indexed.block))


def test_the_same_troves_fall_in_both_modes(troves: Troves) -> None:
    now, modes, sets = troves.shocked.answer, [], set()
    for text in FACTORS:
        answer = round(now * Fraction(text))
        with troves.shocked.reported(answer):
            theirs, recovery = troves.shocked.by_contract(), troves.shocked.recovery()

        assert fallen(troves.book, price(COLLATERAL, answer)) == theirs, text
        modes.append(recovery)
        sets.add(frozenset(theirs))

    assert len(modes) >= 20
    assert modes.count(True) >= 5
    assert modes.count(False) >= 5
    assert len(sets) >= 7


def test_at_the_switch_of_the_mode_the_contract_decides(troves: Troves) -> None:
    """One base unit of the feed to either side of the price at which recovery mode begins."""
    system, now, sets = system_now(troves.shocked.snapshot), troves.shocked.answer, []
    critical = system.parameters.ccr_wad * system.debt_raw
    first = -(-critical // (system.coll_raw * 10 ** (18 - PLACES)))
    for answer in range(first - 2, first + 2):
        with troves.shocked.reported(answer):
            theirs, recovery = troves.shocked.by_contract(), troves.shocked.recovery()
        assert fallen(troves.book, price(COLLATERAL, answer)) == theirs
        sets.append((recovery, theirs))

    assert [recovery for recovery, _ in sets] == [True, True, False, False]
    assert sets[1][1] > sets[2][1], "recovery mode took nobody who was safe: nothing was decided"
    assert Fraction(first, now) < 10


def test_the_curve_counts_as_the_screen_does(troves: Troves) -> None:
    """The chain stands in recovery mode; a fall leaves it there."""
    book = troves.book
    asset = [one.symbol for one in book.assets].index(COLLATERAL)
    drops, found = [percent / 100 for percent in range(0, 80, 3)], curve(book, asset)

    counted = [len(fallen(book, f"price:{COLLATERAL}=-{100 * drop:.2f}%")) for drop in drops]

    assert found.at(drops).accounts.tolist() == counted
    assert len(set(counted)) >= 5


@dataclass(frozen=True)
class Perps:
    """A running Perps V2 and its book."""

    shocked: ShockedPerps
    book: Book

    def texts(self, answers: Mapping[str, int]) -> list[str]:
        """The shocks after which feeds say these, by feed."""
        of = {
            leaf.address: self.book.assets[int(asset)].symbol
            for asset, program in zip(self.book.quote_asset, self.book.quote_program, strict=True)
            for leaf in leaves(program)
            if isinstance(leaf, Feed)
        }
        return [price(of[feed], answer) for feed, answer in answers.items()]


@pytest.fixture(scope="module")
def perps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Perps]:
    with indexed_alone(1, tmp_path_factory.mktemp("margin-perps")) as indexed:
        shocked = ShockedPerps(indexed, SYNTHETIX.holdings(indexed.snapshot()))
        yield Perps(shocked, book_of(indexed.store, indexed.market, indexed.block))


def test_the_same_positions_fall(perps: Perps) -> None:
    sets = set()
    for moves in MOVES:
        answers = perps.shocked.answers(moves)
        theirs = perps.shocked.by_contract(answers)

        assert fallen(perps.book, *perps.texts(answers)) == theirs, moves
        sets.add(frozenset(theirs))

    assert len(MOVES) >= 20
    assert len(sets) >= 12


def test_positions_fall_at_their_liquidation_price_and_not_beside_it(perps: Perps) -> None:
    """One step of the feed to either side of it, with the fee at and between its limits."""
    regimes, decided = set(), 0
    for position, low, high in edges(perps.shocked):
        due, safe = (low, high) if position.size > 0 else (high, low)
        assert position.unit in fallen(perps.book, *perps.texts(due))
        assert position.unit not in fallen(perps.book, *perps.texts(safe))
        regimes.add(regime(perps.shocked, position))
        scene = scenario("", perps.texts(due), perps.book)
        decided += int(screen(perps.book, [scene]).edge_units[0])

    assert regimes == {"least", "proportional", "capped"}
    assert decided, "nobody was so near that the contract had to be asked"


def test_margins_with_limits_are_left_to_the_sparse_products(perps: Perps) -> None:
    """The fee of a flagger has limits: so every open position is bent, and lone margins are not."""
    sized = {one.unit for one in SYNTHETIX.perps(perps.shocked.found.snapshot()).positions}

    found = {perps.book.units[int(unit)] for unit in np.flatnonzero(bent(perps.book))}
    assert found == sized


def test_the_same_accounts_fall_at_the_marks_that_moved(
    world: World, outcomes: dict[str, curie.Outcome]
) -> None:
    """Cross margin at marks where pools went with the feeds; makers' orders are not linear."""
    now = perp_now(world.known.snapshot())
    book = book_of(world.known.store, world.known.market, world.known.block)
    takers = {u for u in world.accounts if u in now.accounts and not now.accounts[u].has_orders}
    before, sets = present_prices(now), set()
    for name, move in MOVES_OF_POOLS.items():
        if move.follow and move.wait == WINDOWS:
            moves = Moves(quotes=factors(now, before, outcomes[name].prices))
            found = found_by(book, Scenario(name=name, shocks=(), moves=moves)) & takers
            assert found == outcomes[name].fallen & takers, name
            sets.add(frozenset(found))

    assert not bent(book).any()
    assert len(book.requirements.unit)
    assert len(sets) >= 5


def factors(now: PerpNow, before: Prices, after: Prices) -> dict[int, Fraction]:
    """What quotes moved by: markets, and collateral after the two tokens that count as 1."""
    found = {
        place: Fraction(after.marks[token], before.marks[token])
        for place, token in enumerate(now.markets)
    }
    for place, token in enumerate(now.collateral, len(now.markets) + 2):
        found[place] = Fraction(after.collateral[token], before.collateral[token])
    return found


@pytest.mark.parametrize("kind", ["troves", "perps", "world"])
def test_every_command_takes_them(
    kind: str, request: pytest.FixtureRequest, cli: CommandLine
) -> None:
    """What a command says is what the book says; nobody without a rule is played."""
    of = request.getfixturevalue(kind)
    known = {"troves": lambda: of.shocked.indexed, "perps": lambda: of.shocked.found}
    indexed = known[kind]() if kind in known else of.known
    book = book_of(indexed.store, indexed.market, indexed.block)
    asset = next(asset.symbol for asset in book.assets if asset.symbol in FALLING)
    name = indexed.market.name
    db = indexed.store.engine.url.render_as_string(hide_password=False)
    fall = f"price:{asset}=-30%"

    said = {
        words: json.loads(ran.out)
        for words in (
            ("stress", "--shock", fall),
            ("stress", "--cascade", "--shock", fall),
            ("positions", name, "--top", "3"),
            ("graph",),
            ("report", "protocol", name),
        )
        if (ran := cli(*words, "--db", db, "--format", "json")).code == 0
    }

    assert len(said) == 5
    counted = len(fallen(book, fall))
    still, played = said["stress", "--shock", fall], said["stress", "--cascade", "--shock", fall]
    assert counted
    assert still["scenarios"][0]["totals"]["liquidatable_accounts"] == counted
    assert played["scenarios"][0]["totals"]["liquidated_debt_usd"] == 0
    assert "cannot be played" in json.dumps(played)
    sections = json.dumps(said["report", "protocol", name])
    assert ("debt-markets" if kind == "troves" else "perp-markets") in sections.replace("_", "-")
