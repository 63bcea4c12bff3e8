"""Failures on the shared chain: who is exposed, and a vault after real bad debts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from defirisk.contagion.cascade.settings import BASE
from defirisk.contagion.failure.aftermath import aftermaths
from defirisk.contagion.failure.backed import backed
from defirisk.contagion.failure.losses import lost_usd
from defirisk.contagion.failure.settle import fail
from defirisk.contagion.valuation import UNMOVED
from defirisk.core.backing import backing
from defirisk.core.book import Book
from defirisk.core.quote import Conversion
from defirisk.core.scenario import ExactMoves
from defirisk.graph.build import Composition, compose
from defirisk.graph.failure.exposure import exposed_vaults
from defirisk.graph.failure.path import Path as Steps
from defirisk.graph.failure.path import path
from defirisk.graph.failure.subjects import find, subjects
from defirisk.graph.measures import measures
from defirisk.metrics.systemic import marginal_losses
from defirisk.reports.contagion.studied import Studied, failed, studied
from defirisk.shocks.grammar import scenario
from tests.command import CommandLine
from tests.devnet.build import DEPLOYMENT, fresh
from tests.devnet.market import KEEPERS
from tests.devnet.morpho.book import read_positions
from tests.devnet.morpho.desk import Desk
from tests.devnet.purse import Purse
from tests.devnet.vaults.market import ALLOCATOR
from tests.onchain.markets import new_store
from tests.onchain.vault_chain import Wrapped
from tests.unit.contagion.failure import replayed

pytestmark = pytest.mark.onchain

K = TypeVar("K")
SHARES = 10**18
WORTHLESS = 1e-8
"""USD: the smallest answer above 0 that the feed can give."""
ID = 10


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


def test_the_report_on_each_failure_has_no_unknown(
    cli: CommandLine, demo_database: Path, made: Composition
) -> None:
    database = f"sqlite:///{demo_database}"
    for subject in subjects(made)[:6]:
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


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wrapped]:
    """A small chain on which WETH becomes worthless."""
    with fresh(3, accounts=12, actions=60) as devnet:
        its = Wrapped(devnet, new_store(tmp_path_factory.mktemp("failing")), 3)
        its.index()
        yield its
        its.store.close()


def test_a_vault_after_real_bad_debts_is_worth_what_was_predicted(living: Wrapped) -> None:
    """The feed says next to nothing, keepers take all collateral, Morpho lets the lenders pay:
    S (1 - sum of a_j (1 - R_j)), of the markets that were settled.
    """
    devnet, chain = living.devnet, living.devnet.chain
    vault = devnet.protocols.vaults.by_symbol[ALLOCATOR]
    morpho = devnet.protocols.morpho
    chain.must(*devnet.market.feeds.report("WETH", WORTHLESS))
    # What a vault lent is known as its markets booked it last: interest since then is only in its
    # total.
    desk = Desk(morpho, Purse(devnet.market.tokens, {}))
    of_vault = [one for one in morpho.markets if one.id in vault.markets]
    chain.must(*(desk.accrue(KEEPERS[0], market) for market in of_vault))
    living.index()
    book, before = living.book(), living.ask(vault.address, "convertToAssets(uint256)", SHARES)
    of_weth = [
        one
        for one in (*morpho.plain, *morpho.composed.values())
        if one.id in vault.markets and "WETH" in one.collateral
    ]
    assert of_weth
    names = {one.id[:ID]: one for one in of_weth}
    rows = {
        m: names[facts.market.rsplit(" ", 1)[-1]]
        for m, facts in enumerate(book.markets)
        if facts.market.rsplit(" ", 1)[-1] in names and facts.borrowed > 0
    }
    assert len(rows) == len(of_weth)
    found = fail(book, [UNMOVED])
    recoveries = np.ones_like(found.recoveries)
    recoveries[list(rows)] = found.recoveries[list(rows)]
    shares = backed(book, np.zeros(1))
    predicted = float(shares.left(recoveries)[shares.tokens.index(vault.address), 0])
    assert 0.05 < predicted < 0.99
    supplied = {m: totals(living, one.id) for m, one in rows.items()}

    liquidate_all(living, list(rows.values()))
    said = living.ask(vault.address, "convertToAssets(uint256)", SHARES)

    # A second of interest, and the bonus on collateral that is worth a hundred-millionth.
    assert said / before == pytest.approx(predicted, rel=2e-7)
    for m, one in rows.items():
        paid = Fraction(totals(living, one.id), supplied[m])
        assert float(paid) == pytest.approx(float(found.recoveries[m, 0]), rel=2e-6)
    after = [
        f"fail:{one.id}={totals(living, one.id) / supplied[m]:.15f}" for m, one in rows.items()
    ]
    factor = ExactMoves(book, scenario("", after, book)).leaf(
        Conversion(vault.address, Fraction(1))
    )
    assert float(factor) == pytest.approx(said / before, rel=1e-6)
    living.index()
    assert living.claims()[vault.address].rate is not None
    again = fail(living.book(), [UNMOVED])
    settled = [m for m, facts in enumerate(living.book().markets) if m in rows]
    assert again.recoveries[settled] == pytest.approx(1, abs=1e-6)
    assert set(backing(book)[vault.address]) >= set(rows)


def totals(living: Wrapped, market: str) -> int:
    """What the contract says that a market's lenders have."""
    raw = bytes.fromhex(market[2:])
    return living.ask(living.devnet.protocols.morpho.address, "market(bytes32)", raw)


def liquidate_all(living: Wrapped, markets: list[Any]) -> None:
    """Everybody who owes something there, within one second."""
    devnet = living.devnet
    prices = {"WETH": 1.0, "USDC": 1.0}
    desk = Desk(devnet.protocols.morpho, Purse(devnet.market.tokens, prices))
    who = [owner for owner in living.book().owners if owner.startswith("0x")]
    places = [(market.id, account) for market in markets for account in who]
    owing = [
        one
        for one in read_positions(devnet.chain, devnet.protocols.morpho, places)
        if one.borrow_shares and one.collateral
    ]
    assert owing
    calls = [
        desk.liquidate(KEEPERS[0], one.market, one.account, seized=one.collateral) for one in owing
    ]
    assert all(devnet.chain.mine(calls, seconds=1))
