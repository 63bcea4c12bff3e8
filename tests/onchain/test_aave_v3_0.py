"""What the population of the v3.0 market never does, done once; and an upgrade of its Pool."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import pytest

from defirisk.contagion.cascade.pockets import renew_rates
from defirisk.contagion.cascade.pockets.columns import BORROW_RATE, SUPPLY_RATE
from defirisk.contagion.cascade.pockets.table import table_of
from defirisk.core.adapter import Deployment
from defirisk.core.book import Book
from defirisk.core.liquidation import Pocket
from defirisk.core.verdict import Verdict
from defirisk.indexing.verify import verify
from defirisk.protocols.lending.aave_v3 import ADAPTER
from defirisk.protocols.lending.aave_v3.market_now import market_now
from defirisk.protocols.lending.aave_v3.rows import (
    RAY,
    Donation,
    InterestRateStrategy,
    PoolCode,
    Reserve,
)
from defirisk.store.database import Store
from defirisk.store.frames import load_book
from defirisk.store.snapshots import snapshot, stored_block
from tests.devnet.aave_v3_0.market import ARTIFACTS, STABLE_RATES
from tests.devnet.abi import MAX_UINT256, derived_address, words
from tests.devnet.build import Devnet, fresh
from tests.devnet.chain import Tx
from tests.devnet.desk import Desk
from tests.devnet.market import Market
from tests.devnet.protocol import ADMIN
from tests.devnet.purse import Purse
from tests.devnet.record import deployments
from tests.onchain.dump import READ_AT_RUNS, dump
from tests.onchain.markets import index_live, new_store, stored, with_reader

pytestmark = pytest.mark.onchain

ANN, BOB = derived_address("v3.0 oddity a"), derived_address("v3.0 oddity b")
SETTER = "setEModeCategory(uint8,uint16,uint16,uint16,address,string)"


@dataclass(frozen=True)
class Lived:
    """A small chain with all its history, and a store of its v3.0 market."""

    devnet: Devnet
    deployment: Deployment
    store: Store

    @property
    def market(self) -> Market:
        return self.devnet.protocols.aave_v3_0

    @property
    def usdc(self) -> str:
        return self.market.assets["USDC"].token

    def send(self, *txs: Tx) -> None:
        self.devnet.chain.must(*txs)

    def check(self) -> Verdict:
        """Indexes what is new and asks the contracts."""
        summary = index_live(self.devnet.url, self.store, self.deployment)
        of = stored(self.store, self.deployment)
        return with_reader(
            self.devnet.url, lambda reader: verify(reader, self.store, of, summary.block)
        )

    def book(self) -> Book:
        with self.store.transaction() as connection:
            block = stored_block(connection, self.deployment.chain_id, None)
            return load_book(connection, [stored(self.store, self.deployment)], block)

    def row(self, row_type: type[Any], *key: str) -> Any:
        with self.store.transaction() as connection:
            block = stored_block(connection, self.deployment.chain_id, None)
            at = snapshot(connection, stored(self.store, self.deployment), block)
            return at.rows.find(row_type, *key)

    def findings(self) -> set[str]:
        return {finding.code for finding in self.book().deployments[0].findings}

    def pocket(self, symbol: str) -> Pocket:
        """What the reserve is to a cascade."""
        with self.store.transaction() as connection:
            block = stored_block(connection, self.deployment.chain_id, None)
            at = snapshot(connection, stored(self.store, self.deployment), block)
            assets = list(market_now(at).reserves)
            found = ADAPTER.liquidation(at, ADAPTER.holdings(at)).pockets
        return found[assets.index(self.market.assets[symbol].token.lower())]

    def put_strategy(self, symbol: str, *parameters: int) -> str:
        """Deploys a strategy (optimal usage, base, slopes, in ray) for a reserve."""
        name = ARTIFACTS + "DefaultReserveInterestRateStrategy"
        provider = self.market.addresses["pool_addresses_provider"]
        strategy = self.devnet.chain.deploy(name, ADMIN, provider, *parameters, *STABLE_RATES)
        setter = "setReserveInterestRateStrategyAddress(address,address)"
        self.send(self.market.configure(setter, self.market.assets[symbol].token, strategy))
        return strategy.lower()

    def cash(self, symbol: str) -> int:
        asset = self.market.assets[symbol]
        return words(self.devnet.chain.call(asset.token, "balanceOf(address)", asset.a_token))[0]


@pytest.fixture
def lived(tmp_path: Path) -> Iterator[Lived]:
    with fresh(3, accounts=12, actions=60) as devnet:
        market = next(d for d in deployments(devnet.deployment) if d.name == "aave-v3.0-devnet")
        store = new_store(tmp_path)
        yield Lived(devnet, market, store)
        store.close()


def test_index_in_steps_equals_index_at_once(lived: Lived, tmp_path: Path) -> None:
    at_once, head = new_store(tmp_path, "once.db"), lived.devnet.chain.head

    for block in (head // 2, 2 * head // 3, head):
        index_live(lived.devnet.url, lived.store, lived.deployment, block)
    index_live(lived.devnet.url, at_once, lived.deployment, head)

    without = READ_AT_RUNS
    assert dump(lived.store, without=without) == dump(at_once, without=without)
    assert lived.row(PoolCode, "pool") == PoolCode(role="pool", since_revision=1, first_revision=1)
    assert lived.check().mismatches == ()
    assert lived.findings() == set()
    at_once.close()


def test_a_gift_to_an_a_token_is_cash_that_was_read(lived: Lived) -> None:
    before = lived.check()
    gift = 12_345_678
    lived.devnet.chain.fund([ANN])
    to = lived.market.assets["USDC"].a_token
    granted = lived.market.tokens.grant("USDC", ANN, gift)

    lived.send(*granted, Tx(ANN, lived.usdc, "transfer(address,uint256)", (to, gift)))
    after = lived.check()

    assert (before.mismatches, before.read) == ((), 0)
    assert (after.mismatches, after.read) == ((), 1)
    assert lived.row(Donation, lived.usdc.lower()).amount_raw == gift
    book = lived.book()
    usdc = next(one for one in book.markets if book.symbol(one.asset) == "USDC")
    assert usdc.cash * 10**6 == pytest.approx(lived.cash("USDC"), abs=0.5)


def test_a_strategy_that_is_put_in_place_is_asked_for_its_parameters(lived: Lived) -> None:
    """None of them whole basis points; from then on, rates are those that the contract stores."""
    lived.check()
    before = lived.row(Reserve, lived.usdc.lower())
    odd = (RAY * 2 // 3, RAY // 97 + 1, 41_234_567_890_123_456_789_012_345, RAY * 5 // 7)
    lived.devnet.chain.fund([ANN])
    desk = Desk(lived.market, Purse(lived.market.tokens, {"USDC": 1.0}))

    strategy = lived.put_strategy("USDC", *odd)
    lived.send(*desk.fund(ANN, "USDC", 7_777_777), desk.supply(ANN, "USDC", 7_777_777))

    assert lived.check().mismatches == ()
    reserve, stated = (
        lived.row(Reserve, lived.usdc.lower()),
        lived.row(InterestRateStrategy, strategy),
    )
    assert (reserve.interest_rate_strategy, before.interest_rate_strategy != strategy) == (
        strategy,
        True,
    )
    assert astuple(stated) == (strategy, *odd)
    table = table_of((lived.pocket("USDC"),))
    renew_rates(table, 0)
    stored = reserve.variable_borrow_rate_ray, reserve.liquidity_rate_ray
    assert stored[0] != before.variable_borrow_rate_ray
    assert (table[0, BORROW_RATE], table[0, SUPPLY_RATE]) == pytest.approx(
        [rate / RAY for rate in stored], rel=1e-12
    )


def test_unbacked_mints_are_backed_later(lived: Lived) -> None:
    lived.devnet.chain.fund([ANN])
    pool, asset, amount, fee = lived.market.pool, lived.usdc, 5_000_000_000, 7_654_321
    acl = lived.market.addresses["acl_manager"]
    lived.send(
        Tx(ADMIN, acl, "addBridge(address)", (ANN,)),
        lived.market.configure("setUnbackedMintCap(address,uint256)", asset, 123_456),
        Tx(ANN, pool, "mintUnbacked(address,uint256,address,uint16)", (asset, amount, BOB, 0)),
    )
    minted = lived.check()

    lived.send(
        *lived.market.tokens.grant("USDC", ANN, amount + fee),
        Tx(ANN, asset, "approve(address,uint256)", (pool, MAX_UINT256)),
        Tx(ANN, pool, "backUnbacked(address,uint256,uint256)", (asset, amount, fee)),
    )
    backed = lived.check()

    assert (minted.mismatches, minted.read) == ((), 0)
    assert (backed.mismatches, backed.read) == ((), 0)


def test_whoever_lends_at_stable_rates_is_told_that_we_do_not_follow(lived: Lived) -> None:
    lived.check()
    assert "stable-debt" not in lived.findings()

    usdc = lived.usdc
    lived.send(lived.market.configure("setReserveStableRateBorrowing(address,bool)", usdc, True))
    verdict = lived.check()

    assert verdict.mismatches == ()  # the flag itself is in the configuration
    assert lived.findings() == {"stable-debt"}


def test_a_price_of_an_efficiency_mode_is_a_finding(lived: Lived) -> None:
    source = lived.market.assets["DAI"].token
    limits = (9000, 9300, 10100)

    lived.send(lived.market.configure(SETTER, 2, *limits, source, "Stablecoins"))
    lived.check()

    assert lived.findings() == {"emode-price"}


def test_an_account_may_send_a_tokens_to_itself(lived: Lived) -> None:
    lived.devnet.chain.fund([ANN])
    desk = Desk(lived.market, Purse(lived.market.tokens, {"USDC": 1.0}))
    amount = 3_333_333_337
    lived.send(*desk.fund(ANN, "USDC", amount), desk.supply(ANN, "USDC", amount))

    lived.send(desk.transfer(ANN, "USDC", ANN, amount // 7))

    assert lived.check().mismatches == ()


def test_an_upgrade_to_another_generation_is_a_finding(lived: Lived) -> None:
    """The Pool of v3.6 in the place of that of v3.0: not a market that could live on."""
    lived.check()
    before = lived.row(PoolCode, "pool")
    provider = lived.market.addresses["pool_addresses_provider"]
    chain = lived.devnet.chain
    strategy = chain.deploy("DefaultReserveInterestRateStrategyV2", ADMIN, provider)
    pool = chain.deploy("PoolInstance", ADMIN, provider, strategy)

    lived.send(Tx(ADMIN, provider, "setPoolImpl(address)", (pool,)))
    index_live(lived.devnet.url, lived.store, lived.deployment)

    assert before == PoolCode(role="pool", since_revision=1, first_revision=1)
    assert lived.row(PoolCode, "pool").since_revision == 10
    assert lived.findings() == {"upgraded"}
    (text,) = (finding.text for finding in lived.book().deployments[0].findings)
    assert "from v3.0 to v3.6" in text
