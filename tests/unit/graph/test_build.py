"""Nodes, edges and their dollars, from a book of which everything is known by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from defirisk.core.book import Book
from defirisk.core.claim import Allocation
from defirisk.graph.build import build, compose
from defirisk.graph.measures import measures
from defirisk.graph.model import Graph
from tests import books
from tests.unit.graph import composed
from tests.unit.graph.composed import FEED, OUTER, POOL, SHARE, USDC, WETH, WRITTEN, E

HERE, THERE = "market:here/main/", "market:there/main/"


def weights(graph: Graph, kind: str) -> dict[tuple[str, str], float | None]:
    return {(e.source, e.target): e.value_usd for e in graph.edges if e.kind == kind}


def test_owners_stand_in_markets_with_their_dollars() -> None:
    graph = build(composed.book())

    assert weights(graph, "debt") == {
        ("owner:looper", HERE + WETH): pytest.approx(9.9 * 2000),
        ("owner:anna", HERE + USDC): 4000,
        ("owner:anna", THERE + USDC): 500,
    }
    collateral = weights(graph, "collateral")
    assert collateral["owner:looper", HERE + SHARE] == 10 * 2200
    assert collateral["owner:anna", THERE + WETH] == 2000
    assert weights(graph, "holds")["owner:bank", HERE + WETH] == 40_000


def test_small_owners_who_are_alike_are_one_node_that_says_how_many() -> None:
    graph = build(composed.book())

    (cluster,) = (node for node in graph.nodes if node.members)
    assert cluster.members == ("one", "two", "three")
    assert cluster.label == "3 owners alike: USDC supply on here"
    assert cluster.value_usd == 3
    assert weights(graph, "holds")[cluster.id, HERE + USDC] == 3
    assert build(composed.book()) == graph
    assert not any(node.members for node in build(composed.book(), share=0).nodes)


def test_a_price_stands_on_all_that_it_is_made_of() -> None:
    graph = build(composed.book())

    anna, looper = 5 * 2000, 9.9 * 2000
    here = pytest.approx(anna + looper)
    assert weights(graph, "prices")[f"oracle:{OUTER}", HERE + WETH] == here
    assert weights(graph, "prices")[f"oracle:{WRITTEN}", HERE + USDC] == 4000
    every = pytest.approx(anna + looper + 2000 + 10 * 2200)
    assert weights(graph, "sources") == {
        (f"oracle:{FEED}", f"oracle:{OUTER}"): every,
        (f"venue:{POOL}", f"oracle:{FEED}"): every,
    }


def test_a_vault_issues_shares_that_are_worth_what_it_holds_and_lends() -> None:
    lent = Allocation(market="main", assets_raw=20 * E)
    graph = build(composed.book(lent))

    vault, share = f"vault:{SHARE}", f"asset:{SHARE}"
    assert weights(graph, "issues") == {(vault, share): 220_000}
    assert weights(graph, "wraps") == {(share, f"asset:{WETH}"): 220_000}
    assert [e.rate for e in graph.edges if e.kind == "wraps"] == [1.1]
    assert weights(graph, "allocates") == {(vault, HERE + WETH): 40_000}
    assert weights(graph, "holds")[vault, f"asset:{WETH}"] == 180_000


def test_a_pool_trades_what_it_takes_for_a_fall_of_two_percent() -> None:
    graph = build(composed.book())

    sold = weights(graph, "trades")
    # x' = x / sqrt(0.98) without a fee, of which 0.3 % is taken.
    whole = 100 * (1 / math.sqrt(0.98) - 1)
    assert sold[f"venue:{POOL}", f"asset:{WETH}"] == pytest.approx(whole * 2000, rel=5e-3)
    assert sold[f"venue:{POOL}", f"asset:{USDC}"] == pytest.approx(whole * 2000, rel=5e-3)


def test_what_has_no_price_has_no_weight_and_no_nan() -> None:
    made = composed.book()
    blind = replace(made, asset_price=np.array([np.nan, 2200, 1]))
    graph = build(blind)

    assert weights(graph, "debt")["owner:looper", HERE + WETH] is None
    nodes = {node.id: node.value_usd for node in graph.nodes}
    assert nodes[HERE + WETH] is None
    assert nodes[f"asset:{WETH}"] is None
    assert nodes[HERE + USDC] == 9003


@given(books.books())
def test_any_book_is_a_graph_without_nan_and_loose_ends(made: Book) -> None:
    found = compose(made)

    ids = [node.id for node in found.graph.nodes]
    assert len(ids) == len(set(ids))
    assert {end for e in found.graph.edges for end in (e.source, e.target)} <= set(ids)
    values = [node.value_usd for node in found.graph.nodes]
    values += [edge.value_usd for edge in found.graph.edges]
    assert all(value is None or math.isfinite(value) for value in values)
    keys = [(e.source, e.target, e.kind) for e in found.graph.edges]
    assert len(keys) == len(set(keys))
    for measure in measures().values():
        said = measure.compute(found)
        assert set(said) <= set(ids), measure.name
        assert not any(math.isnan(value) for value in said.values()), measure.name
