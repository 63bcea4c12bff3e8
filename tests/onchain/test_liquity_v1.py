"""Liquity v1 through Sovryn Zero: every number of ours against what the running contracts say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from defirisk.core.debt_position import StatesDebt
from defirisk.core.evm import Block
from defirisk.core.row import Row
from defirisk.indexing.folding import fold_logs
from defirisk.indexing.rewinding import rewind_deployment
from defirisk.indexing.source import Source, silent
from defirisk.protocols.cdp.liquity_v1 import ADAPTER
from defirisk.protocols.cdp.liquity_v1.rows import (
    Aggregator,
    PriceRead,
    SystemParameters,
)
from defirisk.protocols.cdp.liquity_v1.system_now import system_now
from defirisk.store.database import Store
from defirisk.store.registry import find_deployment
from tests.conformance.folding import fold_checked, recorded_logs, sources, versions
from tests.devnet.abi import call_data
from tests.devnet.alone import Alone, Story, fresh_alone
from tests.devnet.build import CHECKPOINTS
from tests.devnet.checkpoints import read_checkpoints
from tests.onchain.liquity_v1_chain import (
    SEEDS,
    Indexed,
    block_of,
    compared,
    deployment_of,
    indexed_chain,
)
from tests.onchain.liquity_v1_oddities import Oddities
from tests.onchain.markets import index_live, new_store

pytestmark = pytest.mark.onchain
PACKAGE = "defirisk.protocols.cdp.liquity_v1"
READ_ROWS: set[type[Row]] = {Aggregator, PriceRead, SystemParameters}


@pytest.fixture(scope="module", params=SEEDS)
def indexed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Indexed]:
    with indexed_chain(request.param, tmp_path_factory.mktemp("liquity")) as found:
        yield found


def test_everything_agrees_with_the_running_contracts_at_the_head(indexed: Indexed) -> None:
    verdict = indexed.verdict()

    assert verdict.mismatches == ()
    assert verdict.read == 8  # parameters, of which no log tells
    assert verdict.accounts >= 10
    assert verdict.compared > 600


def test_the_story_has_all_that_can_happen(indexed: Indexed) -> None:
    happened = indexed.happened()

    assert happened["TroveLiquidated manager 1"] >= 1, "in normal mode"
    assert happened["TroveLiquidated manager 2"] >= 5, "in recovery mode"
    assert happened["LTermsUpdated"] >= 1, "redistributions"
    assert happened["S_Updated"] >= 10, "debts that the pool absorbed"
    assert happened["EpochUpdated"] >= 1, "the pool was emptied"
    assert happened["Redemption"] >= 10
    assert happened["TroveUpdated manager 3"] > happened["Redemption"], "of several troves at once"
    assert happened["TroveUpdated manager 0"] >= 5, "pending amounts were taken over"
    assert happened["TroveUpdated owner 0"] >= 45
    assert happened["TroveUpdated owner 1"] >= 3
    assert happened["TroveUpdated owner 2"] >= 50
    assert happened["CollBalanceUpdated"] >= 5
    assert happened["G_Updated"] >= 20


def test_bad_debt_and_pending_redistributions_are_seen(indexed: Indexed) -> None:
    bad = pending = 0
    for checkpoint in read_checkpoints(indexed.path / CHECKPOINTS):
        snapshot = indexed.snapshot(block_of(indexed, checkpoint))
        bad += ADAPTER.debt(snapshot).bad_debt_raw > 0
        now = system_now(snapshot)
        pending += any(one.pending_debt_raw and one.pending_coll_raw for one in now.active.values())

    assert bad >= 1
    assert pending >= 1


def test_everything_agrees_with_what_the_contracts_said_at_every_checkpoint(
    indexed: Indexed,
) -> None:
    every = [compared(indexed, one) for one in read_checkpoints(indexed.path / CHECKPOINTS)]

    assert len(every) >= 20
    assert [mismatch for one in every for mismatch in one.wrong] == []
    assert set[object]().union(*(one.refusals for one in every)) == {(0,), (1,)}
    assert every[0].fields > 30
    assert every[-1].fields > 500


def test_our_word_on_a_liquidation_is_what_would_happen(indexed: Indexed) -> None:
    """At all checkpoints, of every account, with a trove or without."""
    done = set()
    for checkpoint in read_checkpoints(indexed.path / CHECKPOINTS):
        snapshot = indexed.snapshot(block_of(indexed, checkpoint))
        check = ADAPTER.liquidation_check(snapshot)
        succeeded = {data: result is not None for *_, data, result, _ in checkpoint["trials"]}
        for account in indexed.alone.deployment["accounts"]:
            theirs = succeeded[call_data("liquidate(address)", (account,))]
            assert check(account, {}) == theirs
            done.add(theirs)
    assert done == {True, False}


def test_the_common_rows_say_what_the_contracts_say(indexed: Indexed) -> None:
    snapshot = indexed.snapshot()
    assert isinstance(ADAPTER, StatesDebt)
    system, now = ADAPTER.debt(snapshot), system_now(snapshot)
    (market,) = system.markets

    assert {one.unit for one in system.positions} == now.active.keys()
    assert sum(one.debt_raw for one in system.positions) == pytest.approx(
        market.debt_raw, rel=1e-15
    )
    assert market.minimum_debt_raw == 200 * 10**18
    assert market.minimum_ratio == pytest.approx(1.1)
    assert market.critical_ratio == pytest.approx(1.5)
    assert market.total_ratio is not None
    assert market.critical_ratio is not None
    assert market.recovery_mode == (market.total_ratio < market.critical_ratio)
    rates = [one.ratio for one in system.positions if one.ratio is not None]
    assert len(rates) == len(system.positions)
    assert system.bad_debt_raw > 0 or min(rates) >= 1


@pytest.fixture
def refolded(indexed: Indexed, tmp_path: Path) -> Iterator[tuple[Store, Source]]:
    """A store of its own, with only what logs say in its rows."""
    store = new_store(tmp_path, "folds.db")
    index_live(indexed.alone.url, store, indexed.market)
    (source,) = [one for one in sources(store) if one.adapter.name == ADAPTER.name]
    refold(store, source, after=-1)
    yield store, source
    store.close()


def refold(store: Store, source: Source, after: int, *, to: int | None = None) -> None:
    """Undoes everything after a block, and folds it again."""
    with store.transaction() as connection:
        stored = find_deployment(connection, source.stored.deployment.name)
        assert stored is not None
        rewind_deployment(connection, stored, after)
    number = source.stored.folded_to if to is None else to
    fold_logs(store, source, Block(number=number, hash="", parent_hash="", timestamp=0), silent)


def folded(store: Store, source: Source) -> dict[str, list[Any]]:
    return versions(store, source.stored, source.adapter)


def test_fold_undo_fold_equals_fold(refolded: tuple[Store, Source]) -> None:
    store, source = refolded
    whole = folded(store, source)
    for part in (0.3, 0.62, 0.9):
        cut = int(source.stored.folded_to * part)
        refold(store, source, after=cut, to=cut)
        undone = folded(store, source)
        assert undone != whole
        refold(store, source, after=-1, to=cut)
        assert folded(store, source) == undone
        refold(store, source, after=cut)
        assert folded(store, source) == whole


def test_every_log_names_all_the_rows_that_it_reads_and_writes(
    refolded: tuple[Store, Source],
) -> None:
    store, source = refolded
    logs = recorded_logs(store, source)
    rows = fold_checked(source.adapter, logs).rows

    assert len(logs) > 1_000
    assert {row_type for row_type, _ in rows} == set(ADAPTER.rows) - READ_ROWS


@pytest.fixture
def small() -> Iterator[Alone]:
    with fresh_alone("zero", 3, Story(accounts=12, steps=20, actions=3)) as chain:
        yield chain


def test_what_rarely_happens_is_folded_as_well(small: Alone, tmp_path: Path) -> None:
    """Step by step, and then all of it at once into a second store."""
    market, store = deployment_of(small), new_store(tmp_path)
    read = {}
    for step in Oddities(small).steps():
        step()
        block = index_live(small.url, store, market).block
        verdict = Indexed(small, tmp_path, store, market, block).verdict()
        assert verdict.mismatches == (), step.__name__
        read[step.__name__] = verdict.read
    once = new_store(tmp_path, "once.db")
    block = index_live(small.url, once, market).block
    again = Indexed(small, tmp_path, once, market, block).verdict()

    assert again == verdict
    # Parameters always; at last a price that no feed states.
    assert set(read.values()) == {8, 9}
    assert list(read.values())[-1] == 9
    store.close()
    once.close()
