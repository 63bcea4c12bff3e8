"""Can markets pay back."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given

from defirisk.contagion.screen import screen
from defirisk.contagion.valuation import health_factors
from defirisk.core.book import Book
from defirisk.metrics.solvency import solvency
from defirisk.shocks.grammar import baseline
from tests.books import Token, book, books

TOKENS = [Token("WETH", 2000, threshold=0.8), Token("USDC", 1), Token("DAI", 0.5)]
LENDER = [("supply", "USDC", 10_000.0), ("supply", "DAI", 10_000.0)]


def test_a_shortfall_is_shared_by_the_debts_pro_rata() -> None:
    # 3000 USD owed against 2000: a third of each debt is not covered.
    broke = [("collateral", "WETH", 1.0), ("debt", "USDC", 2000.0), ("debt", "DAI", 2000.0)]
    made = book(TOKENS, [LENDER, broke])

    weth, usdc, dai = solvency(made, health_factors(made))

    assert weth.asset_liability_ratio == 1
    assert (usdc.uncovered, dai.uncovered) == pytest.approx((2000 / 3, 2000 / 3))
    assert (usdc.uncovered_usd, dai.uncovered_usd) == pytest.approx((2000 / 3, 1000 / 3))
    assert usdc.asset_liability_ratio == pytest.approx(1 - 2000 / 3 / 10_000)
    assert usdc.utilisation == pytest.approx(0.2)


def test_debt_that_is_covered_or_not_liquidatable_performs() -> None:
    covered = [("collateral", "WETH", 1.0), ("debt", "USDC", 1900.0)]
    believed = [("collateral", "HALF", 1.0), ("debt", "USDC", 1000.0)]
    tokens = [*TOKENS, Token("HALF", 900, oracle=2000)]
    made = book(tokens, [LENDER, covered, believed])

    assert health_factors(made)[1] < 1
    assert all(market.uncovered == 0 for market in solvency(made, health_factors(made)))


def test_a_recorded_deficit_is_shown_and_missing_cash_lowers_the_ratio() -> None:
    made = book(TOKENS, [LENDER], cash=9000.0, caps=(20_000, 0))
    markets = tuple(dataclasses.replace(market, deficit=1000.0) for market in made.markets)

    dai = solvency(dataclasses.replace(made, markets=markets), health_factors(made))[2]

    assert (dai.deficit, dai.deficit_usd) == (1000, 500)
    assert dai.asset_liability_ratio == pytest.approx(0.9)
    assert dai.supply_cap_usage == pytest.approx(0.5)
    assert np.isnan(dai.borrow_cap_usage)


def test_a_market_of_nothing_has_no_ratios() -> None:
    market = solvency(book(TOKENS, []), np.empty(0))[0]

    assert np.isnan([market.asset_liability_ratio, market.utilisation]).all()


@given(books())
def test_what_is_not_covered_is_the_bad_debt_of_the_screen(made: Book) -> None:
    outcome = screen(made, [baseline()])
    if outcome.edge_units[0]:
        return

    markets = solvency(made, health_factors(made))

    for deployment in range(len(made.deployments)):
        own = [m.uncovered_usd for m in markets if m.deployment == deployment if m.uncovered]
        assert sum(own) == pytest.approx(outcome.bad_debt_usd[deployment, 0], rel=1e-6, abs=1e-6)
