"""Concentration among owners."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from defirisk.core.book import Floats
from defirisk.metrics.concentration import by_deployment, by_market, hhi, top_share
from tests.books import Token, book

TOKENS = [Token("WETH", 2000), Token("USDC", 1), Token("ODD", np.nan)]


def test_of_a_deployment_in_usd() -> None:
    units = [
        [("collateral", "WETH", 1.0), ("supply", "USDC", 1000.0)],
        [("supply", "USDC", 1000.0), ("debt", "USDC", 50.0), ("supply", "ODD", 7.0)],
    ]

    supply, debt = by_deployment(book(TOKENS, units))

    assert (supply.owners, supply.total_usd, supply.unpriced) == (2, 4000, 1)
    assert supply.hhi == pytest.approx(0.75**2 + 0.25**2)
    assert (debt.owners, debt.hhi, debt.top10_share) == (1, 1, 1)


def test_of_a_market_in_tokens_even_without_a_price() -> None:
    units = [[("supply", "ODD", 3.0)], [("collateral", "ODD", 1.0)]]

    (found,) = by_market(book(TOKENS, units))

    assert (found.market, found.side, found.owners, found.unpriced) == ("ODD", "supply", 2, 2)
    assert found.hhi == pytest.approx(0.75**2 + 0.25**2)
    assert found.total_usd == 0


def test_units_of_one_owner_are_one_hand() -> None:
    units = [[("supply", "USDC", 1.0)], [("supply", "USDC", 1.0)], [("supply", "USDC", 2.0)]]

    (found,) = by_market(book(TOKENS, units, owners=("anna", "anna", "bert")))

    assert (found.owners, found.hhi) == (2, 0.5)


def test_deployments_apart() -> None:
    units = [[("supply", "USDC", 1.0)], [("supply", "USDC", 1.0)]]
    made = book(TOKENS, units, deployments=("one", "two"), placed=(0, 1))

    assert [(c.deployment, c.side, c.hhi) for c in by_deployment(made) if c.owners] == [
        (0, "supply", 1),
        (1, "supply", 1),
    ]


def test_nothing_is_concentrated_nowhere() -> None:
    empty = by_deployment(book(TOKENS, []))

    assert np.isnan([measure.hhi for measure in empty]).all()
    assert np.isnan([measure.top10_share for measure in empty]).all()
    assert by_market(book(TOKENS, [])) == ()


@given(arrays(np.float64, st.integers(1, 30), elements=st.floats(1e-6, 1e6)), st.floats(1e-3, 1e3))
def test_range_and_scale(amounts: Floats, scale: float) -> None:
    assert 1 / len(amounts) - 1e-12 <= hhi(amounts) <= 1 + 1e-12
    assert hhi(amounts * scale) == pytest.approx(hhi(amounts))
    assert min(1, 10 / len(amounts)) - 1e-12 <= top_share(amounts) <= 1 + 1e-12


def test_equal_shares_and_a_monopoly() -> None:
    assert hhi(np.ones(20)) == pytest.approx(0.05)
    assert top_share(np.ones(20)) == pytest.approx(0.5)
    assert hhi(np.array([0.0, 3.0])) == 1
