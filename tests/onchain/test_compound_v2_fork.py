"""A fork of Compound v2: its own sources with the events of Venus, compiled and lived on."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from eth_hash.auto import keccak

from defirisk.indexing.verify import verify
from defirisk.protocols.lending.compound_v2 import ADAPTER
from defirisk.protocols.lending.compound_v2.rows import AccountMarket
from defirisk.store.snapshots import snapshot
from tests.devnet.accounts import draw_accounts
from tests.devnet.build import Devnet, fresh
from tests.devnet.compound_v2.life import settle_compound
from tests.devnet.compound_v2.market import FORK, LISTINGS, deploy_compound
from tests.devnet.life import Pace
from tests.devnet.purse import Purse
from tests.devnet.record import deployments
from tests.onchain.compound_v2_oddities import Oddities
from tests.onchain.markets import index_live, new_store, stored, with_reader

pytestmark = pytest.mark.onchain
PACE = Pace(steps=25, actions=4)


@pytest.fixture(scope="module")
def forked() -> Iterator[Devnet]:
    """A running chain on which the fork stands in Compound's place."""
    with fresh(3) as devnet:
        market = devnet.market
        fork = deploy_compound(devnet.chain, market.tokens, market.feeds, FORK)
        protocols = replace(devnet.protocols, compound_v2=fork)
        described = devnet.deployment | {"compound-v2": fork.describe()}
        forked = replace(devnet, protocols=protocols, deployment=described)
        live_on(forked)
        yield forked


def live_on(devnet: Devnet) -> None:
    """Accounts join and act, keepers liquidate; then what rarely happens."""
    oddities, rng = Oddities(devnet), random.Random("fork")
    prices = {listing.symbol: oddities.price(listing.symbol) for listing in LISTINGS}
    purse = Purse(devnet.market.tokens, prices)
    accounts = draw_accounts(3, rng, 24, PACE.steps)
    devnet.chain.fund([account.address for account in accounts])
    life = settle_compound(devnet.chain, devnet.protocols, purse, rng, accounts, PACE)
    for step in range(PACE.steps):
        life.live(step)
    for odd in oddities.steps():
        odd()


def topic_counts(devnet: Devnet, signature: str) -> set[int]:
    """How many topics the fork's logs of an event have."""
    fork = devnet.protocols.compound_v2
    asked = {
        "address": [fork.comptroller, *(one.ctoken for one in fork.ctokens.values())],
        "topics": ["0x" + keccak(signature.encode()).hex()],
        "fromBlock": hex(fork.first_block),
        "toBlock": "latest",
    }
    return {len(log["topics"]) for log in devnet.chain.rpc.call("eth_getLogs", asked)}


def test_its_events_are_not_laid_out_as_compound_s(forked: Devnet) -> None:
    assert topic_counts(forked, "MarketListed(address)") == {2}
    assert topic_counts(forked, "MarketEntered(address,address)") == {3}
    assert topic_counts(forked, "MarketExited(address,address)") == {3}
    assert topic_counts(forked, "NewCollateralFactor(address,uint256,uint256)") == {2}
    assert topic_counts(forked, "Mint(address,uint256,uint256)") == set()
    assert topic_counts(forked, "Mint(address,uint256,uint256,uint256)") == {1}
    assert topic_counts(forked, "Redeem(address,uint256,uint256,uint256)") == {1}


def test_every_number_agrees_with_the_running_contracts(forked: Devnet, tmp_path: Path) -> None:
    market = next(one for one in deployments(forked.deployment) if one.protocol == ADAPTER.name)
    store = new_store(tmp_path)
    block = index_live(forked.url, store, market).block
    of = stored(store, market)

    verdict = with_reader(forked.url, lambda reader: verify(reader, store, of, block))
    with store.transaction() as connection:
        rows = list(snapshot(connection, of, block).rows.all(AccountMarket))
    store.close()

    assert verdict.mismatches == ()
    assert verdict.accounts >= 25
    # At last a price that no feed states, and cash that no event told of.
    assert verdict.read == 2
    assert sum(row.entered for row in rows) >= 20
    assert any(row.principal_raw for row in rows)
