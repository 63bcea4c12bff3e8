"""The same shock, put to our book and to Compound v2 itself: the same accounts must fall."""

from __future__ import annotations

import pytest

from defirisk.core.scenario import Scenario
from tests.devnet.build import Devnet
from tests.devnet.record import deployments
from tests.onchain.shocked_sets import (
    SHOCKS,
    Shocked,
    assert_same_set,
    assert_same_sets_at_thresholds,
    different_sets,
    live_book,
)

pytestmark = pytest.mark.onchain

OWN = [
    *SHOCKS,
    ["price:WETH=-3%"],
    ["price:WBTC=-25%"],
    ["oracle:WBTC@compound-v2=-9%"],
    ["oracle:USDC=-100%", "price:WETH=-10%"],
    ["oracle:LINK=-100%"],
    ["price:WBTC=-17%", "depeg:USDC=1.05", "oracle:LINK=-3%"],
]


class ShockedComptroller(Shocked):
    """A Comptroller, which states everybody's shortfall."""

    def by_contract(self, scene: Scenario) -> set[str]:
        """Where it states an error, nobody can liquidate."""
        comptroller = self.market.contracts["comptroller"]
        answers = self.answers(comptroller, "getAccountLiquidity(address)", self.overrides(scene))
        return {
            unit
            for unit, answer in zip(self.book.units, answers, strict=True)
            if answer is not None and answer[0] == 0 and answer[2] > 0
        }

    def round_of(self, price: int) -> tuple[int, ...]:
        """As `latestRoundData` the answer of round 8, and as `decimals` 8."""
        return (8, price, 0, 0, 0)


@pytest.fixture(scope="module")
def shocked(devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> ShockedComptroller:
    market = next(d for d in deployments(devnet.deployment) if d.name == "compound-v2-devnet")
    book = live_book(devnet, market, tmp_path_factory.mktemp("stress"))
    return ShockedComptroller(devnet, market, book)


@pytest.mark.parametrize("texts", OWN, ids=lambda texts: " ".join(texts) or "none")
def test_the_same_accounts_can_be_liquidated_as_the_comptroller_says(
    shocked: ShockedComptroller, texts: list[str]
) -> None:
    assert_same_set(shocked, texts)


def test_the_shocks_above_tell_accounts_apart(shocked: ShockedComptroller) -> None:
    """At least ten different sets: an engine that ignores the shock could not pass."""
    sets = different_sets(shocked, OWN)

    assert len(sets) >= 10
    assert max(map(len, sets)) >= 20


def test_accounts_at_the_very_edge_are_decided_as_the_comptroller_does(
    shocked: ShockedComptroller,
) -> None:
    """Prices at the thresholds themselves, and one part in 10^8 to either side of them."""
    assert_same_sets_at_thresholds(shocked)


def test_an_entered_market_without_a_price_protects_a_borrower(
    shocked: ShockedComptroller,
) -> None:
    """The Comptroller then states an error, even for those who hold nothing in that market."""
    crash = ["price:WETH=-60%", "price:WBTC=-60%"]
    priced = shocked.scene(crash)
    unpriced = shocked.scene([*crash, "oracle:LINK=-100%"])

    spared = shocked.by_book(priced) - shocked.by_book(unpriced)

    assert spared
    assert shocked.by_book(unpriced) == shocked.by_contract(unpriced)
