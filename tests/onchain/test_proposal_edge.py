"""Proposals where it is hardest: at the edge of liquidation, frozen, and behind the store's end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from defirisk.contagion.screen import liquidatable_units
from defirisk.core.book import Book
from defirisk.core.scenario import Moves, Scenario
from defirisk.governance.aave_v3.proposal import Market, proposal
from defirisk.governance.request import pairs
from tests.command import CommandLine
from tests.devnet.build import fresh, start
from tests.onchain.proposing import (
    NAME,
    Executed,
    Project,
    accepted,
    market_of,
    project_of,
    propose,
    put_anvil_on_path,
    read,
    reserve,
    unhealthy,
)

pytestmark = pytest.mark.onchain


@pytest.fixture(scope="module")
def project(devnet_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A chain of seed 1 of its own: here time stands still."""
    with start(devnet_path) as devnet:
        yield project_of(tmp_path_factory.mktemp("proposal"), devnet)


@pytest.fixture(autouse=True)
def anvil(monkeypatch: pytest.MonkeyPatch) -> None:
    put_anvil_on_path(monkeypatch)


def test_at_the_edge_the_changed_book_says_what_the_contracts_say_under_the_change(
    cli: CommandLine, project: Project, tmp_path: Path
) -> None:
    """For accounts with WETH, the price at which the changed Pool begins to allow a liquidation is
    searched for to the last digit; there the changed book has to turn, and not one digit off.
    """
    change = ("--asset", "WETH", "--set", "lt=75%,ltv=70%")
    assert accepted(cli, project, tmp_path, NAME, *change).code == 0
    market = market_of(project, NAME)
    changes, rows = market.changes(pairs(("WETH",), ("lt=75%,ltv=70%",)))
    made = proposal(market, changes, rows, ())
    after, weth = made.case.after(), changes[0].asset
    price = market.now.reserves[weth].price
    assert price is not None
    turned = 0
    with Executed(project, tmp_path):
        for account in with_weth_only(market, weth)[:5]:
            edge = turning_price(project, account, price)
            for answer in range(edge - 2, edge + 3):
                ours = says(after, market.deployment, account, Fraction(answer, price), weth)
                assert ours == (answer < edge), (account, answer - edge)
            turned += 1
    assert turned == 5
    assert len(made.after.said) >= 15  # the contract's integers were asked


def with_weth_only(market: Market, weth: str) -> list[str]:
    """Borrowers in no e-mode whose only collateral is WETH, and who owe none."""
    return [
        account
        for account, positions in market.now.positions.items()
        if account not in market.now.modes
        and {one.asset for one in positions if one.used_as_collateral} == {weth}
        and any(one.scaled_variable_debt_raw for one in positions)
        and not any(one.scaled_variable_debt_raw and one.asset == weth for one in positions)
    ]


def turning_price(project: Project, account: str, price: int) -> int:
    """The least answer of the WETH feed at which the Pool calls the account healthy."""
    low, high = 1, 100 * price
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_unhealthy_at(project, account, middle) else (low, middle)
    assert not is_unhealthy_at(project, account, high)
    return high


def is_unhealthy_at(project: Project, account: str, answer: int) -> bool:
    feeds, chain = project.devnet.market.feeds, project.devnet.chain
    txs = [replace(tx, args=(tx.args[0], answer)) for tx in feeds.report("WETH", 1.0)]
    assert all(chain.mine(txs, seconds=0))
    return bool(unhealthy(project, NAME, [account]))


def says(book: Book, deployment: int, account: str, factor: Fraction, asset: str) -> bool:
    """Whether our changed book lists the account with the asset's oracle price times a factor."""
    place = next(a for a, one in enumerate(book.assets) if one.address == asset)
    quotes = np.flatnonzero(
        (book.quote_asset == place) & (book.quote_deployment == deployment)
    ).tolist()
    moves = Moves(quotes=dict.fromkeys(quotes, factor))
    units = liquidatable_units(book, Scenario(name="edge", shocks=(), moves=moves)).tolist()
    return any(
        book.units[unit] == account and book.unit_deployment[unit] == deployment for unit in units
    )


def test_a_frozen_reserve_and_an_older_block(cli: CommandLine, tmp_path: Path) -> None:
    """Frozen, an LTV is kept pending; behind the store's end, a fork is indexed from nothing."""
    with fresh(3) as devnet:
        link = devnet.market.assets["LINK"].token
        devnet.chain.must(devnet.market.configure("setReserveFreeze(address,bool)", link, True))
        folder = tmp_path / "project"
        folder.mkdir()
        project = project_of(folder, devnet)
        change = ("--asset", "LINK", "--set", "ltv=60%,lt=72%")
        assert propose(cli, project, tmp_path / "frozen", NAME, *change).code == 0
        changed = read(tmp_path / "frozen", "impact.json")["changes"]
        assert [one["parameter"] for one in changed] == [
            "liquidation_threshold_bps",
            "pending_ltv_bps",
        ]
        after = reserve(read(tmp_path / "frozen", "payload/snapshot-after.json"), link)
        assert (after["ltv"], after["pendingLtv"]) == (0, 6000)

        devnet.chain.must(*devnet.market.feeds.report("WETH", 2000.0))
        earlier = devnet.chain.head - 1
        project_of(folder, devnet)
        ran = propose(cli, project, tmp_path / "old", NAME, *change, "--block", str(earlier))
        assert ran.code == 0, ran
        manifest = read(tmp_path / "old", "manifest.json")
        assert (manifest["block"], manifest["execution"]["fork_block"]) == (earlier, earlier + 1)
