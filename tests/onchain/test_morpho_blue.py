"""Every position, market and price of Morpho Blue, and who is healthy: as the contract says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from defirisk.chain.rpc import RpcChainReader
from defirisk.core.evm import Call, CallResult
from defirisk.core.row import Row
from defirisk.indexing.verify import verify
from defirisk.protocols.lending.morpho_blue.interest import accrue, proportional_rate
from defirisk.protocols.lending.morpho_blue.market_now import markets_now
from defirisk.protocols.lending.morpho_blue.referee import market_totals
from defirisk.protocols.lending.morpho_blue.rows import Irm, Market, Oracle, Position
from defirisk.store.raw import block_at
from defirisk.store.row_tables import row_table
from defirisk.store.snapshots import snapshot, stored_block
from tests.conformance.folding import recorded_logs
from tests.devnet.abi import words
from tests.devnet.build import CHECKPOINTS, build, fresh, start
from tests.devnet.chain import Tx
from tests.devnet.checkpoints import read_checkpoints
from tests.devnet.morpho.market import PARAMS
from tests.devnet.protocol import ADMIN
from tests.onchain.markets import index_live, new_store, stored, with_reader
from tests.onchain.morpho_chain import MORPHO_BLUE, Lived, morpho, questions_at
from tests.onchain.perturbed import changed
from tests.unit.protocols.rows_in_memory import RowsInMemory

pytestmark = pytest.mark.onchain

SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (2, 3, 4, 5))]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """A life of 60 accounts."""
    with fresh(1, accounts=60, actions=240) as devnet:
        store = new_store(tmp_path_factory.mktemp("morpho"))
        deployment = morpho(devnet.deployment)
        index_live(devnet.url, store, deployment)
        yield Lived(devnet, store, deployment)
        store.close()


def test_every_number_agrees_with_the_contract_all_along(lived: Lived) -> None:
    """At 25 blocks of the market's life, between runs: all but the rate model is in the logs."""
    numbers = sorted({log.block_number for log in recorded_logs(lived.store, lived.source())})
    chosen = [*numbers[:: max(1, len(numbers) // 25)], None]

    verdicts = [lived.verdict(number) for number in chosen]

    assert len(verdicts) >= 25
    assert [verdict.mismatches for verdict in verdicts] == [()] * len(verdicts)
    # What a vault or a mean of a pool says is only known where a run ended, and then it is read.
    head = verdicts[-1].block.number
    assert sum(verdict.read for verdict in verdicts if verdict.block.number < head) == 0
    assert verdicts[-1].read <= len(lived.devnet.protocols.morpho.composed)
    assert verdicts[-1].accounts >= 40
    # Three numbers of a position, eleven of each market.
    assert verdicts[-1].compared >= 3 * verdicts[-1].accounts + 11 * 6


def test_every_accrual_was_foreseen_to_the_wei(lived: Lived) -> None:
    """Rate, interest and fee of each AccrueInterest, from what was known just before it."""
    rows, seen = RowsInMemory(), 0
    for log in recorded_logs(lived.store, lived.source()):
        if log.event == "AccrueInterest":
            before = rows.get(Market, "0x" + log.args["id"].hex())
            rate = proportional_rate(before)
            ours = accrue(before, rate, log.timestamp)
            assert rate == log.args["prevBorrowRate"]
            assert (ours.interest, ours.fee_shares) == (log.args["interest"], log.args["feeShares"])
            seen += log.args["interest"] > 0
        MORPHO_BLUE.fold(log, rows)
    assert seen >= 50


def test_interest_that_nobody_booked_yet_is_what_the_contract_would_book(lived: Lived) -> None:
    """`accrueInterest` of every market, three weeks after the head; then the head is restored."""
    chain, head = lived.devnet.chain, lived.snapshot()
    before = chain.rpc.call("evm_snapshot")
    markets = lived.devnet.protocols.morpho.markets
    accrued = [
        Tx(ADMIN, lived.deployment.contracts["morpho"], f"accrueInterest({PARAMS})", (one.params,))
        for one in markets
    ]
    try:
        assert all(chain.mine(accrued, 21 * 86_400))
        later = replace(head.block, timestamp=chain.time)
        theirs = {
            one.id: tuple(
                words(chain.call(accrued[0].to, "market(bytes32)", bytes.fromhex(one.id[2:])))
            )
            for one in markets
        }
    finally:
        chain.rpc.call("evm_revert", before)
        chain.resync()

    ours = {now.market.market_id: now for now in markets_now(replace(head, block=later))}

    assert {id_: market_totals(now.market) for id_, now in ours.items()} == theirs
    grown = [
        now
        for now in ours.values()
        if market_totals(now.stored)[:4] != theirs[now.market.market_id][:4]
    ]
    assert len(grown) >= 3


class CheckpointReader:
    """Answers what a checkpoint holds, with the data of a liquidation that was refused."""

    def __init__(self, checkpoint: dict[str, Any]) -> None:
        self._known = {
            (to.lower(), data): CallResult(said is not None, bytes.fromhex((said or "0x")[2:]))
            for to, data, said in checkpoint["calls"]
        }
        for _, to, data, said, reason in checkpoint["trials"]:
            answer = said if said is not None else reason or "0x"
            result = CallResult(said is not None, bytes.fromhex(answer[2:]))
            self._known[to.lower(), data] = result

    async def calls(self, calls: Sequence[Call], block: object) -> list[CallResult]:
        return [self._known[call.to, "0x" + call.data.hex()] for call in calls]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_number_agrees_with_what_was_recorded_at_the_checkpoints(
    seed: int, tmp_path: Path
) -> None:
    """The large chains; here the referee was asked while they were made, by somebody with funds."""
    built, store = build(seed), new_store(tmp_path)
    with start(built) as devnet:
        market = morpho(devnet.deployment)
        summary = index_live(devnet.url, store, market)
        of = stored(store, market)
        head = with_reader(devnet.url, lambda reader: verify(reader, store, of, summary.block))
        reader = RpcChainReader(devnet.url)
        checkpoints = list(read_checkpoints(built / CHECKPOINTS))

        async def blocks() -> list[Any]:
            try:
                return await reader.blocks([checkpoint["block"] for checkpoint in checkpoints])
            finally:
                await reader.aclose()

        headers = asyncio.run(blocks())
        composed = len(devnet.protocols.morpho.composed)
    verdicts, unhealthy = [], 0
    for checkpoint, block in zip(checkpoints, headers, strict=True):
        answers: Any = CheckpointReader(checkpoint)
        verdicts.append(asyncio.run(verify(answers, store, of, block)))
        with store.transaction() as connection:
            asked = questions_at(snapshot(connection, of, block))
        unhealthy += sum(one.ours == (0,) for one in asked if one.refusal)
    store.close()

    assert head.mismatches == ()
    assert head.accounts >= 150
    assert len(verdicts) >= 20
    assert [verdict.mismatches for verdict in verdicts] == [()] * len(verdicts)
    assert sum(verdict.read for verdict in verdicts) == 0
    assert head.read <= composed
    assert unhealthy >= 5


PLANTED = [
    *((Position, column) for column in ("supply_shares_raw", "borrow_shares_raw")),
    (Position, "collateral_raw"),
    *((Market, f"total_{side}_raw") for side in ("supply_assets", "supply_shares")),
    *((Market, f"total_{side}_raw") for side in ("borrow_assets", "borrow_shares")),
    *((Market, column) for column in ("last_update_ts", "fee_wad", "lltv_wad")),
    (Oracle, "scale_factor"),
]


@pytest.mark.parametrize(("row_type", "column"), PLANTED)
def test_an_off_by_one_in_a_stored_number_is_found(
    lived: Lived, row_type: type[Row], column: str
) -> None:
    with changed(lived.store, row_type, column):
        assert lived.verdict().mismatches
    assert lived.verdict().mismatches == ()


def test_a_wrong_side_of_the_threshold_is_found(
    lived: Lived, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Storage is right, but everybody is held to be healthy, or nobody."""
    for answer in (True, False):
        monkeypatch.setattr(
            "defirisk.protocols.lending.morpho_blue.referee.is_healthy", lambda *_, a=answer: a
        )
        fields = {mismatch.field for mismatch in lived.verdict().mismatches}
        assert fields == {"healthy"}


def test_an_oracle_of_unknown_making_is_read_and_valued_all_the_same(
    lived: Lived,
) -> None:
    """Without its feeds the price of one market's oracle is what `price()` said."""
    table, book, before = row_table(Oracle), lived.book(), lived.verdict()
    # The last plain market's tokens are priced by feeds of other markets.
    victim = lived.devnet.protocols.morpho.plain[-1].oracle.lower()
    (true,) = (row["scale_factor"] for row in lived.rows(Oracle) if row["oracle"] == victim)
    of_victim = table.c.oracle == victim
    try:
        with lived.store.transaction() as connection:
            connection.execute(update(table).where(of_victim).values(scale_factor=0))
        verdict, read = lived.verdict(), lived.book()
    finally:
        with lived.store.transaction() as connection:
            connection.execute(update(table).where(of_victim).values(scale_factor=true))

    assert verdict.mismatches == ()
    assert verdict.read == before.read + 1
    assert not read.unpriced.any()
    assert read.quote_price == pytest.approx(book.quote_price, rel=1e-9)
    grades = [[market.price_grade for market in one.markets] for one in (book, read)]
    assert grades[1].count("read") == grades[0].count("read") + 2


def test_an_unknown_rate_model_is_read_at_the_last_block_and_a_guess_before(
    lived: Lived,
) -> None:
    """Its rate is what the model said where the run ended; the contract still agrees there."""
    table = row_table(Irm)
    try:
        with lived.store.transaction() as connection:
            connection.execute(update(table).values(proportional=False))
        numbers = sorted({log.block_number for log in recorded_logs(lived.store, lived.source())})
        with lived.store.transaction() as connection:
            of = stored(lived.store, lived.deployment)
            chain_id = lived.deployment.chain_id
            last = snapshot(connection, of, stored_block(connection, chain_id, None))
            earlier = block_at(connection, chain_id, numbers[-40])
            assert earlier is not None
            before = snapshot(connection, of, earlier)
            findings = [
                [one.code for one in MORPHO_BLUE.findings(at)]  # type: ignore[attr-defined]
                for at in (last, before)
            ]
        verdict = lived.verdict()
    finally:
        with lived.store.transaction() as connection:
            connection.execute(update(table).values(proportional=True))

    assert verdict.mismatches == ()
    assert "estimated-interest" not in findings[0]
    assert "estimated-interest" in findings[1]
