"""A pool that a price is read from is recognised by its own answers, and rebuilt from its logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from defirisk.core.adapter import VenueWanted
from defirisk.core.evm import Block, ChainReader
from defirisk.core.plugins import adapter
from defirisk.core.sources import VenueAdapter
from defirisk.core.verdict import Verdict
from defirisk.indexing.discovery import own_name, register
from defirisk.indexing.run import index
from defirisk.indexing.verify import verify
from defirisk.store.database import Store
from defirisk.store.registry import StoredDeployment, find_deployment
from defirisk.store.snapshots import snapshot
from tests.devnet.build import Devnet
from tests.onchain.markets import new_store, with_reader

pytestmark = pytest.mark.onchain

SECTIONS = {"uniswap-v2": "uniswap-v2", "uniswap-v3": "uniswap-v3", "curve-stableswap": "curve"}


def own(store: Store, protocol: str, chain_id: int) -> StoredDeployment:
    """The deployment that every run makes for a kind of exchange."""
    with store.transaction() as connection:
        found = find_deployment(connection, own_name(adapter(protocol), chain_id))
    assert found is not None
    return found


def venues(store: Store, found: StoredDeployment, at: Block) -> list[tuple[str, str]]:
    its = adapter(found.deployment.protocol)
    assert isinstance(its, VenueAdapter)
    with store.transaction() as connection:
        said = its.venues(snapshot(connection, found, at))
        return [(venue.address, venue.grade) for venue in said]


def test_a_wanted_pool_is_recognised_by_its_own_kind(devnet: Devnet, tmp_path: Path) -> None:
    """Nobody names the exchanges: each pool is asked by every kind, and a stranger belongs to none.

    A Curve pool that no factory told of has its balances read; all else comes from logs.
    """
    store, chain_id = new_store(tmp_path), devnet.deployment["chain_id"]
    wanted = {
        protocol: min(pool["address"].lower() for pool in devnet.deployment[key]["pools"].values())
        for protocol, key in SECTIONS.items()
    }
    stranger = devnet.deployment["aave-v3"]["addresses"]["pool"].lower()

    async def work(reader: ChainReader) -> tuple[Block, dict[str, Verdict]]:
        await index(reader, store, [], "latest")
        with store.transaction() as connection:
            owner = find_deployment(connection, own_name(adapter("chainlink"), chain_id))
            assert owner is not None
            pools = [VenueWanted(address=one, first_block=9) for one in wanted.values()]
            register(connection, owner, [*pools, VenueWanted(address=stranger, first_block=9)], 9)
        summary = await index(reader, store, [], "latest")
        return summary.block, {
            protocol: await verify(reader, store, own(store, protocol, chain_id), summary.block)
            for protocol in wanted
        }

    block, verdicts = with_reader(devnet.url, work)

    for protocol, address in wanted.items():
        grade = "read" if protocol == "curve-stableswap" else "logs"
        assert venues(store, own(store, protocol, chain_id), block) == [(address, grade)]
        assert verdicts[protocol].mismatches == ()
        assert verdicts[protocol].compared >= 20
    store.close()
