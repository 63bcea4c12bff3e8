"""Means over time against the contracts' own integers, which have their referee on chain."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.contagion.cascade import means, ticks
from defirisk.contagion.cascade.machine import machine_code
from defirisk.contagion.cascade.means import BASIS, Means, mean_table, moved_mean, opened
from defirisk.contagion.cascade.ticks import tick_powers
from defirisk.core.evaluation import Floats
from defirisk.core.quote import Product, Spot, Twap
from defirisk.core.sources import Sources
from defirisk.core.venue import Venue, VenueKind
from defirisk.protocols.oracles.uniswap_twap_v2 import worth_of
from defirisk.protocols.oracles.uniswap_twap_v3 import quote_at_tick
from defirisk.swaps.constant_product import ConstantProduct
from defirisk.swaps.twap import CumulativePrices
from tests.books import Token, book

POWERS = tick_powers()
CODE = machine_code((*ticks.KERNELS, *means.KERNELS))
A, B, POOL = "0xa", "0xb", "0xp"
DECIMALS = (18, 6)
PRICE = Fraction(2000)
"""Whole B for a whole A."""


def table(mean: Twap, kind: VenueKind, tokens: tuple[str, str]) -> Means:
    decimals = DECIMALS if tokens == (A, B) else DECIMALS[::-1]
    pool = Venue(
        address=POOL,
        deployment="",
        label="",
        kind=kind,
        tokens=tokens,
        decimals=decimals,
        pool=ConstantProduct((1, 1)),
    )
    made = replace(book([Token("A", 1)], []), sources=Sources(venues={POOL: pool}))
    return mean_table(made, [mean], 0)


class Run:
    """One mean, round by round, in Python and as machine code at once."""

    def __init__(self, mean: Twap, table: Means, start: float, rounds: int) -> None:
        self.table = table
        self.basis = np.zeros((1, BASIS))
        self.said = opened(table, 0, mean, POWERS, start, self.basis[0])
        self.history = np.zeros((2, rounds + 1))
        self.twin = (self.basis.copy(), self.history.copy())
        self.r = 0

    def after(self, part: float, seconds: float) -> float:
        self.r += 1
        found = []
        ways: list[tuple[Any, Floats, Floats]] = [
            (moved_mean, self.basis, self.history),
            (CODE["moved_mean"], *self.twin),
        ]
        for kernel, basis, history in ways:
            history[1, self.r] = history[1, self.r - 1] + seconds
            told = kernel(self.table, 0, POWERS, basis, history, self.r, part, self.said)
            found.append(float(told))
        np.testing.assert_array_equal(found[0], found[1])
        np.testing.assert_array_equal(self.history, self.twin[1])
        np.testing.assert_array_equal(self.basis, self.twin[0])
        self.said = found[0]
        return self.said


seconds_of_rounds = st.lists(st.integers(1, 400), min_size=1, max_size=12)
either_order = st.sampled_from([(A, B), (B, A)])


@given(either_order, st.integers(-100_000, 100_000), seconds_of_rounds, st.data())
def test_a_mean_tick_is_that_of_the_contract(
    tokens: tuple[str, str], start: int, seconds: list[int], data: st.DataObject
) -> None:
    """`OracleLibrary.consult` over the ticks of every second, and `getQuoteAtTick`."""
    first, window = tokens == (A, B), 600
    near = st.integers(start - 5000, start + 5000)
    drawn = [data.draw(near) for _ in seconds]

    def spot(tick: int) -> float:
        raw = float(1.0001 ** (tick + 0.5))
        return (raw if first else 1 / raw) * 1e12

    mean = Twap(Spot(POOL, A, B, Fraction(spot(start)) * 2), window, Fraction(1))
    run = Run(mean, table(mean, "concentrated", tokens), spot(start), len(seconds))
    ticks_by_second = [start] * window
    opening = quote_at_tick(start, 10**18, first)
    assert run.said * 10**6 == pytest.approx(opening, abs=1, rel=1e-13)
    for tick, elapsed in zip(drawn, seconds, strict=True):
        ticks_by_second += [tick] * elapsed
        mean_tick = sum(ticks_by_second[-window:]) // window
        expected = quote_at_tick(mean_tick, 10**18, first)
        assert run.after(spot(tick), elapsed) * 10**6 == pytest.approx(expected, abs=1, rel=1e-13)


@given(either_order, seconds_of_rounds, st.data())
def test_a_fixed_window_is_that_of_the_contract(
    tokens: tuple[str, str], seconds: list[int], data: st.DataObject
) -> None:
    """`TwapV2Feed.update` in the first round in which it does not revert, from the pair's sums."""
    period, place = 500, tokens.index(A)
    start = int(PRICE * 10**6 * 10**6)
    reserves = [10**24, start] if place == 0 else [start, 10**24]

    def price(pair: list[int]) -> Fraction:
        return Fraction(pair[1 - place], 10**6) / Fraction(pair[place], 10**18)

    mean = Twap(Spot(POOL, A, B, 2 * PRICE), period, Fraction(1))
    run = Run(mean, table(mean, "constant-product", tokens), float(PRICE), len(seconds))
    assert run.said == float(PRICE)
    pair = CumulativePrices(
        price0_cumulative=0, price1_cumulative=0, timestamp=0, reserves=(reserves[0], reserves[1])
    )
    closed, last, expected = 0, 0, int(PRICE * 10**6)
    for elapsed in seconds:
        reserves[1 - place] = data.draw(st.integers(start // 4, start * 4))
        now = pair.timestamp + elapsed
        pair = replace(pair, reserves=(reserves[0], reserves[1]))
        sums = pair.accumulated(now)
        pair = replace(pair, price0_cumulative=sums[0], price1_cumulative=sums[1], timestamp=now)
        if now - closed >= period:
            expected = worth_of((sums[place] - last) // (now - closed), 18)
            closed, last = now, sums[place]
        ours = run.after(float(price(reserves)), elapsed) * 10**6
        assert ours == pytest.approx(expected, abs=1.001, rel=1e-13)


@given(seconds_of_rounds, st.data())
def test_what_is_neither_is_the_mean_of_all_seconds_in_the_window(
    seconds: list[int], data: st.DataObject
) -> None:
    window = 300
    mean = Twap(Product((Spot("elsewhere", A, B, Fraction(7)),)), window, Fraction(1))
    run = Run(mean, table(mean, "stableswap", (A, B)), 3.0, len(seconds))
    by_second = [3.0] * window
    assert run.said == 3.0
    for elapsed in seconds:
        part = data.draw(st.floats(0.5, 10))
        by_second += [part] * elapsed
        expected = sum(by_second[-window:]) / window
        assert run.after(part, elapsed) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", ["concentrated", "constant-product", "stableswap"])
def test_a_mean_whose_pool_stays_does_not_move_although_it_is_off(kind: VenueKind) -> None:
    """Whatever it was off by; and it keeps that part when its pool moves for good."""
    value = Fraction(1_900_123_456, 10**6)
    if kind == "concentrated":
        value = Fraction(quote_at_tick(-200_500, 10**18, True), 10**6)
    mean = Twap(Spot(POOL, A, B, PRICE), 600, value)
    run = Run(mean, table(mean, kind, (A, B)), float(PRICE), 10)
    assert [run.after(float(PRICE), 250.0) for _ in range(5)] == [float(value)] * 5
    after = [run.after(float(PRICE) * 1.25, 1000.0) for _ in range(3)]
    assert after[-1] == pytest.approx(float(value) * 1.25, rel=1e-4)


@pytest.mark.parametrize("kind", ["concentrated", "constant-product", "stableswap"])
def test_unknown_stays_unknown_and_a_worthless_token_is_worth_nothing(kind: VenueKind) -> None:
    unknown = Twap(Spot(POOL, A, B, None), 600, Fraction(1))
    run = Run(unknown, table(unknown, kind, (A, B)), np.nan, 2)
    assert np.isnan(run.said)
    assert np.isnan(run.after(np.nan, 700.0))
    for tokens in ((A, B), (B, A)):
        mean = Twap(Spot(POOL, A, B, PRICE), 600, PRICE)
        run = Run(mean, table(mean, kind, tokens), 0.0, 2)
        assert run.said == 0.0
        assert run.after(0.0, 700.0) == 0.0
