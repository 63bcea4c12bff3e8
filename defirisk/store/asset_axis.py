"""The assets of a book, still exact: what each wraps or follows, and what it is worth at market.

Nobody states market prices; they are taken from where an asset is known best. A feed that people
keep up to date stands first, then what pools pay, then what a wrapped token is a claim on, and last
a price that somebody wrote into a contract. A pool says nothing of a token by the price of another
one that is itself read there: that would go round in a circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.book import Asset
from defirisk.core.claim import Claim
from defirisk.core.errors import CheckFailed
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.core.holdings import Holdings, Quote
from defirisk.core.quote import (
    Constant,
    Feed,
    Leaf,
    Market,
    Program,
    Spot,
    anchored,
    exact,
    leaves,
    rate_value,
    rebuilt,
)
from defirisk.core.venue import Venue

DEPTH_MOVE = Fraction(98, 100)
"""Of several pools, the one that pays most for a fall of the price to this part of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetAxis:
    """Assets in the order of the axis, and their market prices in USD; None where unknown."""

    assets: tuple[Asset, ...]
    prices: tuple[Fraction | None, ...]


def asset_axis(
    quotes: Sequence[Quote], snapshots: Sequence[Snapshot], virtual: Set[Address] = frozenset()
) -> AssetAxis:
    """Every asset that is quoted, and all that it is a claim on.

    `virtual` are entries in books: what a pool of them pays is no market price.
    """
    claims = {a: c for snap in snapshots for a, c in snap.claims.items()}
    venues = {a: v for snap in snapshots for a, v in snap.venues.items()}
    addresses = list(dict.fromkeys(_with_wrapped((q.asset for q in quotes), claims)))
    real = [venue for venue in venues.values() if virtual.isdisjoint(venue.tokens)]
    prices = _prices(quotes, addresses, claims, real)
    assets = _named(addresses, snapshots, claims)
    moving = {quote.asset for quote in quotes if not isinstance(quote.program, Constant)}
    return AssetAxis(
        assets=tuple(
            replace(
                asset,
                program=_program(claims.get(asset.address), prices),
                virtual=asset.address in virtual,
                unit=asset.address in virtual - moving,
            )
            for asset in assets
        ),
        prices=tuple(prices.get(address) for address in addresses),
    )


def virtual_assets(parts: Sequence[Holdings]) -> set[Address]:
    """Assets that are entries in books, for every deployment that quotes them."""
    real = {q.asset for part in parts for q in part.quotes if q.asset not in part.virtual}
    return {asset for part in parts for asset in part.virtual} - real


def _with_wrapped(addresses: Iterable[Address], claims: Mapping[Address, Claim]) -> Iterator[str]:
    pending, seen = list(addresses), set()
    while pending:
        address = pending.pop(0)
        if address in seen:
            continue
        seen.add(address)
        yield address
        if address in claims:
            pending += wrapped(claims[address])


def wrapped(claim: Claim) -> list[Address]:
    """The tokens that a claim is worth something of."""
    return [leaf.asset for leaf in leaves(claim.program) if isinstance(leaf, Market)]


def _prices(
    quotes: Sequence[Quote],
    addresses: Sequence[Address],
    claims: Mapping[Address, Claim],
    venues: Sequence[Venue],
) -> dict[Address, Fraction]:
    prices: dict[Address, Fraction] = {}
    read_in: dict[Address, frozenset[Address]] = {}
    for kept_up in (True, False):
        for quote in quotes:
            price = _oracle_price(quote)
            if price is not None and _kept_up(quote.program) is kept_up:
                if quote.asset not in prices:
                    read_in[quote.asset] = _pools_read(quote.program)
                prices.setdefault(quote.asset, price)
        if kept_up:
            # Pools and claims know more than a price that was written down once, but each may
            # need another's price first.
            for _ in addresses:
                before = len(prices)
                _add_pool_prices(prices, addresses, venues, read_in)
                _add_claim_prices(prices, addresses, claims)
                if len(prices) == before:
                    break
    _add_claim_prices(prices, addresses, claims)
    return prices


def _oracle_price(quote: Quote) -> Fraction | None:
    value, rate = exact(quote.program), rate_value(quote.program)
    return None if value is None or rate == 0 else value / rate


def _kept_up(program: Program) -> bool:
    return any(isinstance(leaf, Feed | Spot) for leaf in leaves(program))


def _pools_read(program: Program) -> frozenset[Address]:
    return frozenset(leaf.venue for leaf in leaves(program) if isinstance(leaf, Spot))


def _add_pool_prices(
    prices: dict[Address, Fraction],
    addresses: Sequence[Address],
    venues: Sequence[Venue],
    read_in: Mapping[Address, frozenset[Address]],
) -> None:
    for address in addresses:
        if address not in prices:
            offers: list[tuple[Fraction, Fraction]] = []
            for venue in venues:
                known = {a: p for a, p in prices.items() if venue.address not in read_in.get(a, ())}
                offers += _offers(venue, address, known)
            if offers:
                prices[address] = max(offers)[1]


def _offers(
    venue: Venue, asset: Address, prices: Mapping[Address, Fraction]
) -> Iterator[tuple[Fraction, Fraction]]:
    """What the pool pays in USD for a fall to `DEPTH_MOVE`, and its price of a whole token."""
    if asset not in venue.tokens:
        return
    i = venue.tokens.index(asset)
    for j, other in enumerate(venue.tokens):
        if j != i and other in prices:
            try:
                raw = venue.pool.price(i, j)
            except CheckFailed:  # the pool is empty
                continue
            sale = venue.pool.sell_until(i, j, raw * DEPTH_MOVE)
            if sale.received:
                paid = Fraction(sale.received, 10 ** venue.decimals[j]) * prices[other]
                whole = raw * Fraction(10 ** venue.decimals[i], 10 ** venue.decimals[j])
                yield paid, whole * prices[other]


def _add_claim_prices(
    prices: dict[Address, Fraction], addresses: Sequence[Address], claims: Mapping[Address, Claim]
) -> None:
    for address in addresses:
        if address in claims and address not in prices:
            value = exact(at_prices(claims[address].program, prices))
            if value is not None:
                prices[address] = value


def at_prices(program: Program, prices: Mapping[Address, Fraction]) -> Program:
    """The program with these market prices in its `Market` leaves."""

    def priced(leaf: Leaf) -> Leaf:
        return Market(leaf.asset, prices.get(leaf.asset)) if isinstance(leaf, Market) else leaf

    return rebuilt(program, priced)


def _program(claim: Claim | None, prices: Mapping[Address, Fraction]) -> Program | None:
    """What moves the asset's market price besides its own shocks; today it is the price."""
    if claim is None or claim.token not in prices:
        return None
    return anchored(at_prices(claim.program, prices), prices[claim.token])


def _named(
    addresses: Sequence[Address], snapshots: Sequence[Snapshot], claims: Mapping[Address, Claim]
) -> list[Asset]:
    """Symbols are the tokens' own; what follows what is said by deployments or by claims."""
    tokens = {a: t for snap in snapshots for a, t in snap.tokens.items()}
    symbols = {a: tokens[a].symbol if a in tokens else _short(a) for a in addresses}
    links = {
        who.casefold(): whom.casefold()
        for snap in snapshots
        for who, whom in snap.deployment.follows.items()
    }
    links |= {a: claim.underlying for a, claim in claims.items() if claim.underlying}
    place = {symbols[a].casefold(): i for i, a in enumerate(addresses)}
    place |= {address: i for i, address in enumerate(addresses)}
    axis = []
    for address in addresses:
        link = links.get(address) or links.get(symbols[address].casefold())
        follows = place.get(link) if link else None
        axis.append(Asset(address=address, symbol=symbols[address], follows=follows))
    return axis


def _short(address: Address) -> str:
    """What is no address (an asset of an imported file) is its own name."""
    is_address = len(address) == len(ZERO_ADDRESS) and address.startswith("0x")
    return f"{address[:6]}…{address[-4:]}" if is_address else address
