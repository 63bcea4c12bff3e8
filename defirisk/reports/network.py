"""The picture of a graph: the nodes that matter, placed so that what belongs together is near."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import get_args

from defirisk.graph.model import Edge, Graph, Node, NodeKind
from defirisk.reports.model import Dot, Dots, Network
from defirisk.reports.value import show

KINDS: tuple[NodeKind, ...] = get_args(NodeKind)
MOST = 24
"""Nodes of one kind that are drawn beside those that stand out: a picture of all is a ball."""
_LINES = 8


def network(graph: Graph, marked: Collection[str]) -> Network:
    """The largest nodes of each kind and those in `marked`, and the edges between them."""
    shown = _shown(graph, marked)
    edges = [one for one in graph.edges if one.source in shown and one.target in shown]
    places = _places(edges)
    shown = {id: node for id, node in shown.items() if id in places}
    edges = [one for one in edges if one.source in places]
    labels = {node.id: node.label for node in graph.nodes}
    around: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        around.setdefault(edge.source, []).append(edge)
        around.setdefault(edge.target, []).append(edge)
    groups = []
    for kind in KINDS:
        own = [node for node in shown.values() if node.kind == kind]
        dots = tuple(
            Dot(
                label=node.label,
                x=places[node.id][0],
                y=places[node.id][1],
                size=_size(node.value_usd),
                details=_details(node, around.get(node.id, []), labels),
            )
            for node in own
        )
        lines = tuple(
            (places[one.source], places[one.target])
            for one in edges
            if shown[one.source].kind == kind
        )
        if dots:
            groups.append(Dots(name=kind, dots=dots, lines=lines))
    return Network(
        name="graph",
        title="Who stands on what",
        groups=tuple(groups),
        note=f"{len(shown)} of {len(graph.nodes)} nodes: the largest of each kind, and those that "
        "stand out. Click a kind to hide it, a node to read what it is tied to.",
    )


def _shown(graph: Graph, marked: Collection[str]) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for kind in KINDS:
        own = [node for node in graph.nodes if node.kind == kind]
        largest = sorted(own, key=lambda node: -(node.value_usd or 0.0))[:MOST]
        found |= {node.id: node for node in [*largest, *(n for n in own if n.id in marked)]}
    return found


def _places(edges: list[Edge]) -> dict[str, tuple[float, float]]:
    """Of the largest part that hangs together, by springs: what is apart would fly off. Dollars are
    no measure here: a whale is not nearer.
    """
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
    return {node: (round(float(x), 4), round(float(y), 4)) for node, (x, y) in found.items()}


def _size(value: float | None) -> float:
    """Pixels: a thousand times the dollars are thrice the width."""
    return 7.0 if not value else min(max(7.0, 2.2 * math.log10(value) + 1), 20.0)


def _details(node: Node, edges: list[Edge], labels: Mapping[str, str]) -> tuple[str, ...]:
    """What the node is, and its largest edges."""
    largest = sorted(edges, key=lambda edge: -(edge.value_usd or 0.0))
    lines = [f"{node.kind}: {show(node.value_usd, 'usd')}"]
    for edge in largest[:_LINES]:
        said = f"{edge.kind} {show(edge.value_usd, 'usd')}"
        if edge.source == node.id:
            lines.append(f"to {labels[edge.target]}: {said}")
        else:
            lines.append(f"from {labels[edge.source]}: {said}")
    if len(largest) > _LINES:
        lines.append(f"and {len(largest) - _LINES} more")
    return tuple(lines)
