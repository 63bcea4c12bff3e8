"""The vocabulary of the graph: typed nodes and edges, weighted by dollars.

A value is None where a price is unknown: an unknown weight is never a number. Texts are what
contracts of strangers say of themselves: to be escaped where they are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NodeKind = Literal["protocol", "market", "asset", "oracle", "venue", "vault", "owner"]
EdgeKind = Literal[
    "contains",  # protocol -> market or venue: what was deposited, or the depth
    "lists",  # market -> asset: what was deposited
    "holds",  # owner -> market: supply that backs nothing; vault -> asset: what is not lent on
    "collateral",  # owner -> market
    "debt",  # owner -> market
    "prices",  # oracle, venue or asset (its rate) -> market: collateral and debt that stand on it
    "sources",  # what an oracle asks -> oracle: what stands on the answer
    "issues",  # vault -> asset: its shares
    "wraps",  # asset -> what it is a claim on: worth of the claim, and whole tokens per token
    "allocates",  # vault -> market
    "trades",  # venue -> asset: what can be sold of it for a fall of the price of 2 %
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One thing. `value_usd`: what was deposited in a protocol or market, what is held of an asset
    in all markets, what stands on an oracle, the depth of a venue, the assets of a vault, what an
    owner has deposited. `members` are the accounts of a cluster of owners, else nothing.
    """

    id: str
    kind: NodeKind
    label: str
    value_usd: float | None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One relation between two nodes, by their ids. `rate` is of `wraps` only."""

    source: str
    target: str
    kind: EdgeKind
    value_usd: float | None
    rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Nodes by kind and edges in the order of the book; at most one edge per pair and kind."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
