"""Failures on the shared chain: who is exposed, how the loss travels, who matters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from defirisk.contagion.cascade.settings import BASE
from defirisk.contagion.failure.aftermath import aftermaths
from defirisk.contagion.failure.losses import lost_usd
from defirisk.contagion.failure.settle import fail
from defirisk.contagion.valuation import UNMOVED
from defirisk.core.book import Book
from defirisk.graph.build import Composition, compose
from defirisk.graph.failure.exposure import exposed_vaults
from defirisk.graph.failure.path import Path as Steps
from defirisk.graph.failure.path import path
from defirisk.graph.failure.subjects import find, subjects
from defirisk.graph.measures import measures
from defirisk.metrics.systemic import marginal_losses
from defirisk.reports.contagion.studied import Studied, failed, studied
from tests.command import CommandLine
from tests.devnet.build import DEPLOYMENT
from tests.unit.contagion.failure import replayed

pytestmark = pytest.mark.onchain

K = TypeVar("K")
ID = 10
MINTING = {"maker-mcd", "liquity-v1"}


@pytest.fixture(scope="module")
def made(recorded_book: Book) -> Composition:
    return compose(recorded_book)


@pytest.fixture(scope="module")
def bad(devnet_path: Path) -> dict[str, Any]:
    """The vault that lent to worthless collateral, as seed 1 planted it."""
    described = json.loads((devnet_path / DEPLOYMENT).read_text(encoding="utf-8"))
    return dict(described["planted"]["bad_allocation"])


def walked(made: Composition, name: str) -> Steps:
    subject = find(made, name)
    return path(made, subject, fail(made.book, [subject.scenario]))


def test_the_vault_that_lent_against_what_fails_is_named_with_its_share(
    made: Composition, bad: dict[str, Any]
) -> None:
    subject = find(made, bad["collateral"])
    (vault,) = [
        one for one in exposed_vaults(made, subject) if one.token != subject.node.partition(":")[2]
    ]
    claim = made.book.sources.claims[bad["vault"]]
    (lent,) = [one.assets_raw for one in claim.allocations if one.market == bad["bad"]]

    assert vault.token == bad["vault"]
    assert vault.share == pytest.approx(lent / claim.total_assets_raw, rel=1e-12)
    assert vault.is_bridge
    steps = [(one.source, one.target, one.channel) for one in walked(made, bad["collateral"]).steps]
    (market,) = {
        target
        for source, target, channel in steps
        if channel == "bad debt" and bad["bad"][:ID] in target
    }
    assert (market, f"vault:{bad['vault']}", "allocation") in steps
    allocated = steps.index((market, f"vault:{bad['vault']}", "allocation"))
    assert [one[1] for one in steps].index(market) < allocated


def test_what_goes_into_a_market_or_a_vault_goes_out_again(made: Composition) -> None:
    of_cdps = [one.name for one in made.book.deployments if one.protocol in MINTING]
    assert len(of_cdps) == len(MINTING)
    minted = tuple(f"market:{name}/" for name in of_cdps)
    for subject in subjects(made):
        found = path(made, subject, fail(made.book, [subject.scenario]))
        into: dict[str, float] = {}
        out: dict[str, float] = {}
        for step in found.steps:
            assert step.value_usd is not None
            assert step.value_usd >= 0
            if step.channel in ("bad debt", "failure", "allocation", "shares"):
                into[step.target] = into.get(step.target, 0.0) + step.value_usd
            if step.channel in ("allocation", "deposits", "share price", "shares"):
                out[step.source] = out.get(step.source, 0.0) + step.value_usd
        for node in set(into) & set(out):
            if node.startswith(minted):
                # What its depositors cannot bear is left with those who hold the stablecoin.
                assert out[node] <= into[node] * (1 + 1e-6) + 0.05, (subject.name, node)
                continue
            assert out[node] == pytest.approx(into[node], rel=1e-6, abs=0.05), (subject.name, node)


def test_today_s_loss_of_the_vault_is_what_the_graph_measures(made: Composition) -> None:
    """Two ways to the same number: the settlement, and a ratio of assets to liabilities."""
    found = fail(made.book, [UNMOVED])
    measured = measures()["bad_allocations"].compute(made)
    assert measured
    for node, lost in measured.items():
        left = float(found.left[found.claims.index(node.partition(":")[2]), 0])
        assert 1 - left == pytest.approx(lost, rel=1e-2)


def test_every_failure_is_settled_and_known(made: Composition) -> None:
    every = subjects(made)
    assert {one.kind for one in every} == {"protocol", "vault", "asset", "market"}
    found = fail(made.book, [UNMOVED, *(one.scenario for one in every)])
    assert found.converged.all()
    assert (found.unknown == 0).all()
    lost = lost_usd(made.book, found)
    assert np.isfinite(lost).all()
    assert (lost[1:] >= lost[0] * (1 - 1e-9)).all()


@pytest.mark.parametrize("most", [1, pytest.param(12, marks=pytest.mark.nightly)])
def test_the_report_on_each_failure_has_no_unknown(
    cli: CommandLine, demo_database: Path, made: Composition, most: int
) -> None:
    database = f"sqlite:///{demo_database}"
    for subject in subjects(made)[:most]:
        ran = cli("report", "contagion", subject.node, "--db", database, "--format", "json")
        assert (ran.code, ran.err) == (0, "")
        said = json.loads(ran.out, parse_constant=pytest.fail)
        assert said["failing"]["node"] == subject.node
        assert said["lost_usd"] is not None
        assert said["warnings"] == []


@pytest.fixture(scope="module")
def its(recorded_book: Book) -> Studied:
    return studied(recorded_book)


def test_the_rank_is_total_and_stable(its: Studied, recorded_book: Book) -> None:
    """Everything that can fail has one place and a known loss, and computing it again changes no
    bit of it.
    """
    assert sorted(its.order) == list(range(len(its.subjects)))
    ordered = [its.losses[i] for i in its.order]
    assert np.isfinite(ordered).all()
    assert ordered == sorted(ordered, reverse=True)
    assert all(one.ended and one.settled.converged.all() for one in its.played)
    assert any(one.sold_usd for one in its.played)
    some = [its.subjects[i].scenario for i in its.order[-3:]]
    again = marginal_losses(recorded_book, some)
    assert again.tolist() == ordered[-3:]


@pytest.fixture(scope="module")
def replayed_now(recorded_book: Book) -> float:
    return replayed.lost(recorded_book, UNMOVED)


@pytest.mark.parametrize("name", ["WBTC", "USDC in WETH/USDC"])
def test_a_node_failed_and_replayed_by_hand_is_the_rank_s_number(
    its: Studied, recorded_book: Book, replayed_now: float, name: str
) -> None:
    """Event by event and in fractions, and the same without a failure."""
    (i,) = [
        n
        for n, one in enumerate(its.subjects)
        if one.name == name or (one.kind == "market" and one.name.startswith(f"{name} "))
    ]
    failed = replayed.lost(recorded_book, its.subjects[i].scenario)
    # The replay knows the interest of the end only, not that of each event.
    assert its.losses[i] == pytest.approx(failed - replayed_now, rel=2e-4, abs=1)
    still = replace(BASE, round_seconds=0)
    (found,) = aftermaths(recorded_book, [its.subjects[i].scenario], still, compiled=False)
    exactly = replayed.lost(recorded_book, its.subjects[i].scenario, still)
    assert found.lost_usd == pytest.approx(exactly, rel=1e-9)
    assert abs(its.losses[i] - its.at_once[i]) > 1  # sales count


def more(then: Mapping[K, float], now: Mapping[K, float]) -> float:
    return sum(max(usd - now.get(key, 0.0), 0.0) for key, usd in then.items())


def test_steps_of_liquidations_are_those_beyond_today_s(its: Studied) -> None:
    one = failed(its, "WBTC")
    assert one.played is not None
    assert one.sales is not None
    now = its.played[-1]
    by_channel: dict[str, float] = {}
    for step in one.sales.steps:
        assert step.value_usd is not None
        assert step.value_usd > 0 or step.channel == "bad debt after sales"
        by_channel[step.channel] = by_channel.get(step.channel, 0.0) + step.value_usd
    assert set(by_channel) == {"liquidation", "sale", "price after sales", "bad debt after sales"}
    assert by_channel["liquidation"] == pytest.approx(
        more(one.played.seized_usd, now.seized_usd), abs=1
    )
    assert by_channel["sale"] == pytest.approx(more(one.played.sold_usd, now.sold_usd), abs=1)
    assert by_channel["bad debt after sales"] == pytest.approx(one.loss - one.at_once, abs=1)
