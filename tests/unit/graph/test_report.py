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
from defirisk.reports.model import Network
from defirisk.reports.network import MOST
from defirisk.reports.plot import figure
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


def test_the_picture_has_a_trace_of_each_kind_and_text_to_read_on_a_click() -> None:
    made = report(compose(composed.book(symbols={"WETH": NASTY})), EVERY, run=RUN)
    (picture,) = (block for block in made.blocks() if isinstance(block, Network))
    drawn = figure(picture)

    shown = [trace for trace in drawn["data"] if trace["mode"] == "markers"]
    assert [trace["name"] for trace in shown] == [group.name for group in picture.groups]
    for trace in drawn["data"]:
        assert trace["legendgroup"] in {trace["name"] for trace in shown}
    for trace in shown:
        assert len(trace["x"]) == len(trace["text"]) == len(trace["customdata"])
        assert not any("<img" in text for text in trace["text"])
        assert all(math.isfinite(at) for at in (*trace["x"], *trace["y"]))
    (looper,) = (lines for trace in shown for lines in trace["customdata"] if lines[0] == "looper")
    assert any("debt $19.8K" in line for line in looper)


def test_the_picture_of_a_large_chain_is_of_what_matters(recorded_book: Book) -> None:
    made = compose(recorded_book)
    (picture,) = (
        block for block in report(made, EVERY, run=RUN).blocks() if isinstance(block, Network)
    )
    for group in picture.groups:
        assert 0 < len(group.dots) <= 3 * MOST
    assert sum(len(group.dots) for group in picture.groups) < len(made.graph.nodes)


def test_a_book_of_nothing_is_a_graph_of_nothing() -> None:
    for format_ in FORMATS:
        assert printed(books.book([], []), format_)
