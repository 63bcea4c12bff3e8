"""Means over a window: golden numbers, and both kinds second by second."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import sqrt

import pytest

from defirisk.core.quote import Constant, Product, Twap
from defirisk.core.venue import Venue
from defirisk.manipulation.means import arithmetic_move, geometric_move, mean_after
from defirisk.manipulation.push import push
from defirisk.swaps.concentrated import Concentrated
from defirisk.swaps.constant_product import ConstantProduct
from defirisk.swaps.twap import CumulativePrices, Observation, Observations
from tests.unit.manipulation.made import pool, spot
from tests.unit.manipulation.test_push import DEEP, wide

N, MEAN = 150, Fraction(12, 10)
NOW = 1_700_000_000


def loss_and_capital(factor: float) -> tuple[float, float]:
    venue = replace(pool(), pool=ConstantProduct((DEEP, DEEP), fee=Fraction(0)))
    pushed = push(venue, 1, 0, Fraction(factor))
    return (pushed.paid - pushed.bought) / DEEP, pushed.paid / DEEP


def test_golden_numbers_of_moving_a_mean_by_a_fifth() -> None:
    """G11 of the notes: a mean over 150 blocks."""
    single = arithmetic_move(MEAN, Fraction(1, N))
    assert single == 31
    loss, capital = loss_and_capital(float(single))
    assert (loss, capital) == pytest.approx((3.7474, 4.5678), abs=1e-4)
    loss, capital = loss_and_capital(float(arithmetic_move(MEAN, Fraction(1))))
    assert (N * loss, capital) == pytest.approx((1.2474, 0.0954), abs=1e-4)
    assert geometric_move(1.2, Fraction(1, N)) == pytest.approx(7.5e11, rel=0.01)
    assert geometric_move(1.2, Fraction(3, N)) == pytest.approx(9100, rel=0.01)


def remembering() -> Venue:
    venue = pool()
    assert isinstance(venue.pool, ConstantProduct)
    return replace(venue, history=CumulativePrices(0, 0, NOW, venue.pool.reserves))


@pytest.mark.parametrize("held", [1, 12, 600, 3600, 9999])
def test_an_arithmetic_mean_second_by_second(held: int) -> None:
    """By the pair's own accumulator over the window, with the pool pushed at its end."""
    venue, window = remembering(), 3600
    pushed = push(venue, 1, 0, Fraction(7))
    mean = mean_after(Twap(spot(venue), window, Fraction(10)), pushed, held)
    assert mean is not None
    own = min(held, window)
    history = venue.history
    assert isinstance(history, CumulativePrices)
    assert isinstance(pushed.after, ConstantProduct)
    rested, _ = history.accumulated(NOW + window - own)
    then = CumulativePrices(rested, 0, NOW + window - own, pushed.after.reserves)
    total, _ = then.accumulated(NOW + window)
    assert float(mean) == pytest.approx(total / window / 2**112 * 1e12, rel=1e-12)


@pytest.mark.parametrize("held", [12, 240, 1799, 1800, 5000])
@pytest.mark.parametrize("up", [True, False])
def test_a_geometric_mean_second_by_second(held: int, up: bool) -> None:
    """The ticks of every second of the window that ends once the pool was held so long."""
    venue, window = wide(), 1800
    assert isinstance(venue.pool, Concentrated)
    tick = venue.pool.tick
    older = Observation(NOW - 4000, 0, 0)
    newer = older.later(NOW - 1000, tick + 500, 1)  # the tick before a swap
    history = Observations(now=NOW, tick=tick, liquidity=1, entries=(older, newer))
    venue = replace(venue, history=history)
    pushed = push(venue, *((1, 0) if up else (0, 1)), Fraction(3))
    assert isinstance(pushed.after, Concentrated)
    price = replace(spot(), value=venue.pool.price(0, 1) * 10**12)
    mean = mean_after(Twap(price, window, Fraction(10)), pushed, held)
    ticks = [
        pushed.after.tick if at >= NOW else tick if at >= NOW - 1000 else tick + 500
        for at in range(NOW + held - window, NOW + held)
    ]
    expected = sqrt(1.0001) ** (2 * (sum(ticks) // window)) * 1e12
    assert mean is not None
    assert float(mean) == pytest.approx(expected, rel=1e-9)


def test_means_of_anything_else_are_not_known() -> None:
    pushed = push(pool(), 1, 0, Fraction(2))
    assert mean_after(Twap(spot(), 60, Fraction(10)), pushed, 12) is None
    product = Product((spot(), Constant(Fraction(1))))
    assert (
        mean_after(Twap(product, 60, Fraction(10)), push(remembering(), 1, 0, Fraction(2)), 12)
        is None
    )
    old = Observations(now=NOW, tick=0, liquidity=1, entries=(Observation(NOW - 10, 0, 0),))
    short = push(replace(wide(), history=old), 1, 0, Fraction(2))
    assert mean_after(Twap(spot(), 60, Fraction(10)), short, 12) is None
