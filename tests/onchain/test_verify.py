"""Every account, six numbers each, and every reserve: ours against the contracts' own answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import and_, select, update

from defirisk.chain.recorded import RecordedChainReader
from defirisk.core.adapter import Deployment
from defirisk.core.verdict import Verdict
from defirisk.indexing.verify import verify
from defirisk.protocols.lending.aave_v3.generation import V3_0, V3_6, Generation
from defirisk.protocols.lending.aave_v3.rows import Reserve, UserReserve
from defirisk.protocols.lending.aave_v3.scaled_balance import ray_mul_floor
from defirisk.store.database import Store
from defirisk.store.raw import block_at
from defirisk.store.row_tables import row_table
from tests.demo import read_once
from tests.devnet.build import CHECKPOINTS, DEPLOYMENT, build, start
from tests.devnet.checkpoints import read_checkpoints
from tests.devnet.record import RECORDING, deployments, recorded
from tests.onchain.markets import index_live, index_recorded, new_store, stored, with_reader

pytestmark = pytest.mark.onchain

SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (2, 3, 4, 5))]


@pytest.fixture(scope="module", params=SEEDS)
def seed(request: pytest.FixtureRequest) -> int:
    value: int = request.param
    return value


@dataclass(frozen=True)
class Expected:
    """What is known of a market: whose rules it follows, and how much there is to compare."""

    generation: Generation
    accounts: int
    per_reserve: int
    columns: tuple[str, ...]  # of reserves, which the other one does not have


EXPECTED = {
    "aave-v3-devnet": Expected(V3_6, 300, 10, ("deficit_raw",)),
    "aave-v3.0-devnet": Expected(V3_0, 150, 11, ("emode_category_id", "unbacked_mint_cap")),
}


@pytest.fixture(scope="module", params=EXPECTED)
def market(seed: int, request: pytest.FixtureRequest) -> Deployment:
    described = json.loads((build(seed) / DEPLOYMENT).read_text())
    return next(one for one in deployments(described) if one.name == request.param)


@pytest.fixture(scope="module")
def expected(market: Deployment) -> Expected:
    return EXPECTED[market.name]


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
    reader = RecordedChainReader(read_once(recorded(seed) / RECORDING))

    async def work() -> Verdict:
        block = await reader.block(number)
        return await verify(reader, store, stored(store, market), block)

    return asyncio.run(work())


def test_every_account_agrees_with_the_running_contracts_at_the_head(
    seed: int, market: Deployment, expected: Expected, tmp_path: Path
) -> None:
    store = new_store(tmp_path)
    with start(build(seed)) as devnet:
        summary = index_live(devnet.url, store, market)
        verdict = with_reader(
            devnet.url, lambda reader: verify(reader, store, stored(store, market), summary.block)
        )
    store.close()

    assert verdict.mismatches == ()
    assert verdict.accounts >= expected.accounts
    assert verdict.compared == 6 * verdict.accounts + expected.per_reserve * 8
    assert verdict.read == 0


def test_every_account_agrees_with_what_the_contracts_said_at_every_checkpoint(
    seed: int, market: Deployment, expected: Expected, replayed: Store
) -> None:
    blocks = [checkpoint["block"] for checkpoint in read_checkpoints(build(seed) / CHECKPOINTS)]

    verdicts = [verdict_at(seed, replayed, market, number) for number in blocks]

    assert len(blocks) >= 20
    assert [v.mismatches for v in verdicts] == [()] * len(blocks)
    assert [v.read for v in verdicts] == [0] * len(blocks)
    assert all(v.compared > 6 * v.accounts for v in verdicts)
    assert verdicts[-1].accounts >= expected.accounts


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
    assert found_when_changed(row_type, column, seed, market, replayed)


def test_an_off_by_one_in_what_only_this_generation_has_is_found(
    seed: int, market: Deployment, expected: Expected, replayed: Store
) -> None:
    for column in expected.columns:
        assert found_when_changed(Reserve, column, seed, market, replayed), column


def found_when_changed(
    row_type: type[UserReserve] | type[Reserve],
    column: str,
    seed: int,
    market: Deployment,
    replayed: Store,
) -> bool:
    """Whether the referee sees the largest number of a column one higher; undone afterwards."""
    table = row_table(row_type)
    current = and_(
        table.c.valid_to_block.is_(None), table.c.deployment_id == stored(replayed, market).id
    )
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
    assert verdict_at(seed, replayed, market, head).mismatches == ()
    return bool(verdict.mismatches)


def replayed_head(store: Store, market: Deployment) -> int:
    with store.transaction() as connection:
        block = block_at(connection, market.chain_id, stored(store, market).folded_to)
    assert block is not None
    return block.number


READ_BY = "defirisk.protocols.lending.aave_v3.market_now.generation_of"
FOLDED_BY = "defirisk.protocols.lending.aave_v3.fold.code.generation_of"


def test_a_wrong_rounding_of_debt_is_found(
    seed: int,
    market: Deployment,
    expected: Expected,
    replayed: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The fold is right, but balances are rounded down where the contract rounds otherwise."""
    down = expected.generation.balances._replace(variable_debt=ray_mul_floor)
    wrong = replace(expected.generation, balances=down)
    monkeypatch.setattr(READ_BY, lambda _: wrong)

    verdict = verdict_at(seed, replayed, market, replayed_head(replayed, market))

    assert {mismatch.field for mismatch in verdict.mismatches} >= {"total_debt_base"}


@pytest.mark.parametrize("rule", ["balances", "ratios", "compounding"])
def test_a_rule_of_the_other_generation_is_found(
    rule: str,
    seed: int,
    market: Deployment,
    expected: Expected,
    replayed: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = V3_6 if expected.generation is V3_0 else V3_0
    wrong = replace(expected.generation, **{rule: getattr(other, rule)})
    monkeypatch.setattr(READ_BY, lambda _: wrong)

    assert verdict_at(seed, replayed, market, replayed_head(replayed, market)).mismatches


def test_a_fold_by_the_rules_of_the_other_generation_is_found(
    seed: int,
    market: Deployment,
    expected: Expected,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = V3_6 if expected.generation is V3_0 else V3_0
    monkeypatch.setattr(FOLDED_BY, lambda _: other)
    store = new_store(tmp_path)
    index_recorded(recorded(seed) / RECORDING, store, market)

    verdict = verdict_at(seed, store, market, replayed_head(store, market))

    store.close()
    assert {mismatch.field for mismatch in verdict.mismatches} >= {
        "sum of a_token scaled balances",
        "sum of variable_debt_token scaled balances",
    }


def test_a_price_that_was_read_does_not_count_as_compared(
    seed: int, market: Deployment, replayed: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a fold of the feeds, prices come from the oracle's own view."""
    head = replayed_head(replayed, market)
    with_feeds = verdict_at(seed, replayed, market, head)
    monkeypatch.setattr("defirisk.store.snapshots._add_answers", lambda *_: None)

    verdict = verdict_at(seed, replayed, market, head)

    assert verdict.mismatches == ()
    assert verdict.read == 8
    assert verdict.compared == with_feeds.compared - 8


def test_a_sample_is_the_same_for_the_same_seed(
    seed: int, market: Deployment, replayed: Store
) -> None:
    reader = RecordedChainReader(read_once(recorded(seed) / RECORDING))

    async def sampled(which: int) -> Verdict:
        block = await reader.block(replayed_head(replayed, market))
        of = stored(replayed, market)
        return await verify(reader, replayed, of, block, sample=20, seed=which)

    first, again = asyncio.run(sampled(7)), asyncio.run(sampled(7))

    assert first == again
    assert first.accounts == 20
    assert replace(first, accounts=0).mismatches == ()
