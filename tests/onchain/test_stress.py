"""The same shock, put to our book and to Aave v3.6 and v3.0: the same accounts must fall."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pytest

from defirisk.contagion.valuation import health_factors, positions, times
from defirisk.core.scenario import Scenario
from tests.devnet.build import Devnet
from tests.devnet.record import deployments
from tests.onchain.shocked_sets import (
    BEFORE,
    SHOCKS,
    Shocked,
    assert_same_set,
    assert_same_sets_at_thresholds,
    different_sets,
    live_book,
)

pytestmark = pytest.mark.onchain

WAD = 10**18
OWN = [
    *SHOCKS,
    ["price:WETH=-5%"],
    ["price:WETH=-75%"],
    ["oracle:yWETH@aave-v3=-9%"],
    ["oracle:USDC=-100%", "price:WETH=-10%"],
    ["price:WBTC=-17%", "depeg:USDC=1.05", "oracle:LINK=-3%"],
]


class ShockedPool(Shocked):
    """A Pool, which states everybody's health factor."""

    VIEW = "getUserAccountData(address)"

    @cached_property
    def pool(self) -> str:
        return self.market.contracts["pool"]

    def by_contract(self, scene: Scenario) -> set[str]:
        """Where the view reverts, the Pool cannot value the account: nobody can liquidate it."""
        answers = self.answers(self.pool, self.VIEW, self.overrides(scene))
        return {
            unit
            for unit, answer in zip(self.book.units, answers, strict=True)
            if answer is not None and answer[-1] < WAD
        }


@pytest.fixture(scope="module", params=["aave-v3-devnet", "aave-v3.0-devnet"])
def shocked(
    request: pytest.FixtureRequest, devnet: Devnet, tmp_path_factory: pytest.TempPathFactory
) -> ShockedPool:
    market = next(one for one in deployments(devnet.deployment) if one.name == request.param)
    return ShockedPool(devnet, market, live_book(devnet, market, tmp_path_factory.mktemp("stress")))


@pytest.mark.parametrize("texts", OWN, ids=lambda texts: " ".join(texts) or "none")
def test_the_same_accounts_can_be_liquidated_as_the_contracts_say(
    shocked: ShockedPool, texts: list[str]
) -> None:
    assert_same_set(shocked, texts)


def test_the_shocks_above_tell_accounts_apart(shocked: ShockedPool) -> None:
    """At least ten different sets: an engine that ignores the shock could not pass."""
    sets = different_sets(shocked, OWN)

    assert len(sets) >= 10
    assert shocked.by_book(shocked.scene([]))
    assert max(map(len, sets)) >= 50


def test_accounts_at_the_very_edge_are_decided_as_the_contracts_do(shocked: ShockedPool) -> None:
    """Prices at the thresholds themselves, and one part in 10^8 to either side of them."""
    assert assert_same_sets_at_thresholds(shocked) >= 8


@pytest.mark.parametrize("symbol", ["WETH", "WBTC"])
def test_accounts_shortly_before_the_edge_are_decided_as_the_contracts_do(
    shocked: ShockedPool, symbol: str
) -> None:
    """v3.0 rounds an average threshold down to a basis point: accounts fall before our ratio."""
    shocks = shocked.at_thresholds(symbol, most=20, nudges=BEFORE)

    assert_same_sets_at_thresholds(shocked, shocks)


def test_health_factors_differ_from_the_contracts_by_rounding_only(shocked: ShockedPool) -> None:
    answers = shocked.answers(shocked.pool, shocked.VIEW, {})
    theirs = np.array([answer[-1] / WAD for answer in answers if answer is not None])
    steps = {"aave-v3-devnet": 1e-8, "aave-v3.0-devnet": 1e-4}  # of an average threshold
    ours, rows = health_factors(shocked.book), positions(shocked.book)
    prices = shocked.book.quote_price
    owed = times(rows.debt, prices)
    # A base unit of each balance and 10^-8 dollars of each value: all that the contract rounds.
    slack = rows.guard + times(rows.grain, prices)

    # Of a debt of one wei the contract's rounding makes any multiple: only stakes count here.
    indebted = (owed > 1) & (theirs > 0)
    assert indebted.sum() >= 80
    difference = np.abs(ours[indebted] / theirs[indebted] - 1)
    assert (difference <= 1e-12 + 2 * slack[indebted] / owed[indebted]).all()
    assert np.median(difference) < steps[shocked.market.name]
