"""The same shock, put to our book and to a running market: whom can one liquidate after it?"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from defirisk.contagion.curve import curve
from defirisk.contagion.screen import liquidatable_units, screen
from defirisk.core.adapter import Deployment
from defirisk.core.book import Book
from defirisk.core.quote import Feed, leaves
from defirisk.core.scenario import Scenario
from defirisk.shocks.grammar import scenario
from defirisk.store.frames import load_book
from defirisk.store.snapshots import stored_block
from tests.devnet.abi import call_data, words
from tests.devnet.build import Devnet
from tests.onchain.markets import index_live, new_store, stored

# Every market of the chain lists these assets.
SHOCKS = [
    [],
    ["price:WETH=-10%"],
    ["price:WETH=-20%"],
    ["price:WETH=-33.3333333%"],
    ["price:WETH=-60%"],
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
    ["price:WETH=-30%", "price:WBTC=-30%", "price:LINK=-45%"],
    ["price:WETH=-99%", "price:WBTC=-99%"],
]
EDGES, NUDGES = 12, (-1e-8, 0.0, 1e-8)
BEFORE = (-1e-4, -3e-5, -1e-5, -2e-6)
Overrides = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Shocked(ABC):
    """A running chain, and our book of one market on it."""

    devnet: Devnet
    market: Deployment
    book: Book

    def scene(self, texts: list[str]) -> Scenario:
        """The shocks as a scenario of this book."""
        return scenario("", texts, self.book)

    def by_book(self, scene: Scenario) -> set[str]:
        """Whom our engine finds."""
        return {self.book.units[int(n)] for n in liquidatable_units(self.book, scene)}

    @abstractmethod
    def by_contract(self, scene: Scenario) -> set[str]:
        """Whom the market itself would let be liquidated, with the feeds answering the shock."""

    def moved(self, scene: Scenario) -> dict[str, Fraction]:
        """Every feed that the shock moves, with its factor."""
        moved: dict[str, Fraction] = {}
        for quote, program in enumerate(self.book.quote_program):
            (feed,) = (leaf.address for leaf in leaves(program) if isinstance(leaf, Feed))
            factor = scene.moves.quotes.get(quote, 1) * scene.moves.feeds.get(feed, Fraction(1))
            if factor != 1:
                moved[feed] = factor
        return moved

    def overrides(self, scene: Scenario) -> Overrides:
        """Code in the feeds' place that answers the shocked price."""
        return {
            feed: {"code": returning(*self.round_of(round(self.answer(feed) * factor)))}
            for feed, factor in self.moved(scene).items()
        }

    def round_of(self, price: int) -> tuple[int, ...]:
        """The words that a feed returns, whatever it is asked, so that the market reads `price`."""
        return (price,)

    def answer(self, feed: str) -> int:
        """What a feed of the chain says."""
        return words(self.devnet.chain.call(feed, "latestAnswer()"))[0]

    def answers(self, to: str, view: str, overrides: Overrides) -> list[list[int] | None]:
        """What a view says of every unit, in words; None where it reverts."""
        at = hex(self.book.block.number)
        calls: list[tuple[str, list[Any]]] = [
            ("eth_call", [{"to": to, "data": call_data(view, (unit,))}, at, overrides])
            for unit in self.book.units
        ]
        said = self.devnet.chain.rpc.batch_or_none(calls)
        return [None if answer is None else words(answer) for answer in said]

    def at_thresholds(
        self, symbol: str = "WETH", most: int = EDGES, nudges: Sequence[float] = NUDGES
    ) -> Iterator[list[str]]:
        """Falls of an asset that take somebody to the threshold itself, or `nudges` from it."""
        symbols = [asset.symbol for asset in self.book.assets]
        cliffs = curve(self.book, symbols.index(symbol)).cliffs(most)
        drops = [cliff.drop for cliff in cliffs if 1e-3 < cliff.drop < 1]
        assert len(drops) >= 8
        for drop in drops:
            for nudge in nudges:
                percent = Fraction(round((drop + nudge) * 10**12), 10**10)
                yield [f"price:{symbol}=-{float(percent):.10f}%"]


def returning(*values: int) -> str:
    """Runtime code that returns these words to whatever it is asked."""
    stores = "".join(f"7f{value:064x}60{32 * at:02x}52" for at, value in enumerate(values))
    return f"0x{stores}60{32 * len(values):02x}6000f3"


def live_book(devnet: Devnet, market: Deployment, folder: Path) -> Book:
    """The book of one market of a running chain, indexed into `folder`."""
    store = new_store(folder)
    summary = index_live(devnet.url, store, market)
    with store.transaction() as connection:
        block = stored_block(connection, summary.chain_id, None)
        book = load_book(connection, [stored(store, market)], block)
    store.close()
    return book


def assert_same_set(shocked: Shocked, texts: list[str]) -> None:
    """Our set and the market's are the same, and the screen counts as many."""
    scene = shocked.scene(texts)

    ours, theirs = shocked.by_book(scene), shocked.by_contract(scene)

    assert ours == theirs
    counted = int(screen(shocked.book, [scene]).liquidatable_accounts.sum())
    assert counted == len(liquidatable_units(shocked.book, scene))


def assert_same_sets_at_thresholds(
    shocked: Shocked, shocks: Iterable[list[str]] | None = None
) -> int:
    """The same at the thresholds; returns how many units had to be decided in integers."""
    edges = 0
    for texts in shocked.at_thresholds() if shocks is None else shocks:
        scene = shocked.scene(texts)
        assert shocked.by_book(scene) == shocked.by_contract(scene), texts
        edges += int(screen(shocked.book, [scene]).edge_units[0])
    return edges


def different_sets(shocked: Shocked, shocks: list[list[str]]) -> set[frozenset[str]]:
    """An engine that ignores the shock would have one."""
    return {frozenset(shocked.by_book(shocked.scene(texts))) for texts in shocks}
