"""Which prices a name means: a feed or an asset."""

from __future__ import annotations

from collections.abc import Sequence

from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.plugins import nearest
from defirisk.manipulation.lending import listings
from defirisk.manipulation.quoted import Quoted, quoted
from defirisk.reports.subject import MIN_PREFIX


def chosen(book: Book, names: Sequence[str]) -> tuple[Quoted, ...]:
    """All prices of what is named, each once; every price where nothing is named.

    An asset is named by its symbol or address, a feed by its address or the beginning of it; a
    feed that is behind others means those, too. Errors: `UsageError` where a name means nothing.
    """
    every = quoted(book, [one for some in listings(book).values() for one in some])
    if not names:
        return every
    return tuple(dict.fromkeys(one for name in names for one in _named(book, every, name)))


def _named(book: Book, every: Sequence[Quoted], name: str) -> list[Quoted]:
    wanted = name.casefold()
    prefix = wanted.startswith("0x") and len(wanted) >= MIN_PREFIX
    found = []
    for one in every:
        asset = book.assets[one.asset]
        addresses = (asset.address, one.feed, *one.sources)
        if asset.symbol.casefold() == wanted or any(
            address.casefold() == wanted or (prefix and address.casefold().startswith(wanted))
            for address in addresses
        ):
            found.append(one)
    if not found:
        symbols = {book.assets[one.asset].symbol for one in every}
        known = {one.feed for one in every} if wanted.startswith("0x") else symbols
        raise UsageError(f"no price of {name!r} is read by a market: {nearest(name, known)}")
    return found
