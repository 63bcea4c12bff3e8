"""Prices of a book by where they come from: one source and one asset, and who relies on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from defirisk.core.book import Book
from defirisk.core.evm import Address
from defirisk.core.quote import (
    Constant,
    Conversion,
    Feed,
    Product,
    Program,
    Rate,
    Spot,
    leaves,
    parts,
)
from defirisk.core.sources import chain_of_sources
from defirisk.manipulation.lending import Listing

COMPOSED, HARD_CODED, UNKNOWN_KIND = "composed", "hard-coded", "contract"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """One asset as one source prices it. `feed` is the source's address, or where several are put
    together the contract that does so, with `sources` being the parts.

    `age_seconds` is of the oldest answer behind it, None where no time is known;
    `heartbeat_seconds` the shortest that a feed behind it has promised, None without any; `stale`
    are the feeds that were silent for longer than theirs.
    """

    feed: str
    kind: str
    asset: int
    sources: tuple[Address, ...]
    listings: tuple[Listing, ...]
    age_seconds: int | None
    heartbeat_seconds: int | None
    stale: tuple[Address, ...]


def quoted(book: Book, listings: Iterable[Listing]) -> tuple[Quoted, ...]:
    """Every price, in the order of the book's markets."""
    groups: dict[tuple[str, tuple[Address, ...], int], list[Listing]] = {}
    for listing in listings:
        read = sources_of(book, listing)
        feed = read[0] if len(read) == 1 else listing.facts.price_source
        groups.setdefault((feed, read, listing.facts.asset), []).append(listing)
    return tuple(
        Quoted(
            feed=feed,
            kind=_kind(book, read, some[0].program),
            asset=asset,
            sources=read,
            listings=tuple(some),
            age_seconds=_age(book, read),
            heartbeat_seconds=min(
                (book.heartbeats.of(feed) for feed, _ in _times(book, read)), default=None
            ),
            stale=_stale(book, read),
        )
        for (feed, read, asset), some in groups.items()
    )


def sources_of(book: Book, listing: Listing) -> tuple[Address, ...]:
    """The contracts that this asset's price, and not that of the other side, is read from."""
    facts, known = listing.facts, book.sources
    if facts.price_source in known.answers:
        return (facts.price_source,)
    asked = [one for one in dict.fromkeys(facts.price_made_of) if _reads(book, listing, one)]
    if asked:
        return tuple(_outermost(book, asked))
    read = (address for leaf in leaves(listing.program) if (address := _address(leaf)))
    return tuple(dict.fromkeys(read)) or (facts.price_source,)


def _outermost(book: Book, asked: Sequence[Address]) -> Iterator[Address]:
    """Without those that another one of them asks in turn."""
    for one in asked:
        links = (chain_of_sources(book.sources, other) for other in asked if other != one)
        if not any(inner.address == one for link in links for inner in link.all()):
            yield one


def _reads(book: Book, listing: Listing, source: Address) -> bool:
    answer = book.sources.answers.get(source)
    if answer is None:
        return any(isinstance(x, Conversion) and x.token == source for x in leaves(listing.program))
    said = answer.of(source)
    if isinstance(said, Constant):
        # A number alone is no sign, unless it is a factor of the price by itself.
        return said in _factors(listing.program)
    return _contains(listing.program, said)


def _factors(program: Program) -> tuple[Program, ...]:
    return program.parts if isinstance(program, Product) else (program,)


def _contains(program: Program, part: Program) -> bool:
    return program == part or any(_contains(one, part) for one in parts(program))


def _address(leaf: Program) -> Address:
    match leaf:
        case Feed(address=address) | Spot(venue=address) | Conversion(token=address):
            return address
    return ""


def _kind(book: Book, read: tuple[Address, ...], program: Program) -> str:
    if all(isinstance(leaf, Constant | Rate) for leaf in leaves(program)):
        return HARD_CODED
    if len(read) > 1:
        return COMPOSED
    link = chain_of_sources(book.sources, read[0])
    return "vault rate" if link.kind == "vault" else link.kind or UNKNOWN_KIND


def _times(book: Book, read: tuple[Address, ...]) -> Iterator[tuple[Address, int]]:
    """Feeds at the end of the chain, and when they last answered."""
    answers = book.sources.answers
    for source in read:
        for link in chain_of_sources(book.sources, source).all():
            inner = any(one.address in answers for one in link.made_of)
            if link.address in answers and not inner:
                yield link.address, answers[link.address].updated_at


def _age(book: Book, read: tuple[Address, ...]) -> int | None:
    own = [book.sources.answers[one].updated_at for one in read if one in book.sources.answers]
    times = [at for at in (*own, *(at for _, at in _times(book, read))) if at]
    return book.block.timestamp - min(times) if times else None


def _stale(book: Book, read: tuple[Address, ...]) -> tuple[Address, ...]:
    now, beats = book.block.timestamp, book.heartbeats
    silent = (feed for feed, at in _times(book, read) if now - at > beats.of(feed))
    return tuple(dict.fromkeys(silent))
