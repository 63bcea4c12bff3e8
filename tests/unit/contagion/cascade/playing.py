"""Rounds of oracles alone, as tests play them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from defirisk.contagion.cascade.opening import opening
from defirisk.contagion.cascade.oracles import Told, step
from defirisk.contagion.cascade.sources import Sources, sources
from defirisk.core.adapter import Answer
from defirisk.core.book import Book
from defirisk.core.evaluation import Floats
from defirisk.core.evm import Address
from defirisk.core.quote import Feed, Leaf, Program, Twap, parts, rebuilt
from defirisk.core.scenario import Moves, Scenario, combine
from defirisk.core.sources import Sources as Known
from defirisk.core.venue import Venue
from defirisk.shocks.grammar import baseline, scenario
from defirisk.swaps.constant_product import ConstantProduct
from tests.books import Token, address, book

ROUNDS = 8


def has_mean(program: Program) -> bool:
    return isinstance(program, Twap) or any(has_mean(part) for part in parts(program))


@dataclass
class Play:
    """Rounds of one scenario, with one of the two ways to run the kernels."""

    found: Sources
    told: Told
    run: Callable[..., int]

    @classmethod
    def of(
        cls, made: Book, happens: Scenario, found: Sources, run: Callable[..., int] = step
    ) -> Play:
        return cls(found, opening(made, happens, found, ROUNDS), run)

    def after(
        self,
        r: int = 0,
        moves: Floats | None = None,
        *,
        seconds: float = 12.0,
        deviation: float = 0.0,
        conversions: Floats | None = None,
        growth: Floats | None = None,
    ) -> tuple[bool, Floats, Floats]:
        """Whether anything moved, market prices, prices of quotes."""
        tables, blocks = self.found.tables, self.found.tables.blocks
        market, said = np.empty(blocks.means - blocks.markets), np.empty(len(self.told.said))
        moved = self.run(
            tables,
            self.told,
            r,
            np.ones(len(tables.pair_venue)) if moves is None else moves,
            seconds,
            deviation,
            np.ones(len(self.found.conversions)) if conversions is None else conversions,
            np.ones(len(said)) if growth is None else growth,
            market,
            said,
        )
        return bool(moved), market, said


def shocks_of(made: Book) -> list[Scenario]:
    """Every kind of shock, to every asset, and all at once."""
    single = [
        f"{name}:{asset.address}={value}"
        for asset in made.assets
        for name, value in (("price", "-37%"), ("market", "+20%"), ("oracle", "-15%"))
    ]
    found = [scenario("", [text], made) for text in single]
    slashed = Moves(conversions=dict.fromkeys(sorted(made.sources.claims), Fraction(4, 5)))
    found.append(Scenario(name="all", shocks=(), moves=combine([slashed, found[0].moves])))
    return [baseline(), *found]


def by_feed(found: Sources) -> dict[Address, int]:
    """The asset that each feed follows."""
    rows = zip(found.feeds, found.tables.feed_asset, strict=True)
    return {feed.address: int(asset) for feed, asset in rows}


def fed(price: Fraction) -> tuple[Book, Sources]:
    """WETH and USDC with a feed each, and a pool that WETH hangs on."""
    plain = book([Token("WETH", float(price)), Token("USDC", 1.0)], [])

    def exactly(leaf: Leaf) -> Leaf:
        weth = isinstance(leaf, Feed) and leaf.address == address("feed-WETH")
        return Feed(address("feed-WETH"), price) if weth else leaf

    programs = tuple(rebuilt(program, exactly) for program in plain.quote_program)
    answers = {
        address(f"feed-{symbol}"): Answer(price=0, decimals=8, updated_at=0, grade="logs")
        for symbol in ("WETH", "USDC")
    }
    pool = Venue(
        address=address("pool"),
        deployment="",
        label="WETH/USDC",
        kind="constant-product",
        tokens=(address("WETH"), address("USDC")),
        decimals=(18, 6),
        pool=ConstantProduct((10**21, int(price * 10**9))),
    )
    known = Known(answers=answers, venues={pool.address: pool})
    made = replace(plain, quote_program=programs, sources=known)
    return made, sources(made, [pool])
