"""Kinds of adapters that prices and worth come from: feeds, pools, wrapped tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from defirisk.core.adapter import (
    Adapter,
    Answer,
    Contract,
    FeedWanted,
    Snapshot,
    Token,
    VenueWanted,
)
from defirisk.core.claim import Claim, Share
from defirisk.core.evm import Address
from defirisk.core.venue import Venue


@dataclass(slots=True, kw_only=True)
class Sources:
    """What prices and worth come from on one chain at one block, exact, by address."""

    tokens: Mapping[Address, Token] = field(default_factory=dict)
    venues: dict[Address, Venue] = field(default_factory=dict)
    claims: dict[Address, Claim] = field(default_factory=dict)
    answers: dict[Address, Answer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A contract that a price comes from, and those that it asks in turn.

    `kind` is the adapter of a feed, the kind of a pool or a wrapped token, else "contract".
    """

    address: Address
    kind: str
    made_of: tuple[Link, ...] = ()

    def all(self) -> Iterator[Link]:
        """This one and all behind it, from the outside in."""
        yield self
        for link in self.made_of:
            yield from link.all()


def chain_of_sources(
    found: Sources, source: Address, made_of: Iterable[Address] = (), above: tuple[str, ...] = ()
) -> Link:
    """The chain behind a market's price: `source` is what the market reads, `made_of` what that
    asks where it is no feed itself.
    """
    kind, parts = "contract", tuple(made_of)
    if source in found.answers:
        answer = found.answers[source]
        kind, parts = answer.kind or "feed", answer.made_of
    elif source in found.venues:
        kind = found.venues[source].kind
    elif source in found.claims:
        kind = found.claims[source].kind
    # Feeds are anybody's code: two of them may name each other.
    inner = [part for part in parts if part not in (*above, source)]
    links = (chain_of_sources(found, part, above=(*above, source)) for part in inner)
    return Link(address=source, kind=kind, made_of=tuple(links))


@runtime_checkable
class OracleAdapter(Adapter, Protocol):
    """A kind of price feed. One deployment per chain is made by the indexer."""

    def feed(self, wanted: FeedWanted) -> Contract:
        """The contract under which a wanted feed is watched, until it proves to be another kind."""

    def answers(self, snapshot: Snapshot) -> Mapping[Address, Answer]:
        """The current answer of every feed of this kind, by the address that protocols read.

        Asked again with what other kinds answered, until nothing new is said: a feed that is made
        of another one is left out until that one is in `snapshot.answers`. An answer with a
        program stands before one without.
        """


@runtime_checkable
class HasVenues(Adapter, Protocol):
    """An adapter that knows pools."""

    def venues(self, snapshot: Snapshot) -> Iterable[Venue]:
        """Every pool, with its state in exact integers."""


@runtime_checkable
class VenueAdapter(HasVenues, Protocol):
    """A kind of AMM. Besides deployments with a factory, one per chain is made by the indexer for
    the pools that prices are read from.
    """

    def pool(self, wanted: VenueWanted) -> Contract:
        """The contract under which a wanted pool is watched, until it proves to be another kind."""


@runtime_checkable
class ClaimAdapter(Adapter, Protocol):
    """A protocol that issues tokens which stand for others."""

    def claims(self, snapshot: Snapshot) -> Iterable[Claim]:
        """What one token of each kind is a claim on. `snapshot.venues` is known by then."""


@runtime_checkable
class WrapperAdapter(ClaimAdapter, Protocol):
    """A kind of wrapped token that is known by its own answers, wherever it turns up. One
    deployment per chain is made by the indexer.
    """

    def wrapper(self, token: Address, first_block: int) -> Contract:
        """The contract under which a token is watched, until it proves to be another kind."""


@runtime_checkable
class HoldsShares(Adapter, Protocol):
    """An adapter that knows who holds shares of its vaults or pools."""

    def shares(self, snapshot: Snapshot) -> Iterable[Share]:
        """Every share that is not empty, account by account."""
