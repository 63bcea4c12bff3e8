"""Sizes of markets and deployments."""

import numpy as np
import pytest

from defirisk.metrics.size import by_deployment, by_market
from tests.books import Token, book

TOKENS = [Token("WETH", 2000), Token("USDC", 1, supply_rate=1.5), Token("ODD", np.nan)]
UNITS = [
    [("collateral", "WETH", 1.0), ("supply", "WETH", 2.0)],
    [("collateral", "USDC", 4000.0), ("debt", "WETH", 1.0)],
]


def test_a_market() -> None:
    weth, usdc, _ = by_market(book(TOKENS, UNITS))

    assert (weth.supplied_usd, weth.borrowed_usd, weth.collateral_usd) == (6000, 2000, 2000)
    assert (weth.tvl_usd, weth.net_usd) == (4000, 4000)
    assert (usdc.supplied_usd, usdc.collateral_usd) == pytest.approx((6000, 6000))


def test_a_deployment_leaves_unknown_prices_out_and_says_so() -> None:
    made = book(TOKENS, [*UNITS, [("supply", "ODD", 1.0)]], deployments=("one", "two"))

    one, two = by_deployment(made)

    assert np.isnan(by_market(made)[2].supplied_usd)
    assert (one.supplied_usd, one.net_usd, one.unpriced_markets) == pytest.approx(
        (12_000, 10_000, 1)
    )
    assert (two.supplied_usd, two.tvl_usd) == (0, 0)
