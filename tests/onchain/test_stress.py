"""The same shock, put to our book and to the real contracts: the same accounts must fall."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from defirisk.contagion.curve import curve
from defirisk.contagion.screen import liquidatable_units, screen
from defirisk.contagion.valuation import health_factors, positions, times
from defirisk.core.book import Book
from defirisk.core.quote import Feed, leaves
from defirisk.core.scenario import Scenario, oracle_factors
from defirisk.protocols.lending.aave_v3.referee import shocked_answer
from defirisk.shocks.grammar import scenario
from defirisk.store.frames import load_book
from defirisk.store.snapshots import stored_block
from tests.devnet.abi import call_data
from tests.devnet.build import Devnet
from tests.devnet.record import deployment
from tests.onchain.markets import index_live, new_store, stored

pytestmark = pytest.mark.onchain

WAD = 10**18
SHOCKS = [
    [],
    ["price:WETH=-5%"],
    ["price:WETH=-20%"],
    ["price:WETH=-33.3333333%"],
    ["price:WETH=-40%"],
    ["price:WETH=-75%"],
    ["price:WETH=+35%"],
    ["price:WETH=1234.56789"],
    ["price:WBTC=-40%"],
    ["price:WBTC=+60%"],
    ["price:LINK=-55%"],
    ["price:DAI=+12.5%"],
    ["depeg:USDC=0.88"],
    ["depeg:DAI=0.5"],
    ["depeg:USDT=1.07"],
    ["market:WETH=-60%"],
    ["oracle:WETH=+30%"],
    ["oracle:yWETH@aave-v3=-9%"],
    ["oracle:USDC=-100%", "price:WETH=-10%"],
    ["price:WETH=-30%", "price:WBTC=-30%", "price:LINK=-45%"],
    ["price:WETH=-99%", "price:WBTC=-99%"],
    ["price:WBTC=-17%", "depeg:USDC=1.05", "oracle:LINK=-3%"],
]


@dataclass(frozen=True)
class Shocked:
    """The running chain, our book of it, and the accounts' addresses by unit."""

    devnet: Devnet
    book: Book

    def by_contract(self, scene: Scenario) -> set[str]:
        """The accounts whose health factor the Pool itself states below 1 after the shock."""
        calls = [
            (
                "eth_call",
                [
                    {"to": self.pool, "data": call_data("getUserAccountData(address)", (unit,))},
                    hex(self.book.block.number),
                    self.overrides(scene),
                ],
            )
            for unit in self.book.units
        ]
        # None is a revert: the Pool cannot value the account, and so nobody can liquidate it.
        answers = self.devnet.chain.rpc.batch_or_none(calls)
        return {
            unit
            for unit, answer in zip(self.book.units, answers, strict=True)
            if answer is not None and int(answer[-64:], 16) < WAD
        }

    def by_book(self, scene: Scenario) -> set[str]:
        return {self.book.units[int(n)] for n in liquidatable_units(self.book, scene)}

    @property
    def pool(self) -> str:
        return str(self.devnet.deployment["addresses"]["pool"])

    def overrides(self, scene: Scenario) -> dict[str, Any]:
        """Code in the feeds' place that answers the shocked price."""
        factors = oracle_factors(self.book, scene, 0)
        return {
            source: {"code": answering(shocked_answer(self.answer(source), factor))}
            for quote, factor in factors.items()
            for source in [self.source(quote)]
        }

    def source(self, quote: int) -> str:
        program = self.book.quote_program[quote]
        return next(leaf.address for leaf in leaves(program) if isinstance(leaf, Feed))

    def answer(self, source: str) -> int:
        said = self.devnet.chain.rpc.call(
            "eth_call", {"to": source, "data": call_data("latestAnswer()", ())}, "latest"
        )
        return int(said, 16)


def answering(value: int) -> str:
    """Runtime code that returns one word to whatever it is asked."""
    return f"0x7f{value:064x}60005260206000f3"


@pytest.fixture(scope="module")
def shocked(devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Shocked:
    market = deployment(devnet.deployment)
    store = new_store(tmp_path_factory.mktemp("stress"))
    summary = index_live(devnet.url, store, market)
    with store.transaction() as connection:
        block = stored_block(connection, summary.chain_id, None)
        book = load_book(connection, [stored(store, market)], block)
    store.close()
    return Shocked(devnet, book)


@pytest.mark.parametrize("texts", SHOCKS, ids=lambda texts: " ".join(texts) or "none")
def test_the_same_accounts_can_be_liquidated_as_the_contracts_say(
    shocked: Shocked, texts: list[str]
) -> None:
    scene = scenario("", texts, shocked.book)

    ours, theirs = shocked.by_book(scene), shocked.by_contract(scene)

    assert ours == theirs
    outcome = screen(shocked.book, [scene])
    assert int(outcome.liquidatable_accounts.sum()) == len(theirs)


def test_the_shocks_above_tell_accounts_apart(shocked: Shocked) -> None:
    """At least ten different sets: an engine that ignores the shock could not pass."""
    sets = {frozenset(shocked.by_book(scenario("", texts, shocked.book))) for texts in SHOCKS}

    assert len(sets) >= 10
    assert len(shocked.by_book(scenario("", [], shocked.book))) >= 3
    assert max(map(len, sets)) >= 50


def test_accounts_at_the_very_edge_are_decided_as_the_contracts_do(shocked: Shocked) -> None:
    """Prices at the thresholds themselves, and one part in 10^8 to either side of them."""
    symbols = [asset.symbol for asset in shocked.book.assets]
    weth = curve(shocked.book, symbols.index("WETH"))
    drops = [cliff.drop for cliff in weth.cliffs(12) if 0 < cliff.drop < 1]
    assert len(drops) >= 8

    edges = 0
    for drop in drops:
        for nudge in (-1e-8, 0.0, 1e-8):
            percent = Fraction(round((drop + nudge) * 10**12), 10**10)
            text = f"price:WETH=-{float(percent):.10f}%"
            scene = scenario("", [text], shocked.book)
            assert shocked.by_book(scene) == shocked.by_contract(scene), text
            edges += int(screen(shocked.book, [scene]).edge_units[0])
    assert edges >= len(drops)


def test_health_factors_differ_from_the_contracts_by_rounding_only(shocked: Shocked) -> None:
    calls = [
        ("eth_call", [{"to": shocked.pool, "data": call_data("getUserAccountData(address)", (u,))}])
        for u in shocked.book.units
    ]
    theirs = np.array(
        [int(answer[-64:], 16) / WAD for answer in shocked.devnet.chain.rpc.batch(calls)]
    )
    ours, rows = health_factors(shocked.book), positions(shocked.book)
    prices = shocked.book.quote_price
    owed = times(rows.debt, prices)
    # A base unit of each balance and 10^-8 dollars of each value: all that the contract rounds.
    slack = rows.guard + times(rows.grain, prices)

    # Of a debt of one wei the contract's rounding makes any multiple: only stakes count here.
    indebted = owed > 1
    assert indebted.sum() >= 200
    difference = np.abs(ours[indebted] / theirs[indebted] - 1)
    assert (difference <= 1e-12 + 2 * slack[indebted] / owed[indebted]).all()
    assert np.median(difference) < 1e-8
