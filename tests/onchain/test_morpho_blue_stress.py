"""The same shock, put to our book of Morpho Blue and to the contract: the same positions fall."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest

from defirisk.core.adapter import View
from defirisk.core.quote import Constant, Feed, Program, Rate, Spot, leaves
from defirisk.core.scenario import Scenario
from defirisk.indexing.codecs import Codecs
from defirisk.protocols.lending.morpho_blue.referee import HEALTHY_POSITION
from defirisk.store.snapshots import snapshot
from tests.devnet.build import Devnet
from tests.onchain.markets import index_live, new_store, stored
from tests.onchain.morpho_chain import MORPHO_BLUE, Lived, morpho, questions_at
from tests.onchain.shocked_sets import (
    Shocked,
    assert_same_set,
    assert_same_sets_at_thresholds,
    different_sets,
)

pytestmark = pytest.mark.onchain

SHOCKS = [
    [],
    ["price:WETH=-10%"],
    ["price:WETH=-33.3333333%"],
    ["price:WETH=-60%"],
    ["price:WETH=1234.56789"],
    ["price:WBTC=-45%"],
    ["price:WBTC=+70%"],
    ["price:LINK=-55%"],
    ["price:DAI=+12.5%"],
    ["depeg:USDC=0.88"],
    ["depeg:USDT=1.3"],
    ["market:WETH=-60%"],
    ["oracle:yWETH@morpho-blue=-4%"],
    ["price:WETH=-35%", "price:WBTC=-30%", "price:LINK=-45%"],
    ["price:WETH=-99%", "price:WBTC=-99%"],
    ["price:WETH=-100%"],
    ["price:WBTC=-17%", "depeg:USDC=1.25", "price:LINK=-30%"],
]


@dataclass(frozen=True)
class ShockedMorpho(Shocked):
    """It has no view for this, but `liquidate` refuses a healthy position."""

    lived: Lived

    def by_contract(self, scene: Scenario) -> set[str]:
        """Those whom it does not refuse."""
        codecs = Codecs(MORPHO_BLUE)
        with self.lived.store.transaction() as connection:
            of = stored(self.lived.store, self.market)
            asked = [
                one
                for one in questions_at(snapshot(connection, of, self.book.block))
                if one.refusal
            ]
        asked = [one for one in asked if one.unit in self.comparable(scene)]
        overrides = self.overrides(scene)
        calls = [codecs.call(seizing_one(one.view)) for one in asked]
        answers = self.devnet.chain.rpc.answers(
            [
                ("eth_call", [{"to": c.to, "data": "0x" + c.data.hex()}, "latest", overrides])
                for c in calls
            ]
        )
        return {one.unit for one, answer in zip(asked, answers, strict=True) if not refused(answer)}

    def by_book(self, scene: Scenario) -> set[str]:
        """As far as the contract can be asked."""
        return super().by_book(scene) & self.comparable(scene)

    def comparable(self, scene: Scenario) -> set[str]:
        """Units of markets that an answer of feeds can shock: what a pool says, or a quote of more
        than feeds by itself, is moved by transactions in `test_oracle_shocks`.
        """
        own: dict[int, set[int]] = {}
        for unit, quote in zip(self.book.holding_unit, self.book.holding_quote, strict=True):
            own.setdefault(int(unit), set()).add(int(quote))
        apart = {q for q, p in enumerate(self.book.quote_program) if self._apart(q, p, scene)}
        return {self.book.units[unit] for unit, quotes in own.items() if not quotes & apart}

    def _apart(self, quote: int, program: Program, scene: Scenario) -> bool:
        plain = all(isinstance(leaf, Feed | Rate | Constant) for leaf in leaves(program))
        feeds = [leaf for leaf in leaves(program) if isinstance(leaf, Feed)]
        moved_singly = quote in scene.moves.quotes and (not plain or len(feeds) != 1)
        return moved_singly or any(isinstance(leaf, Spot) for leaf in leaves(program))

    def moved(self, scene: Scenario) -> dict[str, Fraction]:
        """Feeds by themselves, and those of quotes that one feed alone prices."""
        factors = dict(scene.moves.feeds)
        for quote, factor in scene.moves.quotes.items():
            program = self.book.quote_program[quote]
            if not self._apart(quote, program, scene):
                (only,) = (one for one in leaves(program) if isinstance(one, Feed))
                factors[only.address] = factor
        return factors

    def round_of(self, price: int) -> tuple[int, ...]:
        """The same word as answer and as everything else."""
        return (price,) * 5


def seizing_one(liquidate: View) -> View:
    """The same liquidation by collateral, not by debt: it also works at a price of 0."""
    market, borrower, _, _, data = liquidate.args
    return View(liquidate.contract, "liquidate", (market, borrower, 1, 0, data))


def refused(answer: dict[str, Any]) -> bool:
    """Healthy, or no oracle that would say: nobody can liquidate."""
    data = bytes.fromhex((answer.get("error", {}).get("data") or "0x")[2:])
    division_by_zero = data.endswith(bytes([0x12])) and len(data) == 36
    return HEALTHY_POSITION in data or division_by_zero


@pytest.fixture(scope="module")
def shocked(devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShockedMorpho]:
    """The large chain of seed 1."""
    store = new_store(tmp_path_factory.mktemp("large"))
    deployment = morpho(devnet.deployment)
    index_live(devnet.url, store, deployment)
    lived = Lived(devnet, store, deployment)
    yield ShockedMorpho(devnet, deployment, lived.book(), lived)
    store.close()


@pytest.mark.parametrize("texts", SHOCKS, ids=lambda texts: " ".join(texts) or "none")
def test_the_same_positions_can_be_liquidated_as_the_contract_says(
    shocked: ShockedMorpho, texts: list[str]
) -> None:
    assert_same_set(shocked, texts)


def test_the_shocks_above_tell_positions_apart(shocked: ShockedMorpho) -> None:
    sets = different_sets(shocked, SHOCKS)

    assert len(sets) >= 8
    assert max(map(len, sets)) >= 20


def test_positions_at_the_very_edge_are_decided_as_the_contract_does(
    shocked: ShockedMorpho,
) -> None:
    """Prices at the thresholds themselves, and one part in 10^8 to either side of them."""
    assert assert_same_sets_at_thresholds(shocked) >= 8
