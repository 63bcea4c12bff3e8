"""The same shock, put to our book and to Compound v2 itself: the same accounts must fall."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest

from defirisk.contagion.curve import curve
from defirisk.contagion.screen import liquidatable_units, screen
from defirisk.core.book import Book
from defirisk.core.quote import Feed, leaves
from defirisk.core.scenario import Scenario, oracle_factors
from defirisk.protocols.lending.compound_v2.referee import shocked_answer
from defirisk.shocks.grammar import scenario
from defirisk.store.frames import load_book
from defirisk.store.snapshots import stored_block
from tests.devnet.abi import call_data, words
from tests.devnet.build import Devnet
from tests.devnet.record import deployments
from tests.onchain.markets import index_live, new_store, stored

pytestmark = pytest.mark.onchain

SHOCKS = [
    [],
    ["price:WETH=-3%"],
    ["price:WETH=-10%"],
    ["price:WETH=-20%"],
    ["price:WETH=-33.3333333%"],
    ["price:WETH=-60%"],
    ["price:WETH=+35%"],
    ["price:WETH=1234.56789"],
    ["price:WBTC=-25%"],
    ["price:WBTC=+60%"],
    ["price:LINK=-55%"],
    ["price:DAI=+12.5%"],
    ["depeg:USDC=0.88"],
    ["depeg:DAI=0.5"],
    ["depeg:USDT=1.07"],
    ["market:WETH=-60%"],
    ["oracle:WETH=+30%"],
    ["oracle:WBTC@compound-v2=-9%"],
    ["oracle:USDC=-100%", "price:WETH=-10%"],
    ["oracle:LINK=-100%"],
    ["price:WETH=-30%", "price:WBTC=-30%", "price:LINK=-45%"],
    ["price:WBTC=-17%", "depeg:USDC=1.05", "oracle:LINK=-3%"],
]


@dataclass(frozen=True)
class Shocked:
    """The running chain, our book of it, and the accounts' addresses by unit."""

    devnet: Devnet
    book: Book

    def by_contract(self, scene: Scenario) -> set[str]:
        """The accounts for which the Comptroller itself states a shortfall after the shock."""
        comptroller = self.devnet.protocols.compound_v2.comptroller
        overrides, at = self.overrides(scene), hex(self.book.block.number)
        calls = [
            (
                "eth_call",
                [
                    {
                        "to": comptroller,
                        "data": call_data("getAccountLiquidity(address)", (unit,)),
                    },
                    at,
                    overrides,
                ],
            )
            for unit in self.book.units
        ]
        answers = [words(said) for said in self.devnet.chain.rpc.batch(calls)]
        return {
            unit
            for unit, (error, _, shortfall) in zip(self.book.units, answers, strict=True)
            if error == 0 and shortfall > 0
        }

    def by_book(self, scene: Scenario) -> set[str]:
        return {self.book.units[int(n)] for n in liquidatable_units(self.book, scene)}

    def overrides(self, scene: Scenario) -> dict[str, Any]:
        """Code in the feeds' place that answers the shocked price."""
        factors = oracle_factors(self.book, scene, 0)
        return {
            feed: {"code": answering(shocked_answer(self.answer(feed), factor))}
            for quote, factor in factors.items()
            for feed in [self.feed(quote)]
        }

    def feed(self, quote: int) -> str:
        program = self.book.quote_program[quote]
        return next(leaf.address for leaf in leaves(program) if isinstance(leaf, Feed))

    def answer(self, feed: str) -> int:
        return words(self.devnet.chain.call(feed, "latestAnswer()"))[0]


def answering(value: int) -> str:
    """Runtime code that returns (8, value, 0, 0, 0) to whatever it is asked.

    As `latestRoundData` that is the answer of round 8, and as `decimals` it is 8.
    """
    return f"0x60086000527f{value:064x}60205260a06000f3"


@pytest.fixture(scope="module")
def shocked(devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Shocked:
    market = next(d for d in deployments(devnet.deployment) if d.protocol == "compound-v2")
    store = new_store(tmp_path_factory.mktemp("stress"))
    summary = index_live(devnet.url, store, market)
    with store.transaction() as connection:
        block = stored_block(connection, summary.chain_id, None)
        book = load_book(connection, [stored(store, market)], block)
    store.close()
    return Shocked(devnet, book)


@pytest.mark.parametrize("texts", SHOCKS, ids=lambda texts: " ".join(texts) or "none")
def test_the_same_accounts_can_be_liquidated_as_the_comptroller_says(
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
    assert max(map(len, sets)) >= 20


def test_accounts_at_the_very_edge_are_decided_as_the_comptroller_does(shocked: Shocked) -> None:
    """Prices at the thresholds themselves, and one part in 10^8 to either side of them."""
    symbols = [asset.symbol for asset in shocked.book.assets]
    weth = curve(shocked.book, symbols.index("WETH"))
    drops = [cliff.drop for cliff in weth.cliffs(12) if 0 < cliff.drop < 1]
    assert len(drops) >= 8

    for drop in drops:
        for nudge in (-1e-8, 0.0, 1e-8):
            percent = Fraction(round((drop + nudge) * 10**12), 10**10)
            scene = scenario("", [f"price:WETH=-{float(percent):.10f}%"], shocked.book)
            assert shocked.by_book(scene) == shocked.by_contract(scene)


def test_an_entered_market_without_a_price_protects_a_borrower(shocked: Shocked) -> None:
    """The Comptroller then states an error, even for those who hold nothing in that market."""
    crash = ["price:WETH=-60%", "price:WBTC=-60%"]
    priced = scenario("", crash, shocked.book)
    unpriced = scenario("", [*crash, "oracle:LINK=-100%"], shocked.book)

    spared = shocked.by_book(priced) - shocked.by_book(unpriced)

    assert spared
    assert shocked.by_book(unpriced) == shocked.by_contract(unpriced)
