"""The picture of a graph: the nodes that matter, placed so that what belongs together is near."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import get_args

from defirisk.graph.model import Edge, Graph, Node, NodeKind
from defirisk.reports.model import Dot, Line, Network

KINDS: tuple[NodeKind, ...] = get_args(NodeKind)
MOST = 24
"""Nodes of one kind that are drawn beside those that stand out: a picture of all is a ball."""
MOST_DOTS = 1000
MOST_LINES = 4000
"""What a page holds beside what is drawn at once: a reader finds it by name."""

Place = tuple[float, float]
Facts = Mapping[str, Sequence[tuple[str, str]]]


def network(
    graph: Graph, marked: Collection[str], facts: Facts, title: str = "Who stands on what"
) -> Network:
    """The largest nodes of each kind and those in `marked` are drawn; the others are there to be
    looked for. `facts` are the measures of a node, by its id: (title, value) as text.
    """
    major = _major(graph, marked)
    kept = {node.id: node for node in [*major.values(), *_largest(graph, MOST_DOTS)]}
    edges = [one for one in graph.edges if one.source in kept and one.target in kept]
    places = _places(major, kept, edges)
    ties = Counter(end for edge in graph.edges for end in (edge.source, edge.target))
    dots = tuple(
        Dot(
            id=node.id,
            kind=node.kind,
            label=node.label,
            x=places[node.id][0],
            y=places[node.id][1],
            value_usd=node.value_usd,
            ties=ties[node.id],
            facts=tuple(facts.get(node.id, ())),
            marked=node.id in marked,
            minor=node.id not in major,
        )
        for kind in KINDS
        for node in kept.values()
        if node.kind == kind
    )
    return Network(
        name="graph",
        title=title,
        dots=dots,
        lines=_lines(edges, major),
        note=_note(len(major), len(graph.nodes)),
    )


def _note(drawn: int, known: int) -> str:
    read = "Choose one to read what it is tied to."
    if drawn == known:
        return f"Those that stand out have a ring. {read}"
    return (
        f"{drawn} of {known} nodes are drawn at first: the largest of each kind, and those that "
        f"stand out, which have a ring. {read}"
    )


def _largest(graph: Graph, most: int) -> list[Node]:
    return sorted(graph.nodes, key=lambda node: -(node.value_usd or 0.0))[:most]


def _major(graph: Graph, marked: Collection[str]) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for kind in KINDS:
        own = [node for node in graph.nodes if node.kind == kind]
        largest = sorted(own, key=lambda node: -(node.value_usd or 0.0))[:MOST]
        found |= {node.id: node for node in [*largest, *(n for n in own if n.id in marked)]}
    return found


def _lines(edges: Sequence[Edge], major: Collection[str]) -> tuple[Line, ...]:
    """Those between what is drawn, and then the largest."""
    between = [one for one in edges if one.source in major and one.target in major]
    others = [one for one in edges if one.source not in major or one.target not in major]
    others.sort(key=lambda edge: -(edge.value_usd or 0.0))
    return tuple(
        Line(source=edge.source, target=edge.target, kind=edge.kind, value_usd=edge.value_usd)
        for edge in [*between, *others[:MOST_LINES]]
    )


def _places(
    major: Collection[str], kept: Collection[str], edges: Sequence[Edge]
) -> dict[str, Place]:
    """By springs the largest part that hangs together; all else in the middle of what it is tied
    to, and in a row below where that is nothing.
    """
    found = _springs([one for one in edges if one.source in major and one.target in major])
    while near := _near(found, edges):
        found |= near
    apart = [node for node in kept if node not in found]
    below = max((y for _, y in found.values()), default=0.0) + 0.2
    for place, node in enumerate(apart):
        found[node] = _rounded(2 * (place + 1) / (len(apart) + 1) - 1, below)
    return found


def _near(found: Mapping[str, Place], edges: Sequence[Edge]) -> dict[str, Place]:
    """A place for each node that is tied to some which have one, and has none."""
    around: dict[str, list[Place]] = {}
    for edge in edges:
        for end, other in ((edge.source, edge.target), (edge.target, edge.source)):
            if end not in found and other in found:
                around.setdefault(end, []).append(found[other])
    return {node: _beside(near, number) for number, (node, near) in enumerate(around.items())}


def _beside(near: Sequence[Place], number: int) -> Place:
    """The middle, and a little aside: nodes that are tied to the same would hide each other."""
    aside = 0.02 * math.sqrt(number + 1)
    x = sum(x for x, _ in near) / len(near) + aside * math.cos(2.4 * number)
    y = sum(y for _, y in near) / len(near) + aside * math.sin(2.4 * number)
    return _rounded(x, y)


def _springs(edges: Sequence[Edge]) -> dict[str, Place]:
    """Dollars are no measure here: a whale is not nearer."""
    import networkx as nx

    drawn = nx.Graph((edge.source, edge.target) for edge in edges)
    if not drawn:
        return {}
    whole = drawn.subgraph(max(nx.connected_components(drawn), key=len))
    # Sorted, since the order of a set of texts changes from one run to the next.
    drawn = nx.Graph()
    drawn.add_nodes_from(sorted(whole))
    drawn.add_edges_from(sorted(tuple(sorted(pair)) for pair in whole.edges))
    found = nx.kamada_kawai_layout(drawn)
    return {node: _rounded(float(x), float(y)) for node, (x, y) in found.items()}


def _rounded(x: float, y: float) -> Place:
    return round(x, 4), round(y, 4)
