"""Ways to sell one token for another, and which of them pays most."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from tests.devnet.chain import Tx

from .fork import Outcome
from .pools import Pool

Ask = Callable[[Sequence[Tx]], list[Outcome]]
"""Puts questions to the contracts as they are at some moment."""


@dataclass(frozen=True)
class Hop:
    """One pool of a route."""

    pool: Pool
    sold: str
    bought: str


Route = tuple[Hop, ...]


@dataclass(frozen=True)
class Offer:
    """What a route would pay: the amount that each of its pools takes, and what comes out."""

    route: Route
    amounts: tuple[int, ...]
    received: int

    def swaps(self) -> list[Tx]:
        """The keeper's transactions, in order."""
        return [
            hop.pool.swap(hop.sold, hop.bought, amount)
            for hop, amount in zip(self.route, self.amounts, strict=True)
        ]

    @property
    def venues(self) -> tuple[str, ...]:
        """The pools' addresses."""
        return tuple(hop.pool.venue.address for hop in self.route)


@dataclass(frozen=True)
class Sale:
    """A wish to sell."""

    sold: str
    bought: str
    amount: int


def routes(pools: Mapping[str, Pool], sold: str, bought: str) -> list[Route]:
    """Through one pool, then through two, each in the order of the pools."""
    every = list(pools.values())
    found: list[Route] = [
        (Hop(pool, sold, bought),) for pool in every if {sold, bought} <= set(pool.venue.tokens)
    ]
    for first, second in product(every, every):
        if first is second or sold not in first.venue.tokens or bought not in second.venue.tokens:
            continue
        shared = [token for token in first.venue.tokens if token in second.venue.tokens]
        found += [
            (Hop(first, sold, middle), Hop(second, middle, bought))
            for middle in shared
            if middle not in (sold, bought)
        ]
    return found


def best_offers(pools: Mapping[str, Pool], sales: Sequence[Sale], ask: Ask) -> list[Offer | None]:
    """For each sale alone, the offer that pays most, of equal ones the first; None: no route."""
    open_offers = [
        (place, Offer(route, (), sale.amount))
        for place, sale in enumerate(sales)
        for route in routes(pools, sale.sold, sale.bought)
    ]
    paid: list[list[Offer]] = [[] for _ in sales]
    while open_offers:
        hops = [offer.route[len(offer.amounts)] for _, offer in open_offers]
        said = ask(
            [
                hop.pool.quote(hop.sold, hop.bought, offer.received)
                for hop, (_, offer) in zip(hops, open_offers, strict=True)
            ]
        )
        going: list[tuple[int, Offer]] = []
        for (place, offer), hop, outcome in zip(open_offers, hops, said, strict=True):
            amounts = (*offer.amounts, offer.received)
            further = Offer(offer.route, amounts, hop.pool.received(outcome))
            if len(amounts) == len(offer.route):
                paid[place].append(further)
            else:
                going.append((place, further))
        open_offers = going
    return [_best(pools, sale, offers) for sale, offers in zip(sales, paid, strict=True)]


def _best(pools: Mapping[str, Pool], sale: Sale, offers: Sequence[Offer]) -> Offer | None:
    """`max` keeps the first of equal ones; offers come in rounds, so their order is restored."""
    order = {_key(route): at for at, route in enumerate(routes(pools, sale.sold, sale.bought))}
    ranked = sorted(offers, key=lambda offer: order[_key(offer.route)])
    return max(ranked, key=lambda offer: offer.received, default=None)


def _key(route: Route) -> tuple[tuple[str, str, str], ...]:
    return tuple((hop.pool.venue.address, hop.sold, hop.bought) for hop in route)
