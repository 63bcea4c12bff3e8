"""The benchmark's numpy rounds as a second opinion: they were written from the specification."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import liquidated, synthetic
from benchmarks.cascade import COUNTS, agreement, job
from benchmarks.plain_cascade import Totals, tables
from benchmarks.plain_rounds import NumpyRounds
from defirisk.contagion.cascade.outcome import CascadeOutcome
from defirisk.contagion.cascade.play import Cascade
from defirisk.contagion.cascade.settings import BASE, Settings
from defirisk.core.book import Book
from defirisk.core.scenario import Scenario
from defirisk.shocks.grammar import scenario

FROZEN = replace(BASE, round_seconds=0)
CASES = {
    "base": FROZEN,
    "one slice, dear gas": replace(FROZEN, slices=1, gas_usd=10.0),
    "little money": replace(FROZEN, keeper_capacity_usd=50_000.0, max_rounds=40),
    "recovery": replace(FROZEN, recovery=0.5),
    "slow feeds": replace(FROZEN, feed_deviation=0.05),
    "known depth only": replace(FROZEN, unknown_depth=False, gas_usd=0.0),
}


def both(
    book: Book, scenarios: list[Scenario], case: Settings
) -> tuple[CascadeOutcome, list[Totals]]:
    plain = tables(book, {synthetic.feed(a): a for a in range(len(book.assets))})
    return (
        Cascade(book).play(scenarios, case, compiled=False),
        [NumpyRounds(plain, one, case).play() for one in scenarios],
    )


def agree(ours: CascadeOutcome, theirs: list[Totals]) -> None:
    for name, other in COUNTS.items():
        found = np.stack([getattr(one, name) for one in theirs], axis=-1)
        np.testing.assert_array_equal(found, getattr(ours, other), err_msg=name)
    counts, largest = agreement(ours, theirs)
    assert counts
    assert largest < 1e-9


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("depth", [100.0, 10.0, 2.0])
def test_the_rounds_are_those_of_numpy(case: Settings, depth: float) -> None:
    """Three mechanisms, pools from deep to shallow, everything that keepers can lack."""
    book = liquidated.book(150, depth, assets=12, deployments=3)
    ours, theirs = both(book, liquidated.scenarios(book, 8), case)
    agree(ours, theirs)
    assert ours.liquidations.sum() > 0


def test_they_are_on_a_book_with_units_of_every_kind() -> None:
    """So many that some are just above what a protocol asks to be left, and feeds just off."""
    book = liquidated.book(2500, 8.0)
    ours, theirs = both(book, liquidated.scenarios(book, 6), FROZEN)
    agree(ours, theirs)
    assert ours.liquidations.sum() > 2000


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(1, 40),
    st.sampled_from([0.1, 1.0, 30.0]),
    st.integers(0, 1000),
    st.sampled_from(list(CASES.values())),
)
def test_they_are_for_any_book(units: int, depth: float, seed: int, case: Settings) -> None:
    book = liquidated.book(units, depth, assets=8, deployments=3, seed=seed)
    agree(*both(book, liquidated.scenarios(book, 3), case))


def test_markets_without_cash_and_pools_without_depth_count() -> None:
    """Cash runs out in the middle of a round, and a shock takes most of a pool."""
    book = liquidated.book(80, 3.0, assets=12, deployments=3)
    pockets = tuple(
        replace(one, cash_raw=one.cash_raw // 60, supplied_raw=one.supplied_raw - one.cash_raw)
        for one in book.liquidation.pockets
    )
    poor = replace(book, liquidation=replace(book.liquidation, pockets=pockets))
    scenes = liquidated.scenarios(book, 4)
    thin = scenario("", ("price:A0=-40%", "liquidity:A0=-90%"), book)
    agree(*both(book, [*scenes, thin], FROZEN))
    plenty, _ = both(book, scenes, FROZEN)
    ours, theirs = both(poor, scenes, FROZEN)
    agree(ours, theirs)
    assert ours.liquidations.sum() < plenty.liquidations.sum()


def test_machine_code_is_python_bit_for_bit_on_the_benchmarks_book() -> None:
    """Forty scenarios are more than one group of lanes and less than three."""
    made = job(600, 1.0, 40)
    one, other = made.ours(compiled=False), made.ours()
    assert one.liquidations.sum() > 1000
    for name in ("liquidated_debt_usd", "asset_bad_debt_usd", "keepers_usd", "uncovered_usd"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name
    for path, twin in zip(one.paths, other.paths, strict=True):
        assert path.tobytes() == twin.tobytes()
