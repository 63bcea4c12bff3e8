"""Synthetix Perps V2: every number of ours against what the running contracts answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from defirisk.core.evm import CallResult
from defirisk.core.margin import Mode, StatesPerps
from defirisk.core.row import Row
from defirisk.core.verdict import Mismatch
from defirisk.indexing.codecs import Codecs
from defirisk.indexing.verify import differences
from defirisk.protocols.perps.synthetix_perps_v2 import ADAPTER
from defirisk.protocols.perps.synthetix_perps_v2.rows import (
    Aggregator,
    DelayedOrder,
    Market,
    Parameter,
    Position,
    RateRead,
    Suspension,
)
from defirisk.store.row_tables import row_table
from tests.devnet.abi import words
from tests.devnet.alone import build_alone, start_alone
from tests.devnet.build import CHECKPOINTS
from tests.devnet.checkpoints import read_checkpoints
from tests.onchain.markets import new_store
from tests.onchain.perturbed import changed
from tests.onchain.synthetix_chain import FOLDER, Indexed, indexed, indexed_alone
from tests.onchain.synthetix_oddities import Oddities
from tests.onchain.synthetix_story import Story, read_story

pytestmark = pytest.mark.onchain
PACKAGE = "defirisk.protocols.perps.synthetix_perps_v2"
SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (2, 3, 4, 5))]
FEEDS = 4


@pytest.fixture(scope="module", params=SEEDS)
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Indexed]:
    with indexed_alone(request.param, tmp_path_factory.mktemp("synthetix")) as found:
        yield found


@pytest.fixture(scope="module")
def story(filled: Indexed) -> Story:
    return read_story(filled.alone.chain, filled.synthetix)


def test_every_position_agrees_with_the_running_contracts_at_the_head(filled: Indexed) -> None:
    verdict = filled.verdict()

    assert verdict.mismatches == ()
    assert verdict.read == 2 * FEEDS  # what the circuit breaker saw last
    assert verdict.accounts >= 40
    assert verdict.compared > 17 * verdict.accounts


def test_every_position_agrees_with_what_the_contracts_said_at_every_checkpoint(
    filled: Indexed,
) -> None:
    checkpoints = list(read_checkpoints(filled.path / CHECKPOINTS))
    compared, wrong = [], list[Mismatch]()
    answers = Counter[tuple[str, object]]()
    codecs = Codecs(ADAPTER)

    for checkpoint in checkpoints:
        said = {(to.lower(), data): answer for to, data, answer in checkpoint["calls"]}
        snapshot = filled.snapshot(filled.header(checkpoint["block"]))
        count = 0
        for question in ADAPTER.questions(snapshot):
            call = codecs.call(question.view)
            key = (call.to, "0x" + call.data.hex())
            if key in said:
                theirs = codecs.answer(question.view, result(said[key]))
                wrong += differences(question, theirs)
                count += len(question.fields)
                if question.view.function in ("assetPrice", "canLiquidate", "isFlagged"):
                    answers[question.view.function, theirs and theirs[-1]] += 1
        compared.append(count)

    assert len(checkpoints) >= 20
    assert wrong == []
    assert compared[0] > 30
    assert compared[-1] > 800
    # Invalid prices, liquidatable and flagged positions are among what was compared.
    assert answers["assetPrice", True] >= 2
    assert answers["canLiquidate", True] >= 10
    assert answers["isFlagged", True] >= 1


def result(answer: str | None) -> CallResult:
    return CallResult(answer is not None, bytes.fromhex((answer or "0x")[2:]))


def test_what_perps_go_through_did_happen(filled: Indexed, story: Story) -> None:
    assert story.actions >= 300
    assert story.liquidations >= 15
    assert story.forced >= 1
    assert story.two_steps == story.liquidations  # flagged in an earlier block
    assert story.losses_beyond_margin >= 5
    assert story.fee_regimes == {"least", "proportional", "capped"}
    assert story.executed_offchain >= 10
    assert story.executed_onchain >= 3
    assert story.cancelled >= 1
    assert story.partial_closes >= 10
    assert story.flips >= 3
    assert story.margin_transfers >= 40
    assert story.added == ["sETHPERP", "sBTCPERP", "sAAVEPERP", "sLINKPERP"]
    assert story.removed == ["sAAVEPERP"]
    assert story.parameters_changed >= 4
    assert story.days >= 150
    assert min(story.funding_rates) < 0 < max(story.funding_rates)


def test_perps_are_stated_as_the_contracts_see_them(filled: Indexed) -> None:
    """The rows of `core.margin`, on the whole: their parts are compared one by one above."""
    assert isinstance(ADAPTER, StatesPerps)
    snapshot = filled.snapshot()
    perps = ADAPTER.perps(snapshot)
    listed = {row.market: row for row in snapshot.rows.all(Market) if row.listed}

    assert {market.market for market in perps.markets} == set(listed)
    assert perps.insurance_fund is None
    for market in perps.markets:
        sizes = [one.size for one in perps.positions if one.market == market.market]
        assert market.long_interest == sum(size for size in sizes if size > 0)
        assert market.short_interest == -sum(size for size in sizes if size < 0)
        assert market.skew == Fraction(listed[market.market].market_skew_wad, 10**18)
    equities = {one.unit: one.equity for one in perps.accounts}
    assert perps.bad_debt == -sum(min(0, equity or 0) for equity in equities.values())
    assert perps.bad_debt > 0
    assert {one.mode for one in perps.accounts} == {Mode.ISOLATED}
    for account in perps.accounts:
        assert account.equity is not None
        assert account.maintenance is not None
        assert account.initial is not None
        assert account.initial >= account.maintenance
    for position in perps.positions:
        account = next(one for one in perps.accounts if one.unit == position.unit)
        assert position.unrealised_pnl is not None
        parts = account.margin + position.unrealised_pnl + position.accrued_funding
        assert account.equity == parts


# What none of the verified views shows: the price of an invalid feed, who flagged, orders' details.
COLUMNS: list[tuple[type[Row], str]] = [
    (Position, "position_id"),
    (Position, "last_funding_index"),
    (Position, "margin_wad"),
    (Position, "last_price_wad"),
    (Position, "size_wad"),
    (Position, "funding_wad"),
    (Market, "market_size_wad"),
    (Market, "market_skew_wad"),
    (Market, "entry_debt_correction_wad"),
    (Market, "funding_index"),
    (Market, "funding_wad"),
    (Market, "funding_rate_wad"),
    (Market, "funding_last_recomputed_ts"),
    (Parameter, "value_raw"),
    (RateRead, "last_value_wad"),
    (RateRead, "circuit_broken"),
    (DelayedOrder, "size_delta_wad"),
    (DelayedOrder, "is_offchain"),
    (Suspension, "suspended"),
]


@pytest.mark.parametrize(("row_type", "column"), COLUMNS)
def test_an_off_by_one_in_a_stored_number_is_found(
    filled: Indexed, row_type: type[Row], column: str
) -> None:
    def owes(row: Mapping[str, Any]) -> bool:
        """A market that owes nothing says so whatever it corrects by."""
        if column != "entry_debt_correction_wad":
            return True
        return bool(words(filled.alone.chain.call(row["market"], "marketDebt()"))[0])

    # A wei of funding is nothing to less than one whole of the asset.
    largest = "size_wad" if (row_type, column) == (Position, "funding_wad") else ""
    with changed(filled.store, row_type, column, among=owes, largest=largest):
        assert filled.verdict().mismatches
    assert filled.verdict().mismatches == ()


def test_another_feed_than_the_markets_own_is_found(filled: Indexed) -> None:
    table = row_table(Aggregator)
    eth = table.c.currency_key == "sETH"
    with filled.store.engine.connect() as connection:
        rows = connection.execute(select(table)).mappings().all()
    feeds = {row["currency_key"]: row["feed"] for row in rows}

    def put(feed: str) -> None:
        with filled.store.transaction() as connection:
            connection.execute(update(table).where(eth).values(feed=feed))

    put(feeds["sBTC"])
    try:
        assert "assetPrice" in {one.field for one in filled.verdict().mismatches}
    finally:
        put(feeds["sETH"])


FORMULAS: dict[str, tuple[str, Callable[..., object], str]] = {
    "the fee has no floor": (
        "referee.liquidation_fee",
        lambda size, price, settings: abs(size) * price * settings.liquidation_fee_ratio // 10**36,
        "liquidationFee",
    ),
    "the premium is left out": (
        "arithmetic.liquidation_premium",
        lambda *_: 0,
        "liquidationPrice",
    ),
    "products are rounded down": (
        "arithmetic.multiply",
        lambda left, right: left * right // 10**18,
        "accruedFunding",
    ),
    "the market owes nothing": (
        "referee.market_debt",
        lambda *_: 0,
        "marketDebt",
    ),
}


@pytest.mark.parametrize("wrong", FORMULAS)
def test_a_wrong_formula_is_found(
    filled: Indexed, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, formula, field = FORMULAS[wrong]
    monkeypatch.setattr(f"{PACKAGE}.{place}", formula)

    assert field in {mismatch.field for mismatch in filled.verdict().mismatches}


def test_what_rarely_happens_is_folded_as_well(tmp_path: Path) -> None:
    """Step by step, and then all of it at once into a second store."""
    path = build_alone(FOLDER, 1)
    with start_alone(path) as alone, indexed(alone, path, tmp_path) as found:
        oddities = Oddities(found)
        for step in oddities.steps():
            step()
            found.index()
            assert found.verdict().mismatches == (), step.__name__
            oddities.look(step.__name__)
        once = Indexed(alone, path, new_store(tmp_path, "once.db"), found.market, found.block)
        once.index()
        # Of a feed that was replaced in between, only the first store has read anything.
        assert replace(once.verdict(), read=0) == replace(found.verdict(), read=0)
        once.store.close()
