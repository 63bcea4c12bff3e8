"""Finds the one pool or feed that a name means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.evm import Address
from defirisk.core.plugins import nearest
from defirisk.core.quote import Feed, Rate, leaves
from defirisk.core.venue import Venue
from defirisk.reports.labels import token_label
from defirisk.reports.value import listed

_LISTED = 8
MIN_PREFIX = 6
"""Characters of an address, 0x included, that may stand for the whole of it."""


def find_venue(book: Book, name: str) -> Venue:
    """The pool of this address, of this label, else of these symbols, in any order ("WETH/USDC").

    Errors: `UsageError` where none or several are meant; it says what to type instead.
    """
    venues = book.sources.venues
    labels = {address: (venue.label, pair(book, venue)) for address, venue in venues.items()}
    return venues[_one(name, labels, "pool")]


def pair(book: Book, venue: Venue) -> str:
    """The symbols of a pool's tokens, such as "WETH/USDC"."""
    return "/".join(token_label(book, token) for token in venue.tokens)


def find_feed(book: Book, name: str) -> Address:
    """The feed of this address, or the only one that by itself is the price of an asset.

    Errors: as `find_venue`.
    """
    priced: dict[Address, set[str]] = {address: set() for address in book.sources.answers}
    for market in book.markets:
        if market.price_source in priced:
            priced[market.price_source].add(book.symbol(market.asset))
    for q, program in enumerate(book.quote_program):
        made_of = [leaf for leaf in leaves(program) if not isinstance(leaf, Rate)]
        match made_of:
            case [Feed(address=address)] if address in priced:
                priced[address].add(book.symbol(int(book.quote_asset[q])))
    wanted = name.casefold()
    # Every one of an asset's feeds is as much its feed as the others.
    meant = {
        feed: (next((one for one in found if one.casefold() == wanted), min(found, default="")),)
        for feed, found in priced.items()
    }
    return _one(name, meant, "feed")


def _one(name: str, labels: Mapping[Address, Sequence[str]], what: str) -> Address:
    """By address, then by each kind of label in turn, the best known first."""
    if name in labels:
        return name
    if not labels:
        raise UsageError(f"no {what} called {name!r} is indexed: there is no {what} at this block")
    wanted = name.casefold()
    prefix = wanted.startswith("0x") and len(wanted) >= MIN_PREFIX
    found = [address for address in labels if prefix and address.casefold().startswith(wanted)]
    for rank in range(max(map(len, labels.values()))):
        found = found or [
            address for address, known in labels.items() if _parts(known[rank]) == _parts(name)
        ]
    if not found:
        offered = {label for known in labels.values() for label in known} - {""} or set(labels)
        raise UsageError(f"no {what} called {name!r} is indexed: {nearest(name, offered)}")
    if len(found) > 1:
        more = [f"{len(found) - _LISTED} more"] if len(found) > _LISTED else []
        offered_ones = listed([*found[:_LISTED], *more])
        raise UsageError(f"{name!r} is {len(found)} {what}s: name one of {offered_ones}")
    return found[0]


def _parts(label: str) -> tuple[list[str], str]:
    """A pool's tokens in no order, as "WETH/USDC 0.05%" is "USDC/WETH 0.05%", and what follows."""
    tokens, _, rest = label.casefold().partition(" ")
    return sorted(tokens.split("/")), rest
