"""Builds the graph of a book: every deployment of a chain, and where its prices come from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from defirisk.core.book import Book
from defirisk.core.holdings import Side
from defirisk.core.sources import Link
from defirisk.graph import ids
from defirisk.graph.allocations import placed
from defirisk.graph.claims import Claims
from defirisk.graph.model import Edge, EdgeKind, Graph, Node, NodeKind
from defirisk.graph.names import feed_labels, pair_label, token_label
from defirisk.graph.owners import SHARE, Owners, owners
from defirisk.graph.patterns import Loop, loops, shared
from defirisk.graph.standing import Positions, Row, positions, rows
from defirisk.graph.venues import depths

_SIDES: dict[int, EdgeKind] = {
    Side.COLLATERAL: "collateral",
    Side.SUPPLY: "holds",
    Side.DEBT: "debt",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """A book's graph, and what it was made of: what measures compute on.

    `depths` are those of `venues.depths` by pool, `shared` what owners owe in several deployments.
    """

    book: Book
    rows: tuple[Row, ...]
    claims: Claims
    held: Positions
    owners: Owners
    loops: tuple[Loop, ...]
    shared: dict[int, float]
    depths: dict[str, dict[str, float]]
    graph: Graph


class _Parts:
    """Nodes and edges while they are gathered; what is unknown adds nothing to what is known."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.edges: dict[tuple[str, str, EdgeKind], float] = {}
        self.rates: dict[tuple[str, str, EdgeKind], float] = {}

    def node(self, id: str, kind: NodeKind, label: str, value: float) -> None:
        self.nodes.setdefault(id, Node(id=id, kind=kind, label=label, value_usd=_known(value)))

    def edge(self, source: str, target: str, kind: EdgeKind, value: float) -> None:
        key = (source, target, kind)
        before = self.edges.get(key, math.nan)
        unknown = math.isnan(before) or math.isnan(value)
        self.edges[key] = (value if math.isnan(before) else before) if unknown else before + value

    def graph(self) -> Graph:
        edges = (
            Edge(
                source=key[0],
                target=key[1],
                kind=key[2],
                value_usd=_known(value),
                rate=_known(self.rates.get(key, math.nan)),
            )
            for key, value in self.edges.items()
        )
        return Graph(nodes=tuple(self.nodes.values()), edges=tuple(edges))


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def compose(book: Book, share: float = SHARE) -> Composition:
    """The graph of a book and its parts; `share` as in `owners.SHARE`."""
    found, claims = rows(book), Claims(book)
    held, looped = positions(book, found), loops(book, claims)
    borrowers = shared(found, held)
    apart = {loop.owner for loop in looped} | set(borrowers)
    people = owners(book, found, held, apart, share)
    deep = {address: depths(pool, claims) for address, pool in book.sources.venues.items()}
    parts = _Parts()
    _add_protocols(parts, book, found, deep)
    _add_assets(parts, book, found, claims)
    _add_sources(parts, book, found)
    _add_vaults(parts, book, found, claims)
    for node in people.nodes:
        parts.nodes.setdefault(node.id, node)
    _add_positions(parts, found, held, people)
    return Composition(
        book=book,
        rows=found,
        claims=claims,
        held=held,
        owners=people,
        loops=looped,
        shared=borrowers,
        depths=deep,
        graph=parts.graph(),
    )


def build(book: Book, share: float = SHARE) -> Graph:
    """The graph alone."""
    return compose(book, share).graph


def _add_protocols(
    parts: _Parts, book: Book, found: tuple[Row, ...], deep: dict[str, dict[str, float]]
) -> None:
    totals: dict[str, float] = {one.name: 0.0 for one in book.deployments}
    for row in found:
        name = book.deployments[row.facts.deployment].name
        totals[name] += 0.0 if math.isnan(row.supplied_usd) else row.supplied_usd
    deepest = {address: max(_finite(depth), default=math.nan) for address, depth in deep.items()}
    for address, pool in book.sources.venues.items():
        value = deepest[address]
        totals[pool.deployment] = totals.get(pool.deployment, 0.0)
        totals[pool.deployment] += 0.0 if math.isnan(value) else value
    for name, value in totals.items():
        parts.node(ids.protocol(name), "protocol", name, value)
    for row in found:
        name = book.deployments[row.facts.deployment].name
        parts.node(row.id, "market", row.label, row.supplied_usd)
        parts.edge(ids.protocol(name), row.id, "contains", row.supplied_usd)
    for address, pool in book.sources.venues.items():
        label = f"{pair_label(book, pool)} on {pool.deployment}"
        parts.node(ids.venue(address), "venue", label, deepest[address])
        parts.edge(ids.protocol(pool.deployment), ids.venue(address), "contains", deepest[address])
        for token, depth in deep[address].items():
            parts.edge(ids.venue(address), ids.asset(token), "trades", depth)


def _finite(found: dict[str, float]) -> list[float]:
    return [value for value in found.values() if not math.isnan(value)]


def _add_assets(parts: _Parts, book: Book, found: tuple[Row, ...], claims: Claims) -> None:
    held: dict[str, float] = {}
    for row in found:
        address = book.assets[row.facts.asset].address
        value = 0.0 if math.isnan(row.supplied_usd) else row.supplied_usd
        held[address] = held.get(address, 0.0) + value
        parts.edge(row.id, ids.asset(address), "lists", row.supplied_usd)
    tokens = [asset.address for asset in book.assets]
    tokens += book.sources.claims
    tokens += [base for made_of in claims.direct.values() for base in made_of]
    tokens += [token for pool in book.sources.venues.values() for token in pool.tokens]
    for token in dict.fromkeys(tokens):
        unpriced = math.isnan(claims.prices.get(token, 0.0))
        value = math.nan if unpriced else held.get(token, 0.0)
        parts.node(ids.asset(token), "asset", token_label(book, token), value)
    for token, made_of in claims.followed.items():
        claim = book.sources.claims.get(token)
        worth = held.get(token, 0.0) if claim is None else claims.worth(claim)
        for base, weight in made_of.items():
            source, target = ids.asset(token), ids.asset(base)
            parts.edge(source, target, "wraps", worth * weight)
            if claim is not None and claim.rate is not None:
                parts.rates[source, target, "wraps"] = float(claim.rate)


def _add_sources(parts: _Parts, book: Book, found: tuple[Row, ...]) -> None:
    labels = feed_labels(book, found)
    standing: dict[str, float] = {}
    for row in found:
        for address in row.contracts():
            standing[address] = standing.get(address, 0.0) + row.standing_usd
    for address, value in standing.items():
        if ids.source(book, address) not in parts.nodes:
            parts.node(ids.source(book, address), "oracle", labels[address], value)
    for row in found:
        chained = {one.address for one in row.chain.all()}
        direct = [row.chain.address] if row.chain.address else []
        for address in [*direct, *(one for one in row.read if one not in chained)]:
            parts.edge(ids.source(book, address), row.id, "prices", row.standing_usd)
        for inner, outer in dict.fromkeys(_asked(row.chain)):
            source, target = ids.source(book, inner), ids.source(book, outer)
            parts.edge(source, target, "sources", row.standing_usd)


def _asked(link: Link) -> Iterator[tuple[str, str]]:
    """Every contract and the one that asks it."""
    for inner in link.made_of:
        yield inner.address, link.address
        yield from _asked(inner)


def _add_vaults(parts: _Parts, book: Book, found: tuple[Row, ...], claims: Claims) -> None:
    for token, claim in book.sources.claims.items():
        if claim.kind != "vault":
            continue
        worth, vault = claims.worth(claim), ids.vault(token)
        parts.node(vault, "vault", f"vault {token_label(book, token)}", worth)
        parts.edge(vault, ids.asset(token), "issues", worth)
        lent = 0.0
        for one in placed(claim, found, claims):
            lent += one.value_usd
            if one.row is not None:
                parts.edge(vault, one.row.id, "allocates", one.value_usd)
        if claim.underlying:
            parts.edge(vault, ids.asset(claim.underlying), "holds", max(worth - lent, 0.0))


def _add_positions(parts: _Parts, found: tuple[Row, ...], held: Positions, people: Owners) -> None:
    columns = (held.owner.tolist(), held.row.tolist(), held.side.tolist(), held.value.tolist())
    for owner, row, side, value in zip(*columns, strict=True):
        source, target = people.node_of[owner], found[row].id
        # What a vault has lent is known from the vault itself.
        if (source, target, "allocates") not in parts.edges:
            parts.edge(source, target, _SIDES[side], value)
