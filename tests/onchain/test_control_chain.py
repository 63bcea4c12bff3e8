"""The control: on a chain where nothing was planted nothing stands out, and nothing is unknown.

It has no guests, and apart from them the same protocols, pools, vaults and kinds of price sources
as the shared chain, and people who deposit, borrow, trade and are liquidated. What
`tests.devnet.planted` lists is not there; the same questions put to the shared chain find it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from defirisk.contagion.failure.settle import fail
from defirisk.contagion.valuation import UNMOVED
from defirisk.core.book import Book
from defirisk.core.holdings import Side
from defirisk.graph.build import Composition, compose
from defirisk.graph.failure.subjects import subjects
from defirisk.graph.measures import measures
from defirisk.indexing.run import index
from defirisk.manipulation.assumptions import Assumptions
from defirisk.manipulation.exposure import Exposure, exposures
from tests.command import CommandLine
from tests.databases import database_url
from tests.demo import demo_book
from tests.devnet.build import DEPLOYMENT, build_control, start
from tests.devnet.record import deployments
from tests.onchain.markets import new_store, with_reader
from tests.onchain.oracle_attack import LABEL_ID
from tests.onchain.oracle_chain import KINDS
from tests.onchain.unjudged import unjudged

pytestmark = pytest.mark.onchain

QUIET = {"shared_borrowers"}
"""Measures of which every value is one too many here, though none is called a finding."""
GUESTS = ("maker-mcd", "synthetix-perps-v2", "perp-curie", "liquity-v1")
PLANTED_KINDS = {"uniswap-twap-v2", "hard-coded"}


@dataclass(frozen=True)
class Control:
    """The indexed chain; `described` is what its builder says of it."""

    database: str
    described: dict[str, Any]
    book: Book
    made: Composition


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    path = build_control(1)
    folder = tmp_path_factory.mktemp("control")
    store = new_store(folder)
    with start(path) as devnet:
        every = deployments(devnet.deployment)
        with_reader(devnet.url, lambda reader: index(reader, store, every, "finalized"))
    book = demo_book(store)
    described = json.loads((path / DEPLOYMENT).read_text(encoding="utf-8"))
    yield Control(database_url(folder / "market.db"), described, book, compose(book))
    store.close()


@pytest.fixture(scope="module")
def with_planted(recorded_book: Book, devnet_path: Path) -> Control:
    """The shared chain, where everything was planted."""
    described = json.loads((devnet_path / DEPLOYMENT).read_text(encoding="utf-8"))
    return Control("", described, recorded_book, compose(recorded_book))


def found(chain: Control, name: str) -> set[str]:
    measure = measures()[name]
    values = measure.compute(chain.made)
    return {node for node, one in values.items() if name in QUIET or measure.is_finding(one)}


def virtual_pools(chain: Control) -> set[str]:
    """In which only perpetuals trade."""
    return {base["pool"] for base in chain.described["curie_perp"]["bases"].values()}


def unknown_worth(made: Composition) -> list[str]:
    return [one.label for one in made.graph.nodes if one.value_usd is None]


def test_there_is_as_much_of_everything_to_look_at(control: Control, with_planted: Control) -> None:
    """A control without loops, pools behind prices, or borrowers would be clean for nothing."""
    assert control.described["planted"] == {}
    ours, theirs = control.book, with_planted.book
    assert {one.protocol for one in ours.deployments} == {
        one.protocol for one in theirs.deployments
    } - set(GUESTS)
    assert len(ours.deployments) == len(theirs.deployments) - len(GUESTS) == 4
    kinds = [
        {one.kind for one in book.sources.answers.values() if one.kind in KINDS.values()}
        for book in (ours, theirs)
    ]
    assert kinds[1] - kinds[0] == PLANTED_KINDS
    assert kinds[0] >= {"chainlink", "pyth", "capped-ratio", "lp-share", "uniswap-twap-v3"}
    assert {one.kind for one in ours.sources.claims.values()} == {
        one.kind for one in theirs.sources.claims.values()
    }
    lent = [one for one in ours.sources.claims.values() if len(one.allocations) == 3]
    assert len(lent) == 1
    virtual = virtual_pools(with_planted)
    assert len(ours.sources.venues) == len(theirs.sources.venues) - len(virtual)
    debts = (ours.holding_side == Side.DEBT) & (ours.holding_amount > 0)
    assert len(set(ours.holding_unit[debts].tolist())) > 60
    assert len(control.made.loops) >= 10
    # A mean and a fair share: prices that stand on pools, and rightly.
    standing = measures()["venue_dependence"].compute(control.made).values()
    assert sum(dollars > 0 for dollars in standing) == 2


@pytest.mark.parametrize("name", sorted(measures()))
def test_nothing_stands_out(control: Control, name: str) -> None:
    assert found(control, name) == set()


def test_the_same_questions_find_what_was_planted(with_planted: Control) -> None:
    planted = with_planted.described["planted"]
    assert f"owner:{planted['looped_share']['account']}" in found(with_planted, "loops")
    assert f"oracle:{planted['shared_feed']['feed']}" in found(with_planted, "shared_oracles")
    written = {f"oracle:{one['feed']}" for one in planted["hard_coded"]}
    assert written < found(with_planted, "hard_coded")
    assert found(with_planted, "bad_allocations") == {f"vault:{planted['bad_allocation']['vault']}"}
    debtors = {f"owner:{one}" for one in planted["bad_allocation"]["borrowers"]}
    assert found(with_planted, "sunk_loops") == debtors
    assert found(with_planted, "shared_borrowers") >= {
        f"owner:{one}" for one in planted["shared_borrowers"]
    }
    # Marks of perpetuals stand on their own pools, by design; these are thin here.
    thin = {planted["thin_pool"]["pool"], *virtual_pools(with_planted)}
    assert found(with_planted, "thin_pools") == {f"venue:{pool}" for pool in thin}
    bad, lent = planted["bad_allocation"]["bad"][:LABEL_ID], "asset_liability_ratio"
    rows = {row.id for row in with_planted.made.rows if row.facts.market.endswith(bad)}
    assert rows & found(with_planted, lent)


def test_nothing_is_unknown(control: Control) -> None:
    made = control.made
    assert not control.book.unpriced.any()
    assert unknown_worth(made) == []
    outcome = fail(control.book, [UNMOVED, *(one.scenario for one in subjects(made))])
    assert (outcome.unknown == 0).all()
    assert outcome.converged.all()


@pytest.fixture(scope="module")
def exposed(control: Control) -> tuple[Exposure, ...]:
    return exposures(control.book, Assumptions())


def test_every_price_is_safe_at_a_finite_cost_and_profit(
    control: Control, exposed: tuple[Exposure, ...]
) -> None:
    assert len(exposed) >= 40
    for one in exposed:
        assert one.verdict == "safe", (one.quoted.kind, one.quoted.feed)
        assert math.isfinite(one.cost_usd)
        assert one.cost_usd >= 0
        assert math.isfinite(one.max_profit_usd)
        assert one.max_profit_usd < 0
        # Of nothing that trades here is it free to move the price.
        traded = {token for pool in control.book.sources.venues.values() for token in pool.tokens}
        if control.book.assets[one.quoted.asset].address in traded:
            assert one.cost_usd > 0
    kinds = {one.quoted.kind for one in exposed}
    assert kinds >= {"chainlink", "vault rate", "lp-share", "uniswap-twap-v3", "capped-ratio"}
    assert not kinds & {"hard-coded", "uniswap-twap-v2", "contract"}


def test_the_same_question_finds_the_planted_prices(with_planted: Control) -> None:
    planted = with_planted.described["planted"]
    bad = planted["bad_allocation"]["bad"]
    wrong = {one["feed"] for one in planted["hard_coded"] if one["market"] == bad}
    wrong |= {planted["lp_collateral"]["naive"]["feed"], planted["thin_pool"]["feed"]}
    book = with_planted.book
    every = exposures(book, Assumptions())
    assert {one.quoted.feed for one in every if one.verdict == "unsafe"} == wrong
    # What a pip's owner writes, and means of a feed less those of a pool: nobody can say.
    unknown = [one.quoted for one in every if one.verdict == "unknown"]
    strange = set(unjudged(with_planted.described))
    assert {(one.feed, book.symbol(one.asset)) for one in unknown} == strange


def test_the_commands_say_so(control: Control, cli: CommandLine) -> None:
    store = control.database
    ran = cli("oracle", "--db", store, "--format", "json")
    assert ran.code == 0, ran.err
    said = json.loads(ran.out)
    assert {one["verdict"] for one in said["feeds"]} == {"safe"}
    assert said["hidden_losses"] == []
    ran = cli("graph", "--db", store, "--format", "md")
    assert ran.code == 0, ran.err
    assert "nothing stands out" in ran.out
