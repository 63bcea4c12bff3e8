"""Hostile reserves in the real Aave v3.6 market: marked, agreed on with the contracts, harmless."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from defirisk.core.adapter import Deployment, Snapshot
from defirisk.core.verdict import Verdict
from defirisk.indexing.verify import verify
from defirisk.protocols.lending.aave_v3 import ADAPTER
from defirisk.protocols.lending.aave_v3.market_now import market_now
from defirisk.protocols.lending.aave_v3.referee import questions
from defirisk.store.database import Store
from defirisk.store.snapshots import snapshot, stored_block
from tests.command import CommandLine
from tests.databases import database_url
from tests.devnet.build import fresh
from tests.devnet.chain import Tx
from tests.devnet.protocol import ADMIN
from tests.devnet.record import deployment
from tests.hostile.aave import StrangeMarket
from tests.hostile.cast import FEEDS, TOKENS, WAD
from tests.onchain.markets import index_live, new_store, stored, with_reader

pytestmark = pytest.mark.onchain

REFUSED = {"no decimals", "garbage decimals", "missing decimals"}
UNCOUNTED = "255 decimals"
UNPRICED = {kind for kind, feed in FEEDS.items() if feed.price is None}
OVERFLOWING = "2^255-1"
FEED_KINDS = [kind for kind, feed in FEEDS.items() if kind != "honest"]


@dataclass
class Lived:
    """The market after everything happened in it, and what was made of it."""

    market: StrangeMarket
    deployment: Deployment
    store: Store
    folder: Path
    refused: set[str]
    savers: dict[str, str]
    borrowers: dict[str, str]
    verdict: Verdict = field(init=False)

    def check(self) -> Verdict:
        """Index what is new, and compare everything."""
        url = self.market.devnet.url
        block = index_live(url, self.store, self.deployment).block
        its = stored(self.store, self.deployment)
        return with_reader(url, lambda reader: verify(reader, self.store, its, block))

    def snapshot(self) -> Snapshot:
        with self.store.transaction() as connection:
            at = stored_block(connection, self.deployment.chain_id, None)
            snap = snapshot(connection, stored(self.store, self.deployment), at)
            ADAPTER.holdings(snap), list(ADAPTER.findings(snap))  # loads the rows
        return snap


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """Every kind of token at an honest feed, every kind of feed for an ordinary token."""
    folder = tmp_path_factory.mktemp("hostile")
    with fresh(1) as devnet:
        market = StrangeMarket.open(devnet)
        refused = {kind for kind in TOKENS if market.refuses(kind)}
        for kind in FEED_KINDS:
            market.list_reserve(kind, "ordinary")
        savers = {name: market.saver(name) for name in market.tokens}
        borrowers = {name: market.borrower(name) for name in market.tokens}
        for kind in FEED_KINDS:
            FEEDS[kind].act(lambda sent, *args, kind=kind: market.tell(kind, sent, *args), 1)
        store = new_store(folder)
        its = deployment(devnet.deployment)
        found = Lived(market, its, store, folder, refused, savers, borrowers)
        found.verdict = found.check()
        yield found
        store.close()


def test_the_market_itself_refuses_only_decimals_that_it_cannot_store(lived: Lived) -> None:
    assert lived.refused == REFUSED


def test_everything_else_agrees_with_the_contracts(lived: Lived) -> None:
    """Also where the contracts revert: we say so, too."""
    assert lived.verdict.mismatches == ()
    assert lived.verdict.accounts > 2 * (len(TOKENS) - len(REFUSED) + len(FEED_KINDS) - 1)


@pytest.mark.parametrize("kind", sorted({*UNPRICED, OVERFLOWING}))
def test_where_the_contract_cannot_say_what_an_account_is_worth_neither_do_we(
    kind: str, lived: Lived
) -> None:
    said = {question.unit: question.ours for question in questions(lived.snapshot())}
    for account in (lived.savers[kind], lived.borrowers[kind]):
        assert lived.market.account_reverts(account)
        assert said[account] is None


def test_every_other_account_has_numbers(lived: Lived) -> None:
    silent = {
        account
        for kind in (*UNPRICED, OVERFLOWING)
        for account in (lived.savers[kind], lived.borrowers[kind])
    }
    asked = [question for question in questions(lived.snapshot()) if question.unit]
    assert {question.unit for question in asked if question.ours is None} == silent


def test_what_has_no_price_or_no_decimals_is_a_finding(lived: Lived) -> None:
    snap = lived.snapshot()
    now = market_now(snap)
    without = {asset for asset, price in now.prices.items() if price.price is None}
    tokens = lived.market.tokens
    assert without == {tokens[kind].lower() for kind in (*UNPRICED, UNCOUNTED)}
    codes = [finding.code for finding in ADAPTER.findings(snap)]
    assert codes.count("no-price") == len(without)


def test_a_token_that_cannot_be_counted_is_left_out(lived: Lived) -> None:
    """10^255 whole tokens to a unit: the contract goes on with what is left of it in 256 bits."""
    its_own = {lived.savers[UNCOUNTED], lived.borrowers[UNCOUNTED]}
    assert not its_own & {question.unit for question in questions(lived.snapshot())}
    assert not any(lived.market.account_reverts(account) for account in its_own)


@pytest.mark.parametrize("kind", ["fee on transfer", "rebasing"])
def test_a_reserve_is_what_the_pool_counts_not_what_its_token_says(kind: str, lived: Lived) -> None:
    """The virtual balance, which the pool lends from, stays; the real one is smaller."""
    market, asset = lived.market, lived.market.tokens[kind].lower()
    if kind == "rebasing":
        market.devnet.chain.must(Tx(ADMIN, asset, "rebase(uint256)", (WAD // 2,)))
    assert lived.check().mismatches == ()
    reserve = market_now(lived.snapshot()).reserves[asset].reserve
    assert reserve.virtual_underlying_raw == 990 * WAD
    assert market.balance_of_pool(kind) < reserve.virtual_underlying_raw


@pytest.mark.parametrize("format_", ["table", "json", "csv", "md", "html"])
@pytest.mark.parametrize(
    "words",
    [
        ("report", "protocol", "aave-v3"),
        ("positions", "aave-v3", "--top", "999"),
        ("stress", "--shock", "price:WETH=-40%", "--accounts"),
        ("stress", "--shock", "price:D77=+30%"),
        ("status",),
    ],
    ids=" ".join,
)
def test_every_command_goes_on_in_every_format(
    words: tuple[str, ...], format_: str, lived: Lived, cli: CommandLine
) -> None:
    ran = cli(*words, "--format", format_, "--db", database_url(lived.folder / "market.db"))
    assert (ran.code, ran.err) == (0, "")
    if format_ == "json":
        json.loads(ran.out, parse_constant=pytest.fail)


def test_verify_says_that_all_agrees(lived: Lived, cli: CommandLine) -> None:
    database = ("--db", database_url(lived.folder / "market.db"))
    ran = cli("verify", "aave-v3", "--rpc-url", lived.market.devnet.url, *database)
    assert ran.code == 0, ran.out + ran.err
