"""The exact curve against the screen, and the queries it answers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.contagion.curve import Curve, curve, walls
from defirisk.contagion.screen import screen
from defirisk.contagion.valuation import holding_values, unit_collateral, unit_debt
from defirisk.core.book import Book
from defirisk.core.scenario import Scenario
from defirisk.shocks.target import price_moves
from tests.books import Token, book, books

WETH, USDC = 0, 1
TOKENS = [Token("WETH", 2000, threshold=0.8), Token("USDC", 1, threshold=0.9)]


def loan(collateral: float, debt: float) -> list[tuple[str, str, float]]:
    return [("collateral", "WETH", collateral), ("debt", "USDC", debt)]


def short(collateral: float, debt: float) -> list[tuple[str, str, float]]:
    return [("collateral", "USDC", collateral), ("debt", "WETH", debt)]


@pytest.fixture
def loans() -> Curve:
    """Liquidatable at falls of 6.25 %, 37.5 % and 37.5 %; bad at 25 %, 50 % and 50 %."""
    return curve(book(TOKENS, [loan(1, 1500), loan(1, 1000), loan(2, 2000)]), WETH)


@given(books(), st.data())
def test_the_screen_agrees_at_any_drop(made: Book, data: st.DataObject) -> None:
    asset = data.draw(st.integers(0, len(made.assets) - 1))
    drops = data.draw(st.lists(st.floats(0, 1), min_size=1, max_size=6))
    drawn = [
        Scenario(name="", shocks=(), moves=price_moves(made, asset, 1 - Fraction(drop)))
        for drop in drops
    ]

    outcome, totals = screen(made, drawn), curve(made, asset).at(drops)

    sure = outcome.edge_units == 0
    size = float(np.nansum(np.abs(holding_values(made)))) + 1e-300
    assert (totals.accounts == outcome.liquidatable_accounts.sum(axis=0))[sure].all()
    for ours, theirs in (
        (totals.debt_usd, outcome.debt_at_risk_usd),
        (totals.collateral_usd, outcome.collateral_at_risk_usd),
        (totals.bad_debt_usd, outcome.bad_debt_usd),
    ):
        np.testing.assert_allclose(
            ours[sure], theirs.sum(axis=0)[sure], rtol=1e-9, atol=1e-9 * size
        )


def test_a_threshold_itself_is_healthy_and_the_next_float_is_not(loans: Curve) -> None:
    threshold = float(loans.breaks[0])
    after = float(np.nextafter(threshold, 1))

    assert threshold == pytest.approx(0.0625)
    assert loans.at([threshold, after]).accounts.tolist() == [0, 1]


def test_totals_are_linear_between_jumps(loans: Curve) -> None:
    totals = loans.at([0, 0.1, 0.3, 0.4, 1])

    assert totals.accounts.tolist() == [0, 1, 1, 3, 3]
    assert totals.debt_usd == pytest.approx([0, 1500, 1500, 4500, 4500])
    assert totals.collateral_usd == pytest.approx([0, 1800, 1400, 4800, 0])
    assert totals.bad_debt_usd == pytest.approx([0, 0, 100, 300, 4500])


def test_debt_in_the_falling_asset_heals() -> None:
    # Liquidatable until WETH falls by a tenth: 1 WETH owed against 0.9 of 2000 USDC.
    healing = curve(book(TOKENS, [short(2000, 1)]), WETH)

    totals = healing.at([0, 0.05, 0.2])

    assert totals.accounts.tolist() == [1, 1, 0]
    assert totals.debt_usd == pytest.approx([2000, 1900, 0])
    assert healing.cliffs(5) == []
    assert not healing.wall().accounts.any()


def test_bad_debt_that_heals_before_the_loan_does() -> None:
    # Covered from a fall of 5 %, healthy from one of 14.5 %; the other loses 500 at any price.
    units = [short(1900, 1), [("debt", "USDC", 500.0)]]

    totals = curve(book(TOKENS, units), WETH).at([0, 0.01, 0.06, 0.2])

    assert totals.bad_debt_usd == pytest.approx([600, 580, 500, 500])
    assert totals.accounts.tolist() == [2, 2, 2, 1]


def test_a_healthy_loan_is_not_bad_debt_even_if_the_market_disagrees() -> None:
    # The oracle values the collateral twice as high: healthy from a fall of 10 %, never covered.
    tokens = [Token("WETH", 2000), Token("USDC", 0.5, threshold=0.9, oracle=1)]

    totals = curve(book(tokens, [short(2000, 1)]), WETH).at([0, 0.05, 0.2])

    assert totals.bad_debt_usd == pytest.approx([1000, 900, 0])


def test_healthy_exactly_at_the_point_where_it_heals() -> None:
    made = book(
        [Token("A", 1, threshold=0.5), Token("B", 1)], [[("collateral", "A", 1), ("debt", "B", 1)]]
    )

    totals = curve(made, 1).at([0, np.nextafter(0.5, 0), 0.5])

    assert totals.accounts.tolist() == [1, 1, 0]


def test_followers_fall_along_and_hard_coded_oracles_do_not() -> None:
    tokens = [
        *TOKENS,
        Token("wstETH", 2000, follows="WETH"),
        Token("frozen", 2000, follows="WETH", feed=""),
    ]
    units = [[("collateral", symbol, 1), ("debt", "USDC", 1500)] for symbol in ("wstETH", "frozen")]

    totals = curve(book(tokens, units), WETH).at([0.5])

    assert totals.accounts.tolist() == [1]
    assert totals.bad_debt_usd == pytest.approx([500])


def test_units_with_an_unknown_price_are_left_out() -> None:
    tokens = [*TOKENS, Token("ODD", np.nan)]
    pledged = [*loan(1, 1500), ("collateral", "ODD", 1.0)]
    only_held = [*loan(1, 1500), ("supply", "ODD", 1.0)]

    assert curve(book(tokens, [pledged, loan(1, 1000)]), WETH).at([0.5]).accounts.tolist() == [1]
    assert curve(book(tokens, [only_held, loan(1, 1000)]), WETH).at([0.5]).accounts.tolist() == [2]


def test_cliffs_join_equal_thresholds(loans: Curve) -> None:
    first, second = loans.cliffs(5)

    assert (first.drop, first.debt_usd, first.accounts) == pytest.approx((0.375, 3000, 2))
    assert (second.drop, second.debt_usd, second.accounts) == pytest.approx((0.0625, 1500, 1))
    assert loans.cliffs(1) == [first]


def test_the_wall_holds_every_threshold_once(loans: Curve) -> None:
    wall = loans.wall(0.05)

    assert wall.edges[[0, -1]].tolist() == [0, 1]
    assert wall.accounts[[1, 7]].tolist() == [1, 2]
    assert wall.debt_usd[[1, 7]] == pytest.approx([1500, 3000])
    assert wall.accounts.sum() == 3


def test_a_threshold_on_an_edge_belongs_to_the_bucket_above() -> None:
    wall = curve(book(TOKENS, [loan(1, 800)]), WETH).wall(0.5)

    assert wall.accounts.tolist() == [0, 1]


@pytest.mark.parametrize("budget", [1.0, 1500.0, 1501.0, 4500.0])
def test_the_smallest_drop_for_liquidatable_debt(loans: Curve, budget: float) -> None:
    drop = loans.smallest_drop(debt_usd=budget)

    assert drop is not None
    assert loans.at([drop]).debt_usd[0] >= budget
    assert loans.at([np.nextafter(drop, 0)]).debt_usd[0] < budget


def test_the_smallest_drop_for_bad_debt_lies_within_a_piece(loans: Curve) -> None:
    assert loans.smallest_drop(bad_debt_usd=100) == pytest.approx(0.3)
    assert loans.smallest_drop(bad_debt_usd=0) == 0
    assert loans.smallest_drop(bad_debt_usd=4501) is None


@given(books(), st.floats(1e-3, 1e6), st.data())
def test_no_smaller_drop_reaches_the_budget(made: Book, budget: float, data: st.DataObject) -> None:
    found = curve(made, data.draw(st.integers(0, len(made.assets) - 1)))
    size = float(np.nansum(unit_debt(made)) + np.nansum(unit_collateral(made)))

    drop = found.smallest_drop(bad_debt_usd=budget)

    grid = np.linspace(0, 1, 201)
    before = grid if drop is None else grid[grid < drop]
    assert (found.at(before).bad_debt_usd <= budget + 1e-9 * size).all()
    if drop is not None:
        assert found.at([drop]).bad_debt_usd[0] >= budget - 1e-9 * size


def test_one_budget_is_needed(loans: Curve) -> None:
    with pytest.raises(ValueError, match="either"):
        loans.smallest_drop()
    with pytest.raises(ValueError, match="either"):
        loans.smallest_drop(debt_usd=1, bad_debt_usd=1)


@pytest.mark.parametrize("drop", [-0.1, 1.1, np.nan])
def test_a_drop_is_a_fraction(loans: Curve, drop: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        loans.at([drop])


def test_books_without_debt_or_units() -> None:
    for units in ([], [[("collateral", "WETH", 1.0)]]):
        nothing = curve(book(TOKENS, units), WETH)
        assert nothing.at([0, 1]).accounts.tolist() == [0, 0]
        assert nothing.smallest_drop(debt_usd=1) is None
        assert nothing.cliffs(3) == []


def test_walls_of_all_assets_that_have_one() -> None:
    found = walls(book(TOKENS, [loan(1, 1000), loan(1, 5000)]), 0.1)

    assert list(found) == [WETH]
    assert found[WETH].accounts.tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
