"""Every account, six numbers each, and every reserve: ours against the contracts' own answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from defirisk.chain.recorded import RecordedChainReader
from defirisk.core.adapter import Deployment
from defirisk.core.verdict import Verdict
from defirisk.indexing.verify import verify
from defirisk.protocols.lending.aave_v3 import scaled_balance
from defirisk.protocols.lending.aave_v3.rows import Reserve, UserReserve
from defirisk.store.database import Store
from defirisk.store.raw import block_at
from defirisk.store.row_tables import row_table
from tests.devnet.build import CHECKPOINTS, DEPLOYMENT, build, start
from tests.devnet.checkpoints import read_checkpoints
from tests.devnet.record import RECORDING, deployment, recorded
from tests.onchain.markets import index_live, index_recorded, new_store, stored, with_reader

pytestmark = pytest.mark.onchain

SEEDS = [
    1,
    2,
    pytest.param(3, marks=pytest.mark.nightly),
    pytest.param(4, marks=pytest.mark.nightly),
    pytest.param(5, marks=pytest.mark.nightly),
]


@pytest.fixture(scope="module", params=SEEDS)
def seed(request: pytest.FixtureRequest) -> int:
    value: int = request.param
    return value


@pytest.fixture(scope="module")
def market(seed: int) -> Deployment:
    return deployment(json.loads((build(seed) / DEPLOYMENT).read_text()))


@pytest.fixture(scope="module")
def replayed(
    seed: int, market: Deployment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A store filled from the seed's recording."""
    store = new_store(tmp_path_factory.mktemp("verify"))
    index_recorded(recorded(seed) / RECORDING, store, market)
    yield store
    store.close()


def verdict_at(seed: int, store: Store, market: Deployment, number: int) -> Verdict:
    """The verdict of the recorded contracts at one block."""
    reader = RecordedChainReader(recorded(seed) / RECORDING)

    async def work() -> Verdict:
        block = await reader.block(number)
        return await verify(reader, store, stored(store, market), block)

    return asyncio.run(work())


def test_every_account_agrees_with_the_running_contracts_at_the_head(
    seed: int, market: Deployment, tmp_path: Path
) -> None:
    store = new_store(tmp_path)
    with start(build(seed)) as devnet:
        summary = index_live(devnet.url, store, market)
        verdict = with_reader(
            devnet.url, lambda reader: verify(reader, store, stored(store, market), summary.block)
        )
    store.close()

    assert verdict.mismatches == ()
    assert verdict.accounts >= 300
    assert verdict.compared == 6 * verdict.accounts + 10 * 8
    assert verdict.read == 0


def test_every_account_agrees_with_what_the_contracts_said_at_every_checkpoint(
    seed: int, market: Deployment, replayed: Store
) -> None:
    blocks = [checkpoint["block"] for checkpoint in read_checkpoints(build(seed) / CHECKPOINTS)]

    verdicts = [verdict_at(seed, replayed, market, number) for number in blocks]

    assert len(blocks) >= 20
    assert [v.mismatches for v in verdicts] == [()] * len(blocks)
    assert [v.read for v in verdicts] == [0] * len(blocks)
    assert all(v.compared > 6 * v.accounts for v in verdicts)
    assert verdicts[-1].accounts >= 300


def test_the_recorded_answers_are_not_made_by_our_own_fold(seed: int) -> None:
    """The checkpoints hold what `eth_call` returned while the population was made."""
    for checkpoint in read_checkpoints(build(seed) / CHECKPOINTS):
        assert all(len(call) == 3 for call in checkpoint["calls"])
        assert len({data[:10] for _, data, _ in checkpoint["calls"]}) >= 7


COLUMNS = [
    (UserReserve, "scaled_a_token_raw"),
    (UserReserve, "scaled_variable_debt_raw"),
    (Reserve, "liquidity_index_ray"),
    (Reserve, "variable_borrow_index_ray"),
    (Reserve, "deficit_raw"),
    (Reserve, "virtual_underlying_raw"),
    (Reserve, "scaled_supply_raw"),
    (Reserve, "scaled_variable_debt_raw"),
    (Reserve, "liquidation_threshold_bps"),
    (Reserve, "ltv_bps"),
    (Reserve, "borrow_cap"),
]


@pytest.mark.parametrize(("row_type", "column"), COLUMNS)
def test_an_off_by_one_in_a_stored_number_is_found(
    row_type: type[UserReserve] | type[Reserve],
    column: str,
    seed: int,
    market: Deployment,
    replayed: Store,
) -> None:
    table = row_table(row_type)
    current = table.c.valid_to_block.is_(None)
    with replayed.engine.connect() as connection:
        rows = connection.execute(select(table).where(current)).mappings().all()
    victim = max(rows, key=lambda row: int(row[column]))
    here = [current, *(table.c[name] == victim[name] for name in row_type.key)]
    head = replayed_head(replayed, market)
    try:
        with replayed.transaction() as connection:
            changed = {column: victim[column] + (10**9 if column.endswith("_ray") else 1)}
            connection.execute(update(table).where(*here).values(**changed))
        verdict = verdict_at(seed, replayed, market, head)
    finally:
        with replayed.transaction() as connection:
            connection.execute(update(table).where(*here).values(**{column: victim[column]}))

    assert verdict.mismatches
    assert verdict_at(seed, replayed, market, head).mismatches == ()


def replayed_head(store: Store, market: Deployment) -> int:
    with store.transaction() as connection:
        block = block_at(connection, market.chain_id, stored(store, market).folded_to)
    assert block is not None
    return block.number


def test_a_wrong_rounding_of_debt_is_found(
    seed: int, market: Deployment, replayed: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fold is right, but balances are rounded down where the contract rounds up."""
    monkeypatch.setattr(
        "defirisk.protocols.lending.aave_v3.account_data.variable_debt_balance",
        scaled_balance.ray_mul_floor,
    )

    verdict = verdict_at(seed, replayed, market, replayed_head(replayed, market))

    assert {mismatch.field for mismatch in verdict.mismatches} >= {"total_debt_base"}


def test_a_price_that_was_read_does_not_count_as_compared(
    seed: int, market: Deployment, replayed: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a fold of the feeds, prices come from the oracle's own view."""
    head = replayed_head(replayed, market)
    with_feeds = verdict_at(seed, replayed, market, head)
    monkeypatch.setattr("defirisk.store.snapshots.answers", lambda *_: {})

    verdict = verdict_at(seed, replayed, market, head)

    assert verdict.mismatches == ()
    assert verdict.read == 8
    assert verdict.compared == with_feeds.compared - 8


def test_a_sample_is_the_same_for_the_same_seed(
    seed: int, market: Deployment, replayed: Store
) -> None:
    reader = RecordedChainReader(recorded(seed) / RECORDING)

    async def sampled(which: int) -> Verdict:
        block = await reader.block(replayed_head(replayed, market))
        of = stored(replayed, market)
        return await verify(reader, replayed, of, block, sample=20, seed=which)

    first, again = asyncio.run(sampled(7)), asyncio.run(sampled(7))

    assert first == again
    assert first.accounts == 20
    assert replace(first, accounts=0).mismatches == ()
