"""The graph in every format: the contract of its JSON, and names that do nothing."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from defirisk.core.book import Book
from defirisk.graph.build import compose
from defirisk.graph.measures import measures
from defirisk.reports.graph import graphml, report
from defirisk.reports.model import Network, Report
from defirisk.reports.network import MOST, MOST_DOTS
from defirisk.reports.render import FORMATS, render
from tests import books
from tests.command import CommandLine
from tests.unit.graph import composed
from tests.unit.reports.sample import RUN

NASTY = "</script><img src=//evil.example/x onerror=alert(1)>\x1b[31m\u202e"
EVERY = list(measures().values())


def printed(made: Book, format_: str) -> str:
    return render(report(compose(made), EVERY, run=RUN), format_)


@pytest.fixture(scope="module")
def database(demo_database: Path) -> str:
    return f"sqlite:///{demo_database}"


def test_json_has_the_shape_that_other_programs_rely_on(database: str, cli: CommandLine) -> None:
    ran = cli("graph", "--format", "json", "--db", database)
    assert (ran.code, ran.err) == (0, "")
    said: dict[str, Any] = json.loads(ran.out, parse_constant=pytest.fail)

    assert {"schema_version", "chain_id", "block", "block_hash", "as_of", "command"} <= set(said)
    ids = {node["id"] for node in said["nodes"]}
    assert len(ids) == len(said["nodes"]) > 100
    kinds = {"protocol", "market", "asset", "oracle", "venue", "vault", "owner"}
    assert {node["kind"] for node in said["nodes"]} == kinds
    for node in said["nodes"]:
        assert {"id", "kind", "label", "value_usd"} <= set(node) <= {*node, "members"}
        assert node["label"]
    for edge in said["edges"]:
        assert {"source", "target", "kind", "value_usd"} <= set(edge)
        assert {edge["source"], edge["target"]} <= ids
    assert set(said["measures"]) == set(measures())
    for name, values in said["measures"].items():
        assert set(values) <= ids, name
        assert all(isinstance(value, float | int) for value in values.values()), name


def test_only_the_measures_that_were_asked_for(database: str, cli: CommandLine) -> None:
    ran = cli("graph", "--measure", "loops", "--measure", "hard_coded", "--db", database)
    assert ran.code == 0
    assert "Leverage of loops" in ran.out
    assert "Standing on an oracle" not in ran.out
    assert "loops" in cli.refused("graph", "--measure", "lops", "--db", database)


def test_graphml_is_the_same_graph(database: str, cli: CommandLine) -> None:
    ran = cli("graph", "-o", "graph.graphml", "--db", database)
    assert (ran.code, ran.out) == (0, "")
    drawn = nx.read_graphml(cli.folder / "graph.graphml")
    said = json.loads(cli("graph", "--format", "json", "--db", database).out)

    assert set(drawn) == {node["id"] for node in said["nodes"]}
    assert drawn.number_of_edges() == len(said["edges"])
    assert drawn.graph["block"] == said["block"]
    dollars = {
        (one, other, data["kind"]): data.get("value_usd")
        for one, other, data in drawn.edges(data=True)
    }
    expected = {(e["source"], e["target"], e["kind"]): e["value_usd"] for e in said["edges"]}
    assert dollars == expected


@pytest.mark.parametrize("format_", FORMATS)
def test_a_name_does_nothing(format_: str) -> None:
    text = printed(composed.book(symbols={"WETH": NASTY}), format_)

    assert "evil.example" in text.replace("\\", "")
    assert "\x1b" not in text
    assert "\u202e" not in text
    if format_ == "html":
        assert "<img" not in text
        assert "<script><img" not in text


def test_a_name_does_nothing_in_graphml() -> None:
    made = compose(composed.book(symbols={"WETH": NASTY}))
    text = graphml(made, report(made, EVERY, run=RUN).header)

    drawn = nx.parse_graphml(text)
    assert len(drawn) == len(made.graph.nodes)
    assert "<img" not in text
    assert not {character for character in text if ord(character) < 32} - {"\n"}


def picture(made: Report) -> Network:
    (found,) = (block for block in made.blocks() if isinstance(block, Network))
    return found


def test_the_picture_is_the_graph_with_every_measure_of_a_node() -> None:
    made = compose(composed.book())
    shown = picture(report(made, EVERY, run=RUN))
    dots = {dot.id: dot for dot in shown.dots}
    assert {(dot.id, dot.kind, dot.label, dot.value_usd) for dot in shown.dots} == {
        (node.id, node.kind, node.label, node.value_usd) for node in made.graph.nodes
    }
    assert {(one.source, one.target, one.kind, one.value_usd) for one in shown.lines} == {
        (edge.source, edge.target, edge.kind, edge.value_usd) for edge in made.graph.edges
    }
    assert all(math.isfinite(at) for dot in shown.dots for at in (dot.x, dot.y))
    for dot in shown.dots:
        ties = [one for one in made.graph.edges if dot.id in (one.source, one.target)]
        assert dot.ties == len(ties)
    for measure in EVERY:
        told = {dot.id for dot in shown.dots if measure.title in dict(dot.facts)}
        assert told == set(measure.compute(made)), measure.name
    (looper,) = (dot for dot in dots.values() if dot.label == "looper")
    assert looper.marked
    assert dict(looper.facts)["Leverage of loops"] == "10.000"


def test_the_picture_of_a_large_chain_is_of_what_matters(recorded_book: Book) -> None:
    made = compose(recorded_book)
    shown = picture(report(made, EVERY, run=RUN))
    drawn = [dot for dot in shown.dots if not dot.minor]
    assert 0 < len(drawn) < len(shown.dots) <= MOST_DOTS
    for kind in shown.kinds():
        of_kind = [dot for dot in shown.dots if dot.kind == kind]
        largest = sorted(of_kind, key=lambda dot: -(dot.value_usd or 0.0))[:MOST]
        assert not any(dot.minor for dot in largest)
        assert all(dot.marked for dot in of_kind if not dot.minor and dot not in largest)
    places = {(dot.x, dot.y) for dot in drawn}
    assert len(places) == len(drawn)
    places_known = {dot.id for dot in shown.dots}
    assert all({line.source, line.target} <= places_known for line in shown.lines)


def test_a_book_of_nothing_is_a_graph_of_nothing() -> None:
    for format_ in FORMATS:
        assert printed(books.book([], []), format_)
