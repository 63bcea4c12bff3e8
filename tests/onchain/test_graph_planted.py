"""Every structure that was planted on the local chain is found in the recording, by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from defirisk.core.book import Book
from defirisk.graph.build import Composition, compose
from defirisk.graph.measures import measures
from tests.devnet.build import DEPLOYMENT

pytestmark = pytest.mark.onchain

LABEL_ID = 10
"""Characters of its id that a Morpho market's label ends with."""


@pytest.fixture(scope="module")
def planted(devnet_path: Path) -> dict[str, Any]:
    """What seed 1 says that it planted; the demo is a recording of the same chain."""
    described = json.loads((devnet_path / DEPLOYMENT).read_text(encoding="utf-8"))
    return dict(described["planted"])


@pytest.fixture(scope="module")
def made(recorded_book: Book) -> Composition:
    return compose(recorded_book)


def measured(made: Composition, name: str) -> dict[str, float]:
    return measures()[name].compute(made)


def findings(made: Composition, name: str) -> set[str]:
    measure = measures()[name]
    return {node for node, value in measured(made, name).items() if measure.is_finding(value)}


def rows_of(made: Composition, market: str) -> set[str]:
    """The nodes of both assets of a Morpho market."""
    return {row.id for row in made.rows if row.facts.market.endswith(market[:LABEL_ID])}


def standing_on(made: Composition, node: str) -> set[str]:
    """All that an oracle or a pool is behind, through any number of others."""
    targets: dict[str, list[str]] = {}
    for edge in made.graph.edges:
        if edge.kind in ("prices", "sources"):
            targets.setdefault(edge.source, []).append(edge.target)
    found: set[str] = set()
    pending = [node]
    while pending:
        for target in targets.get(pending.pop(), ()):
            if target not in found:
                found.add(target)
                pending.append(target)
    return found


def test_the_account_that_looped_twenty_times(made: Composition, planted: dict[str, Any]) -> None:
    loop = planted["looped_share"]
    node = f"owner:{loop['account']}"

    assert node in findings(made, "loops")
    assert measured(made, "loops")[node] > 9  # it owes more than 8 times its equity
    edges = {(e.target, e.kind) for e in made.graph.edges if e.source == node}
    there = rows_of(made, loop["market"])
    assert {target for target, kind in edges if kind in ("collateral", "debt")} >= there
    assert any(
        made.book.assets[one.collateral].address == loop["vault"]
        and made.book.owners[one.owner] == loop["account"]
        for one in made.loops
    )


def test_the_feed_that_is_behind_six_markets(made: Composition, planted: dict[str, Any]) -> None:
    shared = planted["shared_feed"]
    node = f"oracle:{shared['feed']}"

    assert node in findings(made, "shared_oracles")
    assert measured(made, "shared_oracles")[node] >= len(shared["markets"]) >= 5
    behind = standing_on(made, node)
    for market in shared["markets"]:
        assert rows_of(made, market) <= behind
    label = next(one.label for one in made.graph.nodes if one.id == node)
    assert "WETH" in label


def test_the_hard_coded_prices_and_no_other(made: Composition, planted: dict[str, Any]) -> None:
    found = findings(made, "hard_coded")

    oracles = {f"oracle:{one['feed']}" for one in planted["hard_coded"]}
    assert {node for node in found if node.startswith("oracle:")} == oracles
    markets = {node for node in found if node.startswith("market:")}
    there = [rows_of(made, one["market"]) for one in planted["hard_coded"]]
    assert markets <= set().union(*there)
    assert all(len(markets & rows) == 1 for rows in there)


def test_the_allocation_to_worthless_collateral(made: Composition, planted: dict[str, Any]) -> None:
    bad = planted["bad_allocation"]
    vault = f"vault:{bad['vault']}"

    assert findings(made, "bad_allocations") == {vault}
    lent = {e.target for e in made.graph.edges if (e.source, e.kind) == (vault, "allocates")}
    assert len(lent) == len(bad["markets"])
    assert all(len(lent & rows_of(made, market)) == 1 for market in bad["markets"])
    short = findings(made, "asset_liability_ratio")
    assert lent & short == lent & rows_of(made, bad["bad"])
    sunk = findings(made, "sunk_loops")
    assert {f"owner:{who}" for who in bad["borrowers"]} == sunk


def test_the_borrowers_of_several_protocols(made: Composition, planted: dict[str, Any]) -> None:
    found = measured(made, "shared_borrowers")

    assert {f"owner:{who}" for who in planted["shared_borrowers"]} <= set(found)
    deployments: dict[str, set[int]] = {}
    for row, owner, side in zip(made.held.row, made.held.owner, made.held.side, strict=True):
        if side == 2:
            where = made.rows[int(row)].facts.deployment
            deployments.setdefault(f"owner:{made.book.owners[int(owner)]}", set()).add(where)
    assert set(found) == {who for who, where in deployments.items() if len(where) > 1}


def test_the_thin_pool_behind_a_mean(made: Composition, planted: dict[str, Any]) -> None:
    thin = planted["thin_pool"]
    pool = f"venue:{thin['pool']}"
    ratios = measured(made, "thin_pools")

    assert max(ratios, key=ratios.__getitem__) == pool
    assert ratios[pool] > 100
    behind = standing_on(made, pool)
    assert f"oracle:{thin['feed']}" in behind
    assert rows_of(made, thin["market"]) <= behind


def test_the_share_of_a_pool_and_the_deposit_that_are_collateral(
    made: Composition, planted: dict[str, Any]
) -> None:
    naive, deposit = planted["lp_collateral"], planted["a_token_collateral"]
    edges = {(e.source, e.target, e.kind) for e in made.graph.edges}
    for kind in ("naive", "fair"):
        (market,) = (
            row for row in rows_of(made, naive[kind]["market"]) if row.endswith(naive["pair"])
        )
        assert (market, f"asset:{naive['pair']}", "lists") in edges
        assert market in standing_on(made, f"oracle:{naive[kind]['feed']}")
    token = f"asset:{deposit['token']}"
    assert any(e.source == token and e.kind == "wraps" for e in made.graph.edges)
    assert any(row.endswith(deposit["token"]) for row in rows_of(made, deposit["market"]))
