"""Health distribution and distance to liquidation."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from defirisk.contagion.valuation import health_factors
from defirisk.core.book import Book
from defirisk.core.scenario import Moves, Scenario
from defirisk.metrics.health import closest, distance, distribution
from tests.books import Token, book, books

TOKENS = [Token("WETH", 2000, threshold=0.8), Token("USDC", 1), Token("ODD", np.nan)]


def loan(debt: float) -> list[tuple[str, str, float]]:
    """Against 1600 USD of borrowing power."""
    return [("collateral", "WETH", 1.0), ("debt", "USDC", debt)]


def test_buckets_are_closed_below_and_open_above() -> None:
    units = [loan(debt) for debt in (3200, 1600, 1280, 800, 320, 100)]
    units += [[("collateral", "WETH", 3)], [("collateral", "ODD", 1), ("debt", "USDC", 5)]]
    made = book(TOKENS, units)

    buckets = distribution(made, health_factors(made))

    assert [(b.label, b.accounts) for b in buckets] == [
        ("< 1", 1),
        ("1 - 1.05", 1),
        ("1.05 - 1.1", 0),
        ("1.1 - 1.25", 0),
        ("1.25 - 1.5", 1),
        ("1.5 - 2", 0),
        ("2 - 5", 1),
        ("> 5", 2),
        ("no debt", 1),
        ("unpriced", 1),
    ]
    assert (buckets[0].debt_usd, buckets[0].collateral_usd) == (3200, 2000)
    assert (buckets[8].debt_usd, buckets[8].collateral_usd) == (0, 6000)
    assert np.isnan(buckets[9].collateral_usd)


@given(books())
def test_every_unit_is_in_one_bucket(made: Book) -> None:
    buckets = distribution(made, health_factors(made))

    assert sum(bucket.accounts for bucket in buckets) == len(made.units)


def test_a_part_of_the_units() -> None:
    made = book(TOKENS, [loan(800), loan(3200)])

    buckets = distribution(made, health_factors(made), np.array([True, False]))

    assert sum(bucket.accounts for bucket in buckets) == 1


def test_closest_first_with_what_they_hold() -> None:
    mixed = [*loan(1000), ("collateral", "USDC", 1999), ("debt", "WETH", 0.1)]
    made = book(TOKENS, [loan(800), mixed, loan(3200), loan(0.5), [("collateral", "WETH", 1)]])

    found = closest(made, health_factors(made), 3, min_debt_usd=1)

    assert [item.unit for item in found] == [2, 0, 1]
    assert [item.distance for item in found[:2]] == pytest.approx([-1.0, 0.5])
    assert found[0].account == made.units[2]
    assert (found[2].main_collateral, found[2].main_debt) == (0, 1)
    assert (found[2].debt_usd, found[2].collateral_usd) == pytest.approx((1200, 3999))


def test_the_distance_is_the_fall_that_leaves_a_health_factor_of_one() -> None:
    made = book(TOKENS, [loan(700)])
    fall = distance(float(health_factors(made)[0]))
    moved = Moves(quotes={0: Fraction(1 - fall)})

    after = health_factors(made, Scenario(name="", shocks=(), moves=moved))

    assert after == pytest.approx([1])


def test_without_any_collateral_there_is_nothing_left_to_fall() -> None:
    assert distance(0.0) == -np.inf
