"""Units whose prices bend as one asset falls, against the screen."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.contagion.curve import curve
from defirisk.contagion.screen import screen
from defirisk.core.book import Book
from defirisk.core.quote import Clamp, Constant, Feed, Product, Program, Root, exact
from defirisk.core.scenario import Scenario
from defirisk.shocks.target import price_moves
from tests.books import FractionEdge, Token, address, book

A, LP, CASH = range(3)
ASSET = Feed(address("feed-A"), Fraction(100))
BENDS: list[Program] = [
    Product((Constant(Fraction(10)), Root(ASSET))),
    Clamp(ASSET, Fraction(60), None),
    Clamp(ASSET, None, Fraction(80)),
    Product((ASSET, ASSET, Constant(Fraction(1, 100)))),
]


def bent(program: Program, loans: list[tuple[float, float]]) -> Book:
    """Loans of cash against something whose price is this program of A's."""
    units = [[("collateral", "LP", pledged), ("debt", "CASH", owed)] for pledged, owed in loans]
    worth = float(exact(program) or 0)
    plain = book([Token("A", 100), Token("LP", worth), Token("CASH", 1)], units)
    programs = tuple(
        program if int(asset) == LP else known
        for asset, known in zip(plain.quote_asset, plain.quote_program, strict=True)
    )
    values = np.array([float(exact(one) or 0) for one in programs])
    made = dataclasses.replace(
        plain, quote_program=programs, quote_price=values, edge=FractionEdge()
    )
    assert isinstance(made.edge, FractionEdge)
    made.edge.book = made
    return made


@pytest.mark.parametrize("program", BENDS)
@given(
    loans=st.lists(st.tuples(st.floats(1, 10), st.floats(1, 1000)), min_size=1, max_size=6),
    drops=st.lists(st.floats(0, 1), min_size=1, max_size=6),
)
def test_the_screen_agrees_but_for_units_next_to_their_threshold(
    program: Program, loans: list[tuple[float, float]], drops: list[float]
) -> None:
    made = bent(program, loans)
    drawn = [
        Scenario(name="", shocks=(), moves=price_moves(made, A, 1 - Fraction(drop)))
        for drop in drops
    ]

    outcome, at = screen(made, drawn), curve(made, A).at(drops)

    owed = sum(debt for _, debt in loans)
    near = _near(made, loans, program, drops)
    for s in range(len(drops)):
        if near[s]:
            continue
        assert at.accounts[s] == outcome.liquidatable_accounts[:, s].sum()
        assert at.debt_usd[s] == pytest.approx(
            outcome.debt_at_risk_usd[:, s].sum(), abs=1e-4 * owed
        )
        assert at.bad_debt_usd[s] == pytest.approx(
            outcome.bad_debt_usd[:, s].sum(), abs=1e-2 * owed
        )


def _near(
    made: Book, loans: list[tuple[float, float]], program: Program, drops: list[float]
) -> list[bool]:
    """Whether some unit's health factor is within 1 % of 1 at each drop: chords cut corners."""
    found = []
    for drop in drops:
        price = float(exact(program, lambda _, drop=drop: 1 - Fraction(drop)) or 0)  # type: ignore[misc]
        found.append(any(abs(0.8 * pledged * price / debt - 1) < 0.01 for pledged, debt in loans))
    return found


def test_a_unit_that_stays_liquidatable_is_counted_once() -> None:
    made = bent(BENDS[0], [(1.0, 70.0)])  # worth 100, threshold 80: liquidatable beyond 12.5 %

    found = curve(made, A)
    wall = found.wall(0.05)

    assert int(wall.accounts.sum()) == 1
    assert [cliff.accounts for cliff in found.cliffs(5)] == [1]
    assert found.cliffs(1)[0].drop == pytest.approx(1 - (70 / 80) ** 2, abs=1e-4)
    assert found.smallest_drop(debt_usd=1.0) == pytest.approx(1 - (70 / 80) ** 2, abs=1e-4)
