"""Healthy borrowers whose price is pushed down."""

from __future__ import annotations

import pytest

from tests.unit.manipulation.lying import attack, family
from tests.unit.manipulation.made import UNITS, book, pool, spot


def test_healthy_borrowers_are_liquidated_by_a_price_pushed_down() -> None:
    """10 TKN at 10 back 60: at 5 they are worth 50. All is seized for 50 / 1.05."""
    made = book(spot(), venues=[pool()], liquidation_bonus=0.05)
    earner = attack(made, "liquidate")
    assert earner(family(made, up=False).of(1.2)) is None  # 8.33 * 10 * 0.8 > 60
    found = earner(family(made, up=False).of(2.0))
    assert found is not None
    assert found.earned_usd == pytest.approx(100)
    assert found.left_usd == pytest.approx(50 / 1.05, rel=1e-6)


def test_what_a_liquidator_gains_anyway_is_no_profit_of_a_lie() -> None:
    """1 TKN backs 9: today 0.945 of it is paid for 9; after the lie all of it for 5 / 1.05."""
    units = [*UNITS, [("collateral", "TKN", 1.0), ("debt", "USDC", 9.0)]]
    made = book(spot(), venues=[pool()], units=units)
    found = attack(made, "liquidate")(family(made, up=False).of(2.0))
    assert found is not None
    assert found.earned_usd == pytest.approx(110)
    assert found.anyway_usd == pytest.approx(0.45)
    assert found.profit_usd == pytest.approx(110 - 55 / 1.05 - 0.45, rel=1e-5)


def test_an_oracle_that_comes_down_to_the_market_is_no_lie() -> None:
    """It says 10 where the market pays 7: whoever is liquidated at 7 would be anyway."""
    made = book(spot(), venues=[pool()], worth=7.0)
    found = attack(made, "liquidate")(family(made, up=False).of(10 / 7))
    assert found is not None
    assert found.earned_usd > found.left_usd
    assert found.profit_usd == pytest.approx(-found.lie.cost_usd, abs=1e-3)
