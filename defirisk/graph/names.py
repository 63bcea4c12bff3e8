"""What tokens and price sources are called: as they call themselves, to be escaped where shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from defirisk.core.book import Book
from defirisk.core.evm import Address
from defirisk.core.quote import Feed, leaves
from defirisk.core.venue import Venue
from defirisk.graph import ids
from defirisk.graph.standing import Row


def token_label(book: Book, token: Address) -> str:
    """The token's symbol; of one that is not listed anywhere what it wraps, else its address."""
    for asset in book.assets:
        if asset.address == token:
            return asset.symbol
    known = book.sources.tokens.get(token)
    if known is not None and known.symbol:
        return known.symbol
    claim = book.sources.claims.get(token)
    if claim is not None and claim.underlying in book.sources.tokens:
        return f"{claim.kind} of {token_label(book, claim.underlying)} ({ids.short(token)})"
    if claim is not None and token in book.sources.venues:
        return f"share of {pair_label(book, book.sources.venues[token])}"
    return ids.short(token)


def pair_label(book: Book, pool: Venue) -> str:
    """Such as "WETH/USDC"."""
    return "/".join(token_label(book, token) for token in pool.tokens)


def feed_labels(book: Book, rows: Sequence[Row]) -> dict[Address, str]:
    """Kind, what it prices most directly, and address of every contract behind a price."""
    kinds: dict[Address, str] = {}
    markets: dict[Address, str] = {}
    for row in rows:
        if row.chain.address:
            markets.setdefault(row.chain.address, row.label.partition(" in ")[2])
        for link in row.chain.all():
            kinds.setdefault(link.address, link.kind)
        for address in row.read:
            kinds.setdefault(address, "feed")
    priced = _priced_alone(book)
    found = {}
    for address, kind in kinds.items():
        if priced.get(address):
            what = f" of {priced[address].most_common(1)[0][0]}"
        elif kind == "contract" and address in markets:
            what = f" of {markets[address]}"
        else:
            what = ""
        found[address] = f"{kind}{what} ({ids.short(address)})"
    return found


def _priced_alone(book: Book) -> dict[Address, Counter[str]]:
    """The symbols that quotes of a single feed have, by that feed; for feeds that answer the
    whole price of a market, also what that market prices with it.
    """
    found: dict[Address, Counter[str]] = {}
    for asset, program in zip(book.quote_asset, book.quote_program, strict=True):
        feeds = {leaf.address for leaf in leaves(program) if isinstance(leaf, Feed)}
        if len(feeds) == 1:
            found.setdefault(feeds.pop(), Counter())[book.symbol(int(asset))] += 1
    for facts in book.markets:
        if facts.price_source in book.sources.answers:
            found.setdefault(facts.price_source, Counter())[book.symbol(facts.asset)] += 1
    return found
