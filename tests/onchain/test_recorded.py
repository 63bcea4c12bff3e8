"""One store, whichever way it was filled: live or recorded, at once or in steps, after a reorg."""

from __future__ import annotations

import asyncio
import lzma
from collections.abc import Iterator
from pathlib import Path

import pytest

from defirisk.chain.recorded import Recorder
from defirisk.chain.rpc import RpcChainReader
from defirisk.core.adapter import Deployment
from defirisk.core.errors import FinalityBroken
from defirisk.indexing.run import index
from defirisk.indexing.verify import verify
from defirisk.protocols.lending.aave_v3 import AaveV3
from defirisk.store.frames import load_book
from defirisk.store.snapshots import stored_block
from tests.devnet.build import Devnet, fresh
from tests.devnet.chain import Tx
from tests.devnet.market import Market
from tests.devnet.protocol import ADMIN
from tests.devnet.record import FIXTURES, RECORDING, deployment, recorded
from tests.onchain.dump import READ_AT_RUNS, dump
from tests.onchain.markets import index_live, index_recorded, new_store, stored, with_reader

pytestmark = pytest.mark.onchain


@pytest.fixture
def small() -> Iterator[Devnet]:
    """A fresh small chain with all its history."""
    with fresh(3, accounts=12, actions=60) as devnet:
        yield devnet


@pytest.fixture
def market(small: Devnet) -> Deployment:
    return deployment(small.deployment)


def test_a_recorded_chain_fills_the_same_store_as_the_live_one(
    small: Devnet, market: Deployment, tmp_path: Path
) -> None:
    live, again = new_store(tmp_path, "live.db"), new_store(tmp_path, "recorded.db")

    async def record() -> None:
        recorder = Recorder(RpcChainReader(small.url))
        await index(recorder, live, [market], "finalized")
        await recorder.save(tmp_path / "small.jsonl.xz")
        await recorder.aclose()

    asyncio.run(record())
    index_recorded(tmp_path / "small.jsonl.xz", again, market)

    assert dump(live) == dump(again)
    assert len(dump(live)["raw_logs"]) > 300


def test_a_second_run_reads_only_what_is_new(
    small: Devnet, market: Deployment, tmp_path: Path
) -> None:
    stepwise, at_once = new_store(tmp_path, "steps.db"), new_store(tmp_path, "once.db")
    head = small.chain.head

    first = index_live(small.url, stepwise, market, head // 2)
    second = index_live(small.url, stepwise, market, head)
    third = index_live(small.url, stepwise, market, head)
    whole = index_live(small.url, at_once, market, head)

    assert first.new_logs > 0
    assert second.new_logs > 0
    assert first.new_logs + second.new_logs == whole.new_logs
    assert (third.new_logs, third.rows_written) == (0, 0)
    assert dump(stepwise, without=READ_AT_RUNS) == dump(at_once, without=READ_AT_RUNS)


def test_after_a_reorg_the_store_equals_a_fresh_index(
    small: Devnet, market: Deployment, tmp_path: Path
) -> None:
    followed, afresh = new_store(tmp_path, "followed.db"), new_store(tmp_path, "afresh.db")
    index_live(small.url, followed, market)
    before = dump(followed)

    # On this chain the last two blocks are not final.
    small.chain.rpc.call("anvil_rollback", 2)
    small.chain.resync()
    feeds = Market.load(small.chain, small.deployment).feeds
    for price in (1700, 1650, 1600):
        small.chain.must(*feeds.report("WETH", price))
    summary = index_live(small.url, followed, market)
    index_live(small.url, afresh, market)

    assert summary.reorg_depth == 2
    assert dump(followed)["chainlink_answers"] != before["chainlink_answers"]
    without = READ_AT_RUNS | {"chains"}
    assert dump(followed, without=without) == dump(afresh, without=without)
    verdict = with_reader(
        small.url, lambda reader: verify(reader, followed, stored(followed, market), summary.block)
    )
    assert verdict.mismatches == ()

    kept = dump(followed)
    small.chain.rpc.call("anvil_rollback", 4)
    small.chain.resync()
    feeds = Market.load(small.chain, small.deployment).feeds
    for price in (1710, 1660, 1610, 1510, 1410):
        small.chain.must(*feeds.report("WETH", price))
    with pytest.raises(FinalityBroken, match="was final as 0x"):
        index_live(small.url, followed, market)
    assert dump(followed, without=frozenset({"leases"})) == {
        name: rows for name, rows in kept.items() if name != "leases"
    }


def test_an_implementation_that_was_never_proven_is_marked(
    small: Devnet, market: Deployment, tmp_path: Path
) -> None:
    store = new_store(tmp_path)
    index_live(small.url, store, market)
    with store.transaction() as connection:
        block = stored_block(connection, market.chain_id, None)
        proven = load_book(connection, [stored(store, market)], block)
    implementation = small.chain.deploy("PoolConfiguratorNext", ADMIN)
    provider = small.deployment["addresses"]["pool_addresses_provider"]
    small.chain.must(Tx(ADMIN, provider, "setPoolConfiguratorImpl(address)", (implementation,)))

    index_live(small.url, store, market)

    with store.transaction() as connection:
        now = stored_block(connection, market.chain_id, None)
        unproven = load_book(connection, [stored(store, market)], now)
        as_before = load_book(connection, [stored(store, market)], block)
    assert proven.deployments[0].findings == ()
    assert as_before.deployments[0].findings == ()
    (finding,) = unproven.deployments[0].findings
    assert finding.code == "unproven-implementation"
    assert "pool configurator" in finding.text
    assert "revision 8" in finding.text


def test_the_demo_is_what_seed_1_records_today() -> None:
    """Fails after a change of the local chain or of what is read: record the fixture again."""
    shipped = lzma.decompress((FIXTURES / "demo-chain.jsonl.xz").read_bytes())

    assert lzma.decompress((recorded(1) / RECORDING).read_bytes()) == shipped


def test_another_version_of_the_adapter_fetches_and_folds_everything_again(
    small: Devnet, market: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = new_store(tmp_path)
    first = index_live(small.url, store, market)
    before = dump(store)

    monkeypatch.setattr(AaveV3, "version", AaveV3.version + 1)
    second = index_live(small.url, store, market)

    assert second.new_logs > 0.5 * first.new_logs
    assert {name: rows for name, rows in dump(store).items() if name != "deployments"} == {
        name: rows for name, rows in before.items() if name != "deployments"
    }
