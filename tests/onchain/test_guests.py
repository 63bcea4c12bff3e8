"""Perpetuals and collateralised debt beside everything else: on the recorded chain, as one book."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from defirisk.core.book import Book
from defirisk.core.evm import Address
from defirisk.core.margin import Mode
from defirisk.graph.build import compose
from defirisk.graph.measures import measures
from defirisk.indexing.verify import verify
from defirisk.metrics.margin_mode import ModePosition, modes
from defirisk.metrics.owner import Whole, owners
from defirisk.shocks.target import family, find_asset
from defirisk.store.database import open_store
from defirisk.store.snapshots import market_deployments, stored_block
from tests.demo import CHAIN_ID, demo_reader
from tests.devnet.build import CHECKPOINTS, DEPLOYMENT
from tests.devnet.checkpoints import read_checkpoints
from tests.devnet.owners import ETHER, LENT, LEVERAGE

pytestmark = pytest.mark.onchain

COMPARED = {
    "maker-mcd": 400,
    "synthetix-perps-v2": 250,
    "perp-curie": 200,
    "liquity-v1": 120,
}
"""Numbers of each that are at least compared."""
PERPETUALS = ("synthetix-perps-v2", "perp-curie")


@pytest.fixture(scope="module")
def described(devnet_path: Path) -> dict[str, Any]:
    return dict(json.loads((devnet_path / DEPLOYMENT).read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def everybody(recorded_book: Book) -> dict[str, Whole]:
    of_perps = {i for i, one in enumerate(recorded_book.deployments) if one.perps is not None}
    return {one.owner: one for one in owners(recorded_book, of_perps)}


def places(book: Book, whole: Whole) -> set[str]:
    return {book.deployments[part.deployment].protocol for part in whole.parts}


def tokens_of(book: Book, whole: Whole) -> dict[str, float]:
    return {book.assets[one.asset].symbol: one.tokens for one in whole.exposures}


@pytest.mark.parametrize("protocol", sorted(COMPARED))
def test_every_number_is_the_contracts_own(
    protocol: str, demo_database: Path, tmp_path: Path
) -> None:
    own = shutil.copy(demo_database, tmp_path)  # what is verified is noted in the store
    store = open_store(f"sqlite:///{own}", create=False)
    with store.transaction() as connection:
        every = market_deployments(connection, ())
        block = stored_block(connection, CHAIN_ID, None)
    (stored,) = (one for one in every if one.deployment.protocol == protocol)

    verdict = asyncio.run(verify(demo_reader(), store, stored, block))

    store.close()
    assert verdict.mismatches == ()
    assert verdict.compared >= COMPARED[protocol]


def test_checkpoints_ask_every_guest(devnet_path: Path, described: Mapping[str, Any]) -> None:
    zero, maker, curie, synthetix = (
        described["zero"]["addresses"]["trove_manager"],
        described["maker"]["addresses"]["MCD_VAT"],
        described["curie_perp"]["contracts"]["vault"],
        described["synthetix"]["perps"]["sETH"]["market"],
    )
    seen: dict[Address, int] = dict.fromkeys((zero, maker, curie, synthetix), 0)
    for checkpoint in read_checkpoints(devnet_path / CHECKPOINTS):
        answered = {to for to, _, said in checkpoint["calls"] if said not in (None, "0x")}
        for one in seen:
            seen[one] += one in answered
    assert set(seen.values()) == {24}


def test_a_loan_that_became_margin(
    recorded_book: Book, everybody: Mapping[str, Whole], described: Mapping[str, Any]
) -> None:
    planted = described["planted"]["margin_on_credit"]
    whole = everybody[planted["account"]]

    assert places(recorded_book, whole) == set(planted["in"])
    loan, margin = whole.parts
    assert LENT <= loan.debt_usd < 1.01 * LENT
    assert margin.debt_usd == 0
    # The same dollars are owed here and back a position there, less the funding paid since.
    tokens = tokens_of(recorded_book, whole)
    perps = recorded_book.deployments[margin.deployment].perps
    assert perps is not None
    (paid,) = (one.accrued_funding for one in perps.positions if one.unit == planted["account"])
    assert tokens["USDC"] == pytest.approx(float(paid), abs=0.01 * LENT)
    (dollars,) = (one for one in whole.exposures if recorded_book.symbol(one.asset) == "USDC")
    assert dollars.shared
    assert tokens["vETH"] > 0
    assert tokens["vUSD"] == pytest.approx(-LENT * LEVERAGE, rel=1e-6)


def test_a_trove_an_urn_and_a_loan_of_one_owner(
    recorded_book: Book, everybody: Mapping[str, Whole], described: Mapping[str, Any]
) -> None:
    planted = described["planted"]["trove_and_urn"]
    whole = everybody[planted["account"]]

    assert places(recorded_book, whole) == set(planted["in"])
    (collateral,) = (one for one in whole.exposures if recorded_book.symbol(one.asset) == "WETH")
    assert len(collateral.deployments) == 3
    tokens = tokens_of(recorded_book, whole)
    assert {symbol for symbol, held in tokens.items() if held < 0} == {"USDC", "DAI", "ZUSD"}
    debts = measures()["shared_borrowers"].compute(compose(recorded_book))
    assert debts[f"owner:{planted['account']}"] == pytest.approx(whole.debt_usd)
    # One fall of one price meets all three.
    weth = find_asset(recorded_book, "WETH")
    assert collateral.asset in family(recorded_book, weth)


def test_the_same_position_in_both_modes(
    recorded_book: Book, described: Mapping[str, Any], everybody: Mapping[str, Whole]
) -> None:
    planted = described["planted"]["two_modes"]
    assert places(recorded_book, everybody[planted["account"]]) == set(PERPETUALS)
    found: dict[Mode, ModePosition] = {}
    for deployment in recorded_book.deployments:
        if deployment.perps is not None:
            (account,) = (
                one for one in deployment.perps.accounts if one.owner == planted["account"]
            )
            (mine,) = (one for one in modes(deployment.perps) if one.owner == planted["account"])
            (found[account.mode],) = mine.positions
    cross, isolated = found[Mode.CROSS], found[Mode.ISOLATED]
    assert float(isolated.size) == pytest.approx(ETHER)
    assert float(cross.size) == pytest.approx(ETHER, rel=0.05)  # bought for as many dollars
    for one in (cross, isolated):
        assert one.cross_price is not None
        assert one.isolated_price is not None
        # One position answers for itself, whatever the mode.
        assert one.cross_price == one.isolated_price < one.mark_price
    # The same margin was put in; what differs is what it cost to come and to stay.
    assert float(cross.margin) == pytest.approx(float(isolated.margin), rel=1e-3)


def test_nothing_real_can_be_sold_in_a_virtual_pool(
    recorded_book: Book, described: Mapping[str, Any]
) -> None:
    curie = described["curie_perp"]
    pools = {base["pool"] for base in curie["bases"].values()}
    venues = recorded_book.sources.venues
    virtual = {token for pool in pools for token in venues[pool].tokens}
    assert len(virtual) == 3
    real = {token for at, venue in venues.items() if at not in pools for token in venue.tokens}
    assert not virtual & real
    elsewhere = {
        recorded_book.assets[asset].address
        for asset, where in zip(
            recorded_book.quote_asset.tolist(), recorded_book.quote_deployment.tolist(), strict=True
        )
        if recorded_book.deployments[where].protocol != "perp-curie"
    }
    assert not virtual & elsewhere


def test_the_virtual_dollar_is_one(recorded_book: Book, described: Mapping[str, Any]) -> None:
    """Its pools trade it for what is itself priced by them, and so say nothing of it."""
    token = described["curie_perp"]["contracts"]["quote_token"]
    (asset,) = (i for i, one in enumerate(recorded_book.assets) if one.address == token)
    assert recorded_book.asset_price[asset] == 1.0


def test_what_shorts_owe_is_nobody_s_deposit(recorded_book: Book) -> None:
    """No cash stands against it: a market of perpetuals has no ratio of assets to liabilities."""
    made = compose(recorded_book)
    named = {row.id: recorded_book.deployments[row.facts.deployment].protocol for row in made.rows}
    found = {named[one] for one in measures()["asset_liability_ratio"].compute(made)}
    assert found.isdisjoint(PERPETUALS)
    assert "aave-v3" in found
