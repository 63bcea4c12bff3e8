"""The TARGET of a shock: which asset is meant, what follows it, which feeds price it."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.evm import Address
from defirisk.core.plugins import nearest
from defirisk.core.quote import Conversion, Feed, Program, Spot, leaves
from defirisk.core.scenario import Moves

MIN_PREFIX = 6
"""Characters of an address, 0x included, that may stand for the whole of it."""


def find_asset(book: Book, target: str) -> int:
    """Index of the one asset that `target` names: a symbol, an address or the start of one.

    Letter case does not matter. Errors: `UsageError` where no asset or more than one is meant;
    tokens choose their own symbols, so a symbol that two of them carry is never resolved silently.
    """
    wanted = target.casefold()
    is_address = wanted.startswith("0x") and len(wanted) >= MIN_PREFIX
    found = [
        index
        for index, asset in enumerate(book.assets)
        if asset.symbol.casefold() == wanted
        or (is_address and asset.address.casefold().startswith(wanted))
    ]
    if not found:
        known = nearest(target, {asset.symbol for asset in book.assets})
        raise UsageError(f"unknown asset {target!r}: {known}")
    if len(found) > 1:
        addresses = [book.assets[index].address for index in found]
        raise UsageError(
            f"{target!r} is {len(found)} tokens: {', '.join(map(shorten, addresses))}; "
            f"name one by its address, for example {addresses[0]}"
        )
    return found[0]


def shorten(address: Address) -> str:
    """An address as people compare it: 0x8787…a4e2."""
    return f"{address[:6]}…{address[-4:]}"


def family(book: Book, asset: int) -> list[int]:
    """The asset and everything that follows it, directly or through others; indices ascending."""
    return [index for index in range(len(book.assets)) if asset in _ancestry(book, index)]


def _ancestry(book: Book, asset: int) -> set[int]:
    """The asset and all it follows. Two assets that follow each other end the walk."""
    seen: set[int] = set()
    step: int | None = asset
    while step is not None and step not in seen:
        seen.add(step)
        step = book.assets[step].follows
    return seen


def market_moves(book: Book, asset: int, factor: Fraction) -> Moves:
    """The market prices of the asset and its followers, times `factor`; feeds stay.

    What is a claim on one of them moves with it by its own program, and so does what reads a pool.
    """
    by_itself = [a for a in family(book, asset) if a == asset or book.assets[a].program is None]
    return Moves(market=dict.fromkeys(by_itself, factor))


def price_moves(book: Book, asset: int, factor: Fraction) -> Moves:
    """The asset and its followers at market and in every oracle that reads a feed for them.

    A feed moves as a whole, also for other assets that it prices; hard-coded quotes stay. A quote
    that multiplies several feeds (rate times dollar price) moves by `factor` exactly once: through
    a feed that moves anyway, else as a quote, since which of its feeds would move is not known.
    A quote that reads a pool of a moving asset follows the market, and none of its feeds moves.
    """
    moving = family(book, asset)
    quotes = {int(q): book.quote_program[int(q)] for q in _quotes_of(book, moving)}
    read = {q: _feeds(program) for q, program in quotes.items()}
    feeds = {
        read[q][0]
        for q, program in quotes.items()
        if len(read[q]) == 1 and _is_price_of(book, q, program, asset)
    }
    corrected: dict[int, Fraction] = {}
    for q, program in quotes.items():
        if not read[q] or _reads_pool_of(book, program, moving):
            continue
        times = sum(feed in feeds for feed in read[q])
        if times != 1 and (times == 0 or factor != 0):
            corrected[q] = factor ** (1 - times)
    return Moves(
        market=market_moves(book, asset, factor).market,
        feeds=dict.fromkeys(sorted(feeds), factor),
        quotes=corrected,
    )


def _quotes_of(book: Book, assets: list[int]) -> Iterable[int]:
    return np.flatnonzero(np.isin(book.quote_asset, assets)).tolist()


def _is_price_of(book: Book, quote: int, program: Program, asset: int) -> bool:
    """Whether the quote's feed prices the asset: not what a pool or a vault's shares are in."""
    kinds = {type(leaf) for leaf in leaves(program)}
    converted = Conversion in kinds and int(book.quote_asset[quote]) == asset
    return Spot not in kinds and not converted


def _reads_pool_of(book: Book, program: Program, assets: list[int]) -> bool:
    addresses = {book.assets[a].address for a in assets}
    spots = [leaf for leaf in leaves(program) if isinstance(leaf, Spot)]
    return any((leaf.base in addresses) != (leaf.quote in addresses) for leaf in spots)


def _feeds(program: Program) -> list[Address]:
    return [leaf.address for leaf in leaves(program) if isinstance(leaf, Feed)]


def find_quotes(book: Book, place: str) -> npt.NDArray[np.bool_]:
    """The quotes of the deployments of this name or protocol, or of the markets whose label has
    this word, shape (Q,). Errors: `UsageError` where there is neither.
    """
    word = place.casefold()
    labelled = np.array(
        [_has_word(market.casefold(), word) for market in book.quote_market], dtype=np.bool_
    )
    names = {facts.name for facts in book.deployments} | {f.protocol for f in book.deployments}
    if place not in names and labelled.any():
        return labelled
    return np.isin(book.quote_deployment, find_deployments(book, place))


def _has_word(label: str, word: str) -> bool:
    long = len(word) >= MIN_PREFIX
    return any(part == word or (long and part.startswith(word)) for part in label.split())


def find_deployments(book: Book, name: str) -> list[int]:
    """Indices of the deployment of this name, or of all deployments of the protocol so named."""
    exact = [d for d, facts in enumerate(book.deployments) if facts.name == name]
    found = exact or [d for d, facts in enumerate(book.deployments) if facts.protocol == name]
    if not found:
        raise UsageError(f"unknown deployment {name!r}: {nearest(name, _names(book))}")
    return found


def _names(book: Book) -> Iterable[str]:
    return {name for facts in book.deployments for name in (facts.name, facts.protocol)}
