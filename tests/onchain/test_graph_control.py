"""The control: where nothing was planted, nothing stands out and nothing is unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from defirisk.contagion.failure.settle import fail
from defirisk.contagion.valuation import UNMOVED
from defirisk.core.book import Book
from defirisk.graph.build import compose
from defirisk.graph.failure.subjects import subjects
from defirisk.graph.measures import measures
from defirisk.store.database import open_store
from defirisk.store.frames import load_book
from defirisk.store.snapshots import market_deployments, stored_block
from tests.demo import CHAIN_ID

pytestmark = pytest.mark.onchain

CONTROL = "compound-v2-devnet"
"""A market of the shared chain that has none of what was planted on it: its only collateral are
plain tokens, each with a feed of its own, and nobody loops there.
"""


@pytest.fixture(scope="module")
def control(demo_database: Path) -> Book:
    store = open_store(f"sqlite:///{demo_database}", create=False)
    try:
        with store.transaction() as connection:
            block = stored_block(connection, CHAIN_ID, None)
            return load_book(connection, market_deployments(connection, (CONTROL,)), block)
    finally:
        store.close()


@pytest.mark.parametrize("name", sorted(measures()))
def test_nothing_stands_out(control: Book, name: str) -> None:
    measure = measures()[name]
    values = measure.compute(compose(control))
    assert [node for node, value in values.items() if measure.is_finding(value)] == []


def test_nothing_is_unknown(control: Book) -> None:
    made = compose(control)
    assert not control.unpriced.any()
    kinds = ("market", "protocol", "owner", "asset")
    assert [
        one.label for one in made.graph.nodes if one.kind in kinds and one.value_usd is None
    ] == []
    found = fail(control, [UNMOVED, *(one.scenario for one in subjects(made))])
    assert (found.unknown == 0).all()
    assert found.converged.all()
