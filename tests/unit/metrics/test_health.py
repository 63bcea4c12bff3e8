"""Health distribution and distance to liquidation."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from defirisk.contagion.valuation import health_factors
from defirisk.core.book import Book
from defirisk.core.holdings import Side
from defirisk.core.scenario import Moves, Scenario
from defirisk.metrics.health import closest, distance, distribution
from tests.books import Token, book, books
from tests.demands import Demand
from tests.margin_books import margin_books

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


@given(margin_books())
def test_what_must_be_kept_shrinks_with_the_collateral(made: Book) -> None:
    """Just before its distance a unit is healthy, and just beyond it is not."""
    plain = replace(made, recovery=())
    health = health_factors(plain)
    for item in closest(plain, health, 5):
        if np.isnan(item.distance):
            assert _spare(plain, item.unit, 1.0) >= -1e-7  # no fall is enough
        if not -5 < item.distance < 1 - 1e-6:
            continue
        for step, healthy in ((-1e-6, True), (1e-6, False)):
            spare = _spare(plain, item.unit, item.distance + step)
            assert spare >= -1e-7 if healthy else spare <= 1e-7


def test_the_distance_of_a_long_is_more_than_its_health_factor_says() -> None:
    long: list[tuple[str, str, float]] = [("collateral", "WETH", 0.5), ("debt", "USDC", 800.0)]
    asked = Demand(0, "WETH", 0.5, 0.1, -np.inf, np.inf, 0.0)
    made = book([Token("WETH", 2000, threshold=1.0), Token("USDC", 1)], [long], demands=[asked])
    (only,) = closest(made, health_factors(made))
    assert only.health_factor == pytest.approx(1000 / 900)
    # 1000 (1 - d) - 800 - 100 (1 - d) = 0; a tenth, if the requirement stayed as it is.
    assert only.distance == pytest.approx(1 / 9)


def _spare(made: Book, unit: int, fall: float) -> float:
    """What a unit has beyond all that is asked, holding by holding and demand by demand."""
    rows = [h for h in range(len(made.holding_unit)) if made.holding_unit[h] == unit]
    backs = {
        made.holding_quote[h]
        for h in rows
        if made.holding_side[h] == Side.COLLATERAL and made.holding_amount[h] > 0
    }
    total = 0.0
    for h in rows:
        quote, amount = made.holding_quote[h], made.holding_amount[h]
        if made.holding_side[h] == Side.DEBT:
            total -= amount * made.quote_price[quote] if amount else 0.0
        elif made.holding_side[h] == Side.COLLATERAL and amount:
            threshold = made.liquidation_threshold[made.holding_parameters[h]]
            total += amount * threshold * made.quote_price[quote] * (1 - fall)
    asked = made.requirements
    for r in range(len(asked.unit)):
        if asked.unit[r] == unit:
            price = made.quote_price[asked.quote[r]] * (1 - fall * (asked.quote[r] in backs))
            kept = asked.ratio[r] * asked.amount[r] * price - asked.offset[r]
            total -= float(np.clip(kept, asked.low[r], asked.high[r]))
    return float(total)


def test_a_unit_of_account_does_not_fall() -> None:
    short: list[tuple[str, str, float]] = [("collateral", "USDC", 150.0), ("debt", "WETH", 0.05)]
    made = book([Token("WETH", 2000), Token("USDC", 1, threshold=1.0)], [short])
    units = tuple(replace(asset, unit=asset.symbol == "USDC") for asset in made.assets)
    (falls,) = closest(made, health_factors(made))
    (stays,) = closest(replace(made, assets=units), health_factors(made))
    assert falls.distance == pytest.approx(1 / 3)
    assert np.isnan(stays.distance)
