"""Whole cascades: what is conserved, what never happens, and that no path gives another answer."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from defirisk.contagion.cascade.outcome import CascadeOutcome
from defirisk.contagion.cascade.play import Cascade, assumed
from defirisk.contagion.cascade.rounds import one_round
from defirisk.contagion.cascade.settings import BASE, HIGH, LOW, Settings
from defirisk.contagion.cascade.state import LIQUIDATION, LIQUIDATIONS, LOSS, SALE
from defirisk.contagion.screen import screen
from defirisk.core.book import Book
from defirisk.core.scenario import Scenario
from defirisk.shocks.grammar import scenario
from tests.books import book as plain

from .liquidated import HALF, TOKENS, liquidated, liquidated_books, pair

SHOCKS = (
    ("price:ETH=-20%",),
    ("price:ETH=-55%", "price:BTC=-40%"),
    ("price:ETH=+30%",),
    ("depeg:DAI=0.8",),
    ("market:ETH=-30%",),
    ("price:BTC=-25%", "liquidity:BTC=-90%"),
)
CASES = (
    replace(BASE, round_seconds=0),
    replace(LOW, keeper_capacity_usd=20_000.0),
    HIGH,
    replace(BASE, slices=1, feed_deviation=0.05, max_rounds=12),
)
slow = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def scenarios(book: Book) -> list[Scenario]:
    return [scenario("", texts, book) for texts in SHOCKS]


@slow
@given(liquidated_books(), st.sampled_from(CASES))
def test_value_is_conserved(book: Book, case: Settings) -> None:
    """What units lose is what keepers repay, seize and protocols write off; what pools gain, others
    sold.
    """
    cascade = Cascade(book)
    for one in scenarios(book):
        outcome = cascade.play([one], case, compiled=False, trace=5000)
        state, units = outcome.states[0], cascade.facts.units
        assert state.traced[0] < 5000
        rows = state.trace[: int(state.traced[0])]
        before = cascade.opening(one, case)
        gone = (before.amount - state.amount) * units.rate[units.quote]
        moved = np.zeros_like(gone)
        for row in rows:
            if row[1] == LIQUIDATION:
                moved[int(row[3])] += row[5]
                moved[int(row[4])] += row[6] + row[7]
            elif row[1] == LOSS:
                moved[int(row[3])] += row[5]
        assert gone == pytest.approx(moved, rel=1e-12, abs=8)
        assert (state.amount >= 0).all()
        _pools_conserve(cascade, before.pools, state.pools, rows, case)


def _pools_conserve(
    cascade: Cascade,
    before: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    after: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    rows: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    case: Settings,
) -> None:
    """Of each asset, all pools together gained what was sold to them less what they paid."""
    if case.recovery:
        return  # others trade, too
    table = cascade.pools
    gained = np.zeros(len(cascade.book.assets))
    for v in range(len(table.venues)):
        for i in range(2):
            gained[table.tokens[v, i]] += after[v, i] - before[v, i]
    traded = np.zeros_like(gained)
    for row in rows:
        if row[1] == SALE:
            traded[int(row[3])] += row[5]
            traded[int(row[4])] -= row[6]
    rounding = 1e-15 * float(after.max(initial=0.0)) + 16
    assert gained == pytest.approx(traded, rel=1e-11, abs=rounding)


@slow
@given(liquidated_books(), st.sampled_from(CASES))
def test_nothing_is_unknown_or_negative(book: Book, case: Settings) -> None:
    outcome = Cascade(book).play(scenarios(book), case, compiled=False)
    for name in (
        "liquidated_debt_usd",
        "liquidated_collateral_usd",
        "written_off_usd",
        "uncovered_usd",
        "protocol_fees_usd",
        "asset_debt_usd",
        "asset_collateral_usd",
        "asset_bad_debt_usd",
        "asset_in_pools_usd",
    ):
        values = getattr(outcome, name)
        assert np.isfinite(values).all(), name
        assert (values >= 0).all(), name
    assert np.isfinite(outcome.keepers_usd).all()
    known = outcome.depth_known[~np.isnan(outcome.depth_known)]
    assert ((known >= 0) & (known <= 1 + 1e-12)).all()
    assert (outcome.rounds <= case.max_rounds).all()
    for path in outcome.paths:
        assert np.isfinite(path).all()
        assert (path > 0).all()


@slow
@given(liquidated_books())
def test_by_asset_adds_up_to_by_deployment(book: Book) -> None:
    outcome = Cascade(book).play(scenarios(book), compiled=False)
    for one, other in (
        (outcome.liquidated_debt_usd, outcome.asset_debt_usd),
        (outcome.liquidated_collateral_usd, outcome.asset_collateral_usd),
        (outcome.bad_debt_usd, outcome.asset_bad_debt_usd),
    ):
        assert one.sum(axis=0) == pytest.approx(other.sum(axis=0), rel=1e-12, abs=1e-9)


@slow
@given(liquidated_books())
def test_the_first_round_sees_whom_the_static_shock_sees(book: Book) -> None:
    """With interest frozen, and one round only."""
    found = scenarios(book)
    one = replace(BASE, round_seconds=0, max_rounds=1)
    seen = Cascade(book).play(found, one, compiled=False).liquidatable_accounts
    static = screen(book, found)
    edge = static.edge_units
    assert (abs(seen.sum(axis=0) - static.liquidatable_accounts.sum(axis=0)) <= edge).all()


@slow
@given(liquidated_books())
def test_when_it_ends_nobody_is_left_whom_it_pays_to_liquidate(book: Book) -> None:
    """Played once more from where it ended, nothing happens."""
    cascade = Cascade(book)
    for one in scenarios(book):
        outcome = cascade.play([one], CASES[0], compiled=False)
        if outcome.ended[0]:
            state, before = outcome.states[0], outcome.liquidations[0]
            again = one_round(cascade.facts, state, assumed(CASES[0], one), 0, False)
            assert again
            assert state.totals[LIQUIDATIONS] == before


def same(one: CascadeOutcome, other: CascadeOutcome) -> None:
    """Bit for bit."""
    for field in fields(one):
        if field.name in ("scenarios", "settings", "states"):
            continue
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        pairs = zip(mine, theirs, strict=True) if field.name == "paths" else [(mine, theirs)]
        for a, b in pairs:
            assert a.dtype == b.dtype
            assert a.tobytes() == b.tobytes(), field.name


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(liquidated_books(), st.sampled_from(CASES))
def test_machine_code_and_python_agree_bit_for_bit(book: Book, case: Settings) -> None:
    """Machine code leaves out what cannot matter, and uses one state for all scenarios."""
    cascade, found = Cascade(book), scenarios(book)
    same(cascade.play(found, case, compiled=False), cascade.play(found, case, compiled=True))


def test_deeper_pools_mean_a_smaller_fall() -> None:
    falls = []
    for depth in (200.0, 2_000.0, 30_000.0):
        entries = [("collateral", "ETH", 10.0), ("debt", "USD", 15_500.0)]
        made = liquidated(
            plain(TOKENS, [entries]), [HALF], [pair("ETH", "USD", (depth, depth * 2000.0))]
        )
        outcome = Cascade(made).play([scenario("", ("price:ETH=-10%",), made)], compiled=False)
        assert outcome.liquidations[0] > 0
        path = outcome.paths[0][:, 1]
        falls.append(1 - path[-1] / path[0])
    assert falls[0] > falls[1] > falls[2] > 0


def test_nothing_is_sold_in_a_pool_of_what_nobody_can_sell() -> None:
    """Such a pool is as good as none, even where it trades what was seized."""
    units = [[("collateral", "ETH", 10.0), ("debt", "USD", 15_000.0)]]
    pool = pair("ETH", "USD", (1e6, 2e9))
    made = liquidated(plain(TOKENS, units), [HALF], [pool])
    virtual = tuple(replace(one, virtual=one.symbol == "ETH") for one in made.assets)

    def known(book: Book) -> float:
        fall = [scenario("", ("price:ETH=-20%",), book)]
        return float(Cascade(book).play(fall, BASE, compiled=False).depth_known[0])

    assert known(made) > 0
    assert known(replace(made, assets=virtual)) == 0
