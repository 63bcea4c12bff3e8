"""The best move: against a fine grid."""

from __future__ import annotations

from math import exp, inf, log, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.manipulation.search import best_move


@given(
    at=st.floats(1.0, 1e6), width=st.floats(0.05, 5), height=st.floats(-10, 10), end=st.booleans()
)
def test_a_single_peak_is_found_as_a_grid_finds_it(
    at: float, width: float, height: float, end: bool
) -> None:
    def value(move: float) -> float:
        if end and move > at:
            return -inf  # more capital than there is
        return height - (log(move / at) / width) ** 2

    found = best_move(value, 1e6)
    grid = max(value(exp(log(1e6) * number / 20_000)) for number in range(20_001))
    assert found.value >= grid - 1e-9
    assert found.value == value(found.at)


def test_a_far_higher_peak_beyond_a_lower_one_is_found() -> None:
    def value(move: float) -> float:
        return max(1 - (move - 2) ** 2, 5 - log(move / 1e4) ** 2)

    found = best_move(value, 1e6)
    assert found.value == pytest.approx(5, abs=1e-9)
    assert found.at == pytest.approx(1e4, rel=1e-4)


def test_what_is_unknown_is_never_the_best() -> None:
    found = best_move(lambda move: nan if move > 10 else -move, 1e6)
    assert (found.at, found.value) == pytest.approx((1.0, -1.0), abs=1e-6)
    nothing = best_move(lambda move: move * nan, 1e6)
    assert nothing.value == -inf
    assert len(nothing.tried) > 10
