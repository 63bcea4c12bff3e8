"""The price of the collateral moves in its real feed: whom can one liquidate then?

Three answers must be the same set: what `liquidate` does when it is tried, what our integers say,
and what the rows of `Holdings` say in exact fractions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

import pytest

from defirisk.contagion.screen import liquidatable_units
from defirisk.core.adapter import Snapshot
from defirisk.core.holdings import Holdings, Side
from defirisk.core.quote import Feed, Leaf, exact
from defirisk.core.requirement import RecoveryMode
from defirisk.protocols.cdp.liquity_v1 import ADAPTER
from defirisk.protocols.cdp.liquity_v1.system_now import system_now
from defirisk.protocols.cdp.liquity_v1.troves import Rules
from defirisk.shocks.grammar import scenario
from defirisk.store.frames import load_book
from tests.devnet.abi import words
from tests.devnet.chain import Tx
from tests.devnet.market import KEEPERS
from tests.devnet.zero.market import COLLATERAL
from tests.onchain.liquity_v1_chain import SEEDS, Indexed, indexed_chain
from tests.onchain.markets import stored

pytestmark = pytest.mark.onchain
FACTORS = (
    *("0.02", "0.25", "0.4", "0.5", "0.58", "0.64", "0.7", "0.74", "0.78", "0.82", "0.86"),
    *("0.9", "0.94", "0.97", "1", "1.03", "1.08", "1.15", "1.25", "1.4", "1.8", "3"),
)
NEAREST = (-1, 0, 1)
"""Base units of the feed's answer, beside the price at which a trove is at its threshold."""


@dataclass(frozen=True)
class Shocked:
    """A running chain, and what our rows say of it before any shock."""

    indexed: Indexed
    snapshot: Snapshot
    holdings: Holdings

    @property
    def answer(self) -> int:
        """What the feed says, as an integer."""
        feed = self.indexed.alone.market.feeds.by_symbol[COLLATERAL]
        return words(self.indexed.alone.chain.call(feed.proxy, "latestAnswer()"))[0]

    @contextmanager
    def reported(self, answer: int) -> Iterator[None]:
        """The oracles report `answer`, and afterwards never did."""
        chain, feeds = self.indexed.alone.chain, self.indexed.alone.market.feeds
        feed = feeds.by_symbol[COLLATERAL]
        before, round_before = chain.rpc.call("evm_snapshot"), feed.next_round
        try:
            chain.must(*feeds.report(COLLATERAL, answer / 10**8))
            assert self.answer == answer
            yield
        finally:
            assert chain.rpc.call("evm_revert", before)
            feed.next_round = round_before
            chain.resync()

    def by_contract(self) -> set[str]:
        """Whose liquidation succeeds now, of everybody who ever was here."""
        manager = self.indexed.zero["trove_manager"]
        everybody = list(system_now(self.snapshot).troves)
        txs = [Tx(KEEPERS[0], manager, "liquidate(address)", (one,)) for one in everybody]
        tried = self.indexed.alone.chain.would_succeed(txs)
        return {one for one, works in zip(everybody, tried, strict=True) if works}

    def by_integers(self, factor: Fraction) -> set[str]:
        """Whom `liquidation_check` names."""
        check = ADAPTER.liquidation_check(self.snapshot)
        moved = dict.fromkeys(range(len(self.holdings.quotes)), factor)
        return {unit for unit in self.holdings.units if check(unit, moved)}

    def by_rows(self, factor: Fraction) -> set[str]:
        """Whom the rows name."""
        return liquidatable(self.holdings, factor)

    def recovery(self) -> bool:
        """What the contract says of its mode."""
        zero = self.indexed.zero
        said = zero.chain.call(zero["trove_manager"], "checkRecoveryMode(uint256)", zero.price())
        return bool(words(said)[0])


def liquidatable(of: Holdings, factor: Fraction) -> set[str]:
    """The slow and obvious reading of the rows, with all feeds moved by a factor."""

    def moved(leaf: Leaf) -> Fraction:
        return factor if isinstance(leaf, Feed) else Fraction(1)

    prices = []
    for quote in of.quotes:
        value = exact(quote.program, moved)
        assert value is not None
        prices.append(value / 10**quote.decimals)
    pledged = [Fraction(0)] * len(of.units)
    weighted, owed = list(pledged), list(pledged)
    for one in of.holdings:
        value = (one.amount_raw + one.remainder) * prices[one.quote]
        if one.side is Side.COLLATERAL:
            pledged[one.unit] += value
            threshold = of.parameters[one.parameters].liquidation_threshold
            weighted[one.unit] += value * threshold
        elif one.side is Side.DEBT:
            owed[one.unit] += value
    found = {unit for unit in range(len(of.units)) if weighted[unit] < owed[unit]}
    for system in of.recovery:
        found |= set(_by_recovery(system, prices, pledged, owed))
    return {of.units[unit] for unit in found}


def _by_recovery(
    system: RecoveryMode, prices: list[Fraction], pledged: list[Fraction], owed: list[Fraction]
) -> Iterator[int]:
    everything = system.collateral_raw * prices[system.collateral]
    total = everything / (system.debt_raw * prices[system.debt])
    if total >= system.critical_ratio:
        return
    assert system.absorbed_raw is not None
    absorbed = system.absorbed_raw * prices[system.debt]
    for unit in system.units:
        ratio = pledged[unit] / owed[unit]
        if ratio < system.minimum_ratio or (ratio < total and owed[unit] <= absorbed):
            yield unit


@pytest.fixture(scope="module", params=SEEDS)
def shocked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shocked]:
    with indexed_chain(request.param, tmp_path_factory.mktemp("stress")) as indexed:
        snapshot = indexed.snapshot()
        yield Shocked(indexed, snapshot, ADAPTER.holdings(snapshot))


def test_the_same_troves_fall_whoever_is_asked(shocked: Shocked) -> None:
    now, modes, sets = shocked.answer, set(), set()
    for text in FACTORS:
        answer = round(now * Fraction(text))
        factor = Fraction(answer, now)
        with shocked.reported(answer):
            theirs, recovery = shocked.by_contract(), shocked.recovery()
        rules = system_now(shocked.snapshot).rules(factor)

        assert shocked.by_integers(factor) == theirs, text
        assert shocked.by_rows(factor) == theirs, text
        assert rules is not None
        assert rules.recovery == recovery, text
        modes.add((recovery, bool(theirs)))
        sets.add(frozenset(theirs))

    assert len(FACTORS) >= 20
    assert {True, False} == {recovery for recovery, _ in modes}
    assert (True, True) in modes
    assert len(sets) >= 7, "an engine that ignores the shock would have one"


def test_the_book_says_the_same_in_normal_mode(shocked: Shocked) -> None:
    """Through floating point, by a shock as users write it."""
    indexed, met = shocked.indexed, 0
    with indexed.store.transaction() as connection:
        book = load_book(connection, [stored(indexed.store, indexed.market)], indexed.block)
    for percent in range(-30, 230, 4):
        factor = 1 + Fraction(percent, 100)
        rules = system_now(shocked.snapshot).rules(factor)
        assert rules is not None
        if not rules.recovery:
            scene = scenario("", [f"price:{COLLATERAL}={percent:+d}%"], book)
            found = {book.units[int(unit)] for unit in liquidatable_units(book, scene)}
            assert found == shocked.by_integers(factor)
            met += 1

    assert met >= 10


def test_recovery_mode_takes_troves_that_normal_mode_leaves(shocked: Shocked) -> None:
    """Above the minimum ratio, and only those that the pool can absorb."""
    now, extra, spared = shocked.answer, 0, 0
    for text in FACTORS:
        factor = Fraction(round(now * Fraction(text)), now)
        system = system_now(shocked.snapshot)
        rules = system.rules(factor)
        assert rules is not None
        if rules.recovery:
            above = {
                who
                for who, one in system.active.items()
                if _above(rules, one.coll_raw, one.debt_raw)
            }
            taken = shocked.by_rows(factor) & above
            extra += len(taken)
            below_total = {
                who
                for who in above
                if system.active[who].coll_raw * rules.price_wad
                < rules.tcr_wad * system.active[who].debt_raw
            }
            spared += len(below_total - taken)

    assert extra
    assert spared, "without the condition on the pool's size nobody would be spared"


def _above(rules: Rules, coll: int, debt: int) -> bool:
    return coll * rules.price_wad >= rules.mcr_wad * debt


def test_troves_at_the_very_edge_are_decided_as_the_contract_does(shocked: Shocked) -> None:
    """At the last answer of the feed that spares a trove, and one base unit beside it."""
    system, now, met = system_now(shocked.snapshot), shocked.answer, 0
    for one in list(system.active.values())[:8]:
        at_minimum = -(-system.parameters.mcr_wad * one.debt_raw // (one.coll_raw * 10**10))
        for nudge in NEAREST:
            answer = at_minimum + nudge
            with shocked.reported(answer):
                theirs = shocked.by_contract()
            factor = Fraction(answer, now)
            assert shocked.by_integers(factor) == theirs
            assert shocked.by_rows(factor) == theirs
            met += one.stored.borrower in theirs
    assert met >= 8
