"""The same shock, put to our book of Morpho Blue and to the contract: the same positions fall."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest

from defirisk.contagion.curve import curve
from defirisk.contagion.screen import liquidatable_units, screen
from defirisk.core.adapter import View
from defirisk.core.book import Book
from defirisk.core.quote import Feed, leaves
from defirisk.core.scenario import Scenario
from defirisk.indexing.codecs import Codecs
from defirisk.protocols.lending.morpho_blue.referee import HEALTHY_POSITION
from defirisk.shocks.grammar import scenario
from defirisk.store.snapshots import snapshot
from tests.devnet.abi import call_data
from tests.devnet.build import Devnet
from tests.onchain.markets import index_live, new_store, stored
from tests.onchain.morpho_chain import MORPHO_BLUE, Lived, morpho, questions_at

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


def by_book(book: Book, scene: Scenario) -> set[str]:
    return {book.units[int(n)] for n in liquidatable_units(book, scene)}


def by_contract(lived: Lived, book: Book, scene: Scenario) -> set[str]:
    """Those whom `liquidate` does not refuse as healthy, with the feeds answering the shock."""
    codecs = Codecs(MORPHO_BLUE)
    with lived.store.transaction() as connection:
        now = snapshot(connection, stored(lived.store, lived.deployment), book.block)
        asked = [one for one in questions_at(now) if one.refusal]
    overrides = {
        feed: {"code": answering_round(round(answer * factor))}
        for feed, factor, answer in feeds_moved(lived, book, scene)
    }
    calls = [codecs.call(seizing_one(one.view)) for one in asked]
    answers = lived.devnet.chain.rpc.answers(
        [
            ("eth_call", [{"to": c.to, "data": "0x" + c.data.hex()}, "latest", overrides])
            for c in calls
        ]
    )
    return {one.unit for one, answer in zip(asked, answers, strict=True) if not refused(answer)}


def seizing_one(liquidate: View) -> View:
    """The same liquidation by collateral, not by debt: it also works at a price of 0."""
    market, borrower, _, _, data = liquidate.args
    return View(liquidate.contract, "liquidate", (market, borrower, 1, 0, data))


def refused(answer: dict[str, Any]) -> bool:
    """Healthy, or no oracle that would say: nobody can liquidate."""
    data = bytes.fromhex((answer.get("error", {}).get("data") or "0x")[2:])
    division_by_zero = data.endswith(bytes([0x12])) and len(data) == 36
    return HEALTHY_POSITION in data or division_by_zero


def feeds_moved(lived: Lived, book: Book, scene: Scenario) -> Iterator[tuple[str, Fraction, int]]:
    """Every feed with its factor (its own, or that of the quotes that it alone prices)."""
    factors = dict(scene.moves.feeds)
    for quote, factor in scene.moves.quotes.items():
        (only,) = (one for one in leaves(book.quote_program[quote]) if isinstance(one, Feed))
        factors[only.address] = factor
    for feed, factor in factors.items():
        said = lived.devnet.chain.rpc.call(
            "eth_call", {"to": feed, "data": call_data("latestAnswer()", ())}, "latest"
        )
        yield feed, factor, int(said, 16)


def answering_round(value: int) -> str:
    """Runtime code that returns one word five times, whatever it is asked."""
    store = "".join(f"8060{32 * place:02x}52" for place in range(5))
    return f"0x7f{value:064x}{store}60a06000f3"


@pytest.fixture(scope="module")
def large(devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """The large chain of seed 1."""
    store = new_store(tmp_path_factory.mktemp("large"))
    deployment = morpho(devnet.deployment)
    index_live(devnet.url, store, deployment)
    yield Lived(devnet, store, deployment)
    store.close()


@pytest.fixture(scope="module")
def book(large: Lived) -> Book:
    return large.book()


@pytest.mark.parametrize("texts", SHOCKS, ids=lambda texts: " ".join(texts) or "none")
def test_the_same_positions_can_be_liquidated_as_the_contract_says(
    large: Lived, book: Book, texts: list[str]
) -> None:
    scene = scenario("", texts, book)

    ours = by_book(book, scene)

    assert ours == by_contract(large, book, scene)
    assert int(screen(book, [scene]).liquidatable_accounts.sum()) == len(ours)


def test_the_shocks_above_tell_positions_apart(book: Book) -> None:
    sets = {frozenset(by_book(book, scenario("", texts, book))) for texts in SHOCKS}

    assert len(sets) >= 8
    assert max(map(len, sets)) >= 20


def test_positions_at_the_very_edge_are_decided_as_the_contract_does(
    large: Lived, book: Book
) -> None:
    """Prices at the thresholds themselves, and one part in 10^8 to either side of them."""
    symbols = [asset.symbol for asset in book.assets]
    weth = curve(book, symbols.index("WETH"))
    drops = [cliff.drop for cliff in weth.cliffs(12) if 0 < cliff.drop < 1]
    assert len(drops) >= 8

    edges = 0
    for drop in drops:
        for nudge in (-1e-8, 0.0, 1e-8):
            percent = Fraction(round((drop + nudge) * 10**12), 10**10)
            scene = scenario("", [f"price:WETH=-{float(percent):.10f}%"], book)
            assert by_book(book, scene) == by_contract(large, book, scene), str(percent)
            edges += int(screen(book, [scene]).edge_units[0])
    assert edges >= len(drops)
