"""Which prices the book stands on: their source, age and grade, and what depends on each feed.

Unit: USD per whole token, seconds, USD at the oracle's own prices (what the protocols credit). NaN
policy: a price without an answer is NaN; exposure of unknown value is left out and its accounts
are still counted. A feed that reports a time after the block has a negative age: it lies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from defirisk.core.book import Book, Floats, MarketFacts
from defirisk.core.evm import Address
from defirisk.core.holdings import Side
from defirisk.core.quote import Conversion, Feed, Leaf, Spot, leaves
from defirisk.core.sources import Link, chain_of_sources


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketPrice:
    """What one market believes one asset is worth. `age_seconds` is None where no time is known.

    `stale` are the feeds behind it that were silent for longer than their heartbeat.
    """

    deployment: int
    market: str
    asset: int
    price_usd: float
    source: Address
    age_seconds: int | None
    grade: str
    stale: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependence:
    """All that one source prices: a feed, a pool whose price is read, or a wrapped token's rate.
    `feed` is its address, None for quotes without any: hard-coded prices.

    A quote that is made of several counts under each of them. `assets` and `deployments` are
    indices, ascending; `accounts` counts units with collateral or debt.
    """

    feed: Address | None
    assets: tuple[int, ...]
    deployments: tuple[int, ...]
    accounts: int
    collateral_usd: float
    debt_usd: float


def prices(book: Book) -> tuple[MarketPrice, ...]:
    """The price of every market, in the book's order; stale by the book's heartbeats."""
    return tuple(
        MarketPrice(
            deployment=m.deployment,
            market=m.market,
            asset=m.asset,
            price_usd=m.price_usd,
            source=m.price_source,
            age_seconds=(
                None if m.price_updated_ts is None else book.block.timestamp - m.price_updated_ts
            ),
            grade=m.price_grade,
            stale=_stale(book, m),
        )
        for m in book.markets
    )


def sources_of(book: Book, market: MarketFacts) -> Link:
    """The chain of contracts behind a market's price, from the market's own oracle inwards."""
    return chain_of_sources(book.sources, market.price_source, market.price_made_of)


def _stale(book: Book, market: MarketFacts) -> tuple[Address, ...]:
    answers = book.sources.answers
    silent = {
        link.address: book.block.timestamp - answers[link.address].updated_at
        for link in sources_of(book, market).all()
        # What is made of other feeds is as old as they are: they are flagged themselves.
        if link.address in answers and not any(one.address in answers for one in link.made_of)
    }
    return tuple(feed for feed, age in silent.items() if age > book.heartbeats.of(feed))


def dependences(book: Book) -> tuple[Dependence, ...]:
    """Every source that some quote reads, the largest exposure first."""
    readers: dict[Address | None, list[int]] = {}
    for q, program in enumerate(book.quote_program):
        read = {_source(leaf) for leaf in leaves(program)} - {None}
        for feed in read or {None}:
            readers.setdefault(feed, []).append(q)
    values = np.nan_to_num(book.holding_amount * book.quote_price[book.holding_quote], nan=0.0)
    found = [_dependence(book, values, feed, quotes) for feed, quotes in readers.items()]
    return tuple(sorted(found, key=lambda d: -(d.collateral_usd + d.debt_usd)))


def _source(leaf: Leaf) -> Address | None:
    """The contract that a leaf is read from; None for what no contract can move."""
    match leaf:
        case Feed(address=address) | Spot(venue=address) | Conversion(token=address):
            return address
    return None


def _dependence(book: Book, values: Floats, feed: Address | None, quotes: list[int]) -> Dependence:
    own = np.isin(book.holding_quote, quotes)
    collateral, debt = (own & (book.holding_side == side) for side in (Side.COLLATERAL, Side.DEBT))
    return Dependence(
        feed=feed,
        assets=tuple(np.unique(book.quote_asset[quotes]).tolist()),
        deployments=tuple(np.unique(book.quote_deployment[quotes]).tolist()),
        accounts=len(np.unique(book.holding_unit[collateral | debt])),
        collateral_usd=float(values[collateral].sum()),
        debt_usd=float(values[debt].sum()),
    )
