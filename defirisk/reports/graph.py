"""The composability graph as a report: what depends on what, and what a reader must hear first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from defirisk.graph.build import Composition
from defirisk.graph.measures import Measure
from defirisk.graph.model import Edge, Node
from defirisk.reports.model import (
    Block,
    Column,
    Header,
    Kind,
    Number,
    Numbers,
    Paragraph,
    Report,
    Run,
    Section,
    Table,
    Value,
    header_of,
)
from defirisk.reports.network import network
from defirisk.reports.value import plural, show

Values = Mapping[str, float]
_KINDS: dict[str, Kind] = {"usd": "usd", "percent": "percent", "ratio": "number", "count": "int"}
_TOP = 12
_TOLD = 5


def report(made: Composition, measures: Sequence[Measure], *, run: Run) -> Report:
    """The graph with these of its measures."""
    values = {measure.name: measure.compute(made) for measure in measures}
    nodes = {node.id: node for node in made.graph.nodes}
    shown = [(measure, _ranked(measure, values[measure.name], made)) for measure in measures]
    findings = _findings(shown, nodes)
    marked = {
        node
        for measure, ranked in shown
        for node, value in [one for one in ranked if measure.is_finding(one[1])][:_TOLD]
    }
    lead: tuple[Block, ...] = (
        Paragraph(_sentence(made, findings)),
        _tiles(made),
        network(made.graph, marked, _facts(measures, values)),
        findings,
    )
    return Report(
        title="Composability",
        header=header_of(made.book, run),
        lead=lead,
        sections=tuple(_section(measure, ranked, nodes) for measure, ranked in shown),
        data=_data(made, values),
        csv="findings",
    )


def _facts(
    measures: Sequence[Measure], values: Mapping[str, Values]
) -> dict[str, list[tuple[str, str]]]:
    """Every measure of a node, by the node's id."""
    found: dict[str, list[tuple[str, str]]] = {}
    for measure in measures:
        for node, value in values[measure.name].items():
            found.setdefault(node, []).append((measure.title, show(value, _KINDS[measure.unit])))
    return found


def _ranked(measure: Measure, values: Values, made: Composition) -> list[tuple[str, float]]:
    """The worst first. What a single oracle asks and nobody else says nothing that this one does
    not: an aggregator stands behind its proxy.
    """
    readers: dict[str, list[Edge]] = {}
    for edge in made.graph.edges:
        readers.setdefault(edge.source, []).append(edge)
    kept = [
        (node, value)
        for node, value in values.items()
        if [edge.kind for edge in readers.get(node, ())] != ["sources"]
        or measure.name not in ("oracle_dependence", "shared_oracles")
    ]
    return sorted(kept, key=lambda one: one[1], reverse=not measure.ascending)


def _findings(
    shown: Sequence[tuple[Measure, list[tuple[str, float]]]], nodes: Mapping[str, Node]
) -> Table:
    rows: list[tuple[Value, ...]] = []
    for measure, ranked in shown:
        told = [(node, value) for node, value in ranked if measure.is_finding(value)]
        for node, value in told[:_TOLD]:
            amount = show(value, _KINDS[measure.unit])
            rows.append((measure.title, nodes[node].label, amount))
        if len(told) > _TOLD:
            rows.append((measure.title, f"{len(told) - _TOLD} more, listed below", None))
    return Table(
        name="findings",
        title="What stands out",
        columns=(
            Column("measure", "What", "prose"),
            Column("node", "Where", "prose"),
            Column("value", "How much", "text", absent=""),
        ),
        rows=tuple(rows),
        empty="nothing stands out",
    )


def _sentence(made: Composition, findings: Table) -> str:
    kinds = [node.kind for node in made.graph.nodes]
    markets, people = kinds.count("market"), len(made.owners.node_of)
    places = {row.facts.deployment for row in made.rows}
    what = f"{plural(people, 'account')} in {plural(markets, 'market')} of "
    told = len(findings.rows)
    return (
        f"{what}{plural(len(places), 'deployment')}, what their prices stand on, and where "
        f"collateral could be sold. {plural(told, 'thing').capitalize()} "
        f"{'stands' if told == 1 else 'stand'} out."
    )


def _tiles(made: Composition) -> Numbers:
    nodes, edges = made.graph.nodes, made.graph.edges
    shared = sum(len(node.members) for node in nodes)
    deposited = sum(node.value_usd or 0.0 for node in nodes if node.kind == "market")
    owed = sum(edge.value_usd or 0.0 for edge in edges if edge.kind == "debt")
    return Numbers(
        (
            Number(key="deposited_usd", label="Deposited", value=deposited, kind="usd"),
            Number(key="owed_usd", label="Owed", value=owed, kind="usd"),
            Number(
                key="nodes",
                label="Nodes",
                value=len(nodes),
                kind="int",
                note=f"{shared:,} small accounts are shown with others alike" if shared else "",
            ),
            Number(key="edges", label="Edges", value=len(edges), kind="int"),
        )
    )


def _section(
    measure: Measure, ranked: list[tuple[str, float]], nodes: Mapping[str, Node]
) -> Section:
    rows = tuple((nodes[node].label, nodes[node].kind, value) for node, value in ranked[:_TOP])
    more = len(ranked) - len(rows)
    table = Table(
        name=measure.name.replace("_", "-"),
        title="",
        columns=(
            Column("node", "Node", "prose"),
            Column("kind", "Kind", "text", detail=True),
            Column("value", "Value", _KINDS[measure.unit]),
        ),
        rows=rows,
        caption=f"{plural(more, 'other')} in the JSON." if more else "",
        empty="none",
    )
    return Section(measure.name.replace("_", "-"), measure.title, (Paragraph(measure.about), table))


def _data(made: Composition, values: Mapping[str, Values]) -> dict[str, Any]:
    return {
        "nodes": [_node(node) for node in made.graph.nodes],
        "edges": [_edge(edge) for edge in made.graph.edges],
        "measures": {name: dict(found) for name, found in values.items()},
    }


def _node(node: Node) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": node.id,
        "kind": node.kind,
        "label": node.label,
        "value_usd": node.value_usd,
    }
    return said | ({"members": list(node.members)} if node.members else {})


def _edge(edge: Edge) -> dict[str, Any]:
    said: dict[str, Any] = {
        "source": edge.source,
        "target": edge.target,
        "kind": edge.kind,
        "value_usd": edge.value_usd,
    }
    return said | ({} if edge.rate is None else {"rate": edge.rate})


def graphml(made: Composition, header: Header) -> str:
    """The graph for Gephi, yEd and networkx; what is unknown is left out."""
    import networkx as nx

    from defirisk.reports import escape

    def clean(text: str) -> str:
        # XML has no way to say a control character: a stranger's name must not break the file.
        return escape.clean(text, escape.DATA_LIMIT)

    drawn = nx.MultiDiGraph(
        chain_id=header.chain_id or 0,
        block=header.block or 0,
        block_hash=header.block_hash or "",
        command=clean(header.run.command),
    )
    for node in made.graph.nodes:
        known = {} if node.value_usd is None else {"value_usd": node.value_usd}
        drawn.add_node(clean(node.id), kind=node.kind, label=clean(node.label), **known)
    for edge in made.graph.edges:
        numbers = {"value_usd": edge.value_usd, "rate": edge.rate}
        known = {name: value for name, value in numbers.items() if value is not None}
        drawn.add_edge(clean(edge.source), clean(edge.target), kind=edge.kind, **known)
    return "\n".join(nx.generate_graphml(drawn)) + "\n"
