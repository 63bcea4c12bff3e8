"""What machine code leaves out: never a unit that somebody would liquidate.

Its kernels run in Python here, beside those of the scalar path, which look at every unit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import liquidated, synthetic
from defirisk.contagion.cascade import acting, hope, many, watching
from defirisk.contagion.cascade.play import Cascade
from defirisk.contagion.cascade.settings import BASE, HIGH, Settings
from defirisk.contagion.cascade.settle import plan, weighed
from defirisk.contagion.cascade.state import LIQUIDATIONS, Facts, State
from defirisk.core.book import Book, Floats
from defirisk.core.scenario import Scenario
from defirisk.shocks.grammar import scenario

from .liquidated import liquidated_books
from .test_play import CASES as PLAYED
from .test_play import same, scenarios

FROZEN = replace(BASE, round_seconds=0)
CASES = (
    FROZEN,
    replace(FROZEN, gas_usd=40.0),
    replace(FROZEN, gas_usd=10.0, recovery=0.5),
    replace(FROZEN, gas_usd=15.0, feed_deviation=0.05),
    replace(BASE, gas_usd=25.0, keeper_capacity_usd=50_000.0),
    HIGH,
)


@pytest.fixture
def left_out(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often each rule left a unit out; that it could not be liquidated, or nobody would have
    done it, is asserted.
    """
    count = {"liquidated": 0, "hopeless": 0}
    hopeless_still, to_visit = hope.hopeless_still, watching.to_visit
    facts: list[Facts] = []

    def hopeless(f: Facts, s: State, assumed: Floats, u: int) -> bool:
        found = hopeless_still(f, s, assumed, u)
        if found:
            count["hopeless"] += 1
            assert not acts(f, s, assumed, u)
        return found

    def renewed(f: Facts, s: State) -> float:
        facts[:] = [f]
        return watching.renew_watch(f, s)

    def visited(s: State, fallen: float) -> int:
        size = to_visit(s, fallen)
        for u in set(range(len(s.seen))) - set(s.watch.visit[:size].tolist()):
            _, owed, debt, collateral, _, _ = found = weighed(facts[0].units, s.amount, s.tariff, u)
            assert not found[0] < owed or debt < 0 or collateral < 0
            count["liquidated"] += s.seen[u] == watching.LIQUIDATED
        return size

    monkeypatch.setattr(acting, "hopeless_still", hopeless)
    monkeypatch.setattr(acting, "renew_watch", renewed)
    monkeypatch.setattr(acting, "to_visit", visited)
    return count


def acts(f: Facts, s: State, assumed: Floats, u: int) -> bool:
    """Whether a keeper would liquidate the unit, with all the money and cash he may want."""
    backing, owed, debt, collateral, _, _ = weighed(f.units, s.amount, s.tariff, u)
    if not backing < owed or debt < 0 or collateral < 0:
        return False
    of = (f.units, s.amount, s.price, s.rate, f.fee, u, debt, collateral, backing, owed)
    paid, seized, fee = plan(*of)
    a, b = (f.units.asset[f.units.quote[h]] for h in (debt, collateral))
    brings = acting.worth_of(f, s, assumed, b, a, seized - fee)
    return bool(paid > 0 and seized > fee and brings >= paid + s.gas[a])


def both(book: Book, chosen: list[Scenario], case: Settings) -> None:
    """The scalar path, and the kernels of machine code in Python."""
    cascade = Cascade(book)
    one = cascade.play(chosen, case, compiled=False)
    cascade.__dict__["_machine_code"] = many.play_many
    with np.errstate(all="ignore"):
        same(one, cascade.play(chosen, case, compiled=True))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from([0.3, 2.0, 20.0]), st.integers(0, 1000), st.sampled_from(CASES), st.data())
def test_nobody_is_left_out_who_would_be_liquidated(
    left_out: dict[str, int], depth: float, seed: int, case: Settings, data: st.DataObject
) -> None:
    book = liquidated.book(150, depth, assets=12, deployments=3, seed=seed)
    chosen = synthetic.scenarios(book, 3, dollars=liquidated.DOLLARS, severity=1.2, seed=seed)
    asset = data.draw(st.integers(0, 6))
    chosen.append(scenario("", (f"price:A{asset}=-60%", f"market:A{asset + 1}=-20%"), book))
    both(book, chosen, case)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(liquidated_books(), st.sampled_from((*PLAYED, *CASES)))
def test_nor_in_any_protocol(left_out: dict[str, int], book: Book, case: Settings) -> None:
    both(book, scenarios(book), case)


def test_the_hopeless_are_not_looked_at_again(left_out: dict[str, int]) -> None:
    """In a violent cascade that is most of those that are left."""
    book = liquidated.book(1200, 1.0)
    both(book, liquidated.scenarios(book, 5)[2:], FROZEN)
    assert left_out["hopeless"] > 200


def test_nor_are_those_that_a_liquidation_left_healthy(left_out: dict[str, int]) -> None:
    """Where prices hardly fall, that is all that the round before liquidated."""
    book = liquidated.book(1200, 100.0)
    cascade, chosen = Cascade(book), liquidated.scenarios(book, 1)
    begun, given_, state = cascade.prepared(chosen, FROZEN)
    with np.errstate(all="ignore"):
        many.play_many(cascade.facts, state, begun, given_, many.empty_ends(state, 1))
    done = state.totals[LIQUIDATIONS]
    assert done > 0
    assert left_out["liquidated"] >= done


def test_a_unit_without_debt_is_done_with() -> None:
    book = liquidated.book(1200, 1.0)
    cascade, chosen = Cascade(book), liquidated.scenarios(book, 4)[3:]
    begun, given_, state = cascade.prepared(chosen, FROZEN)
    ends = many.empty_ends(state, len(chosen))
    with np.errstate(all="ignore"):
        many.play_many(cascade.facts, state, begun, given_, ends)
    units = cascade.facts.units
    bare = np.flatnonzero((state.touched == watching.SEEN) & np.isinf(state.watch.last)).tolist()
    clear = [watching.clear(units, state.amount, u) for u in bare]
    assert any(clear)
    assert all(
        free or watching.bare(units, state.amount, u) for u, free in zip(bare, clear, strict=True)
    )
