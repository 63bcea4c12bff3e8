"""Tokens and feeds that misbehave, through the product's own run on py-evm."""

from __future__ import annotations

from fractions import Fraction

import pytest

from defirisk.core.adapter import Answer, Finding, Snapshot
from defirisk.core.evm import Address
from defirisk.core.holdings import Market
from defirisk.protocols.oracles.chainlink import END_OF_TIME
from defirisk.store.database import Store
from defirisk.store.registry import stored_tokens
from defirisk.store.snapshots import MAX_DECIMALS, snapshot, stored_block
from tests.conformance.smallest_adapter import ADAPTER
from tests.hostile.cast import DOLLAR, FEEDS, REVERTS, TOKENS, WAD, pairs
from tests.hostile.conftest import Indexed
from tests.hostile.piggy import Bank
from tests.onchain.markets import stored


def snapshot_of(bank: Bank, store: Store, block: int | None = None) -> Snapshot:
    with store.transaction() as connection:
        at = stored_block(connection, bank.deployment.chain_id, block)
        snap = snapshot(connection, stored(store, bank.deployment), at)
        ADAPTER.holdings(snap), list(ADAPTER.findings(snap))  # loads the rows
    return snap


def answer_of(bank: Bank, store: Store, feed: Address, block: int | None = None) -> Answer:
    return snapshot_of(bank, store, block).answers[feed]


def markets(strange: Indexed) -> dict[str, Market]:
    """What was made of each pair of token and feed; those that were refused are missing."""
    found = {m.asset: m for m in ADAPTER.holdings(snapshot_of(strange.bank, strange.store)).markets}
    return {pair: found[asset] for pair, asset in strange.bank.tokens.items() if asset in found}


@pytest.mark.parametrize("kind", TOKENS)
def test_what_a_token_says_of_itself_is_kept_or_replaced(kind: str, strange: Indexed) -> None:
    asset = strange.bank.tokens[f"{kind}/honest"]
    with strange.store.transaction() as connection:
        token = stored_tokens(connection, strange.bank.deployment.chain_id)[asset]
    short = f"{asset[:6]}…{asset[-4:]}"
    assert token.symbol == (TOKENS[kind].shown or short)
    assert token.decimals == TOKENS[kind].kept_decimals
    assert 0 < len(token.name) <= 256


@pytest.mark.parametrize("kind", TOKENS)
def test_a_token_is_counted_where_its_decimals_can_be(kind: str, strange: Indexed) -> None:
    """One that cannot be is refused aloud, and every other one goes on."""
    asset = strange.bank.tokens[f"{kind}/honest"]
    refusal = Finding(code="no-decimals", text=f"{asset} states no usable decimals: it is left out")
    said = list(ADAPTER.findings(snapshot_of(strange.bank, strange.store)))
    if 0 <= TOKENS[kind].kept_decimals <= MAX_DECIMALS:
        market = markets(strange)[f"{kind}/honest"]
        assert market.supplied_raw == 10 * WAD
        assert market.price == 1
        assert refusal not in said
    else:
        assert f"{kind}/honest" not in markets(strange)
        assert refusal in said


@pytest.mark.parametrize("kind", [kind for kind in FEEDS if kind != "honest"])
def test_a_feed_is_believed_only_where_it_states_a_price(kind: str, strange: Indexed) -> None:
    market, price = markets(strange)[f"ordinary/{kind}"], FEEDS[kind].price
    assert market.price == (None if price is None else Fraction(price, DOLLAR))


def test_what_has_no_price_is_a_finding(strange: Indexed) -> None:
    said = [one.code for one in ADAPTER.findings(snapshot_of(strange.bank, strange.store))]
    assert said.count("no-price") == sum(feed.price is None for feed in FEEDS.values())


def test_every_number_is_what_the_contract_says_whatever_the_tokens_do(strange: Indexed) -> None:
    assert strange.verdict.mismatches == ()
    assert strange.verdict.compared == 2 * len(list(pairs()))


def test_a_price_says_whether_it_was_followed_or_only_read(strange: Indexed) -> None:
    grades = {pair: market.price_grade for pair, market in markets(strange).items()}
    assert grades["ordinary/honest"] == "logs"
    assert grades["ordinary/read only"] == "read"
    assert grades["ordinary/changes quietly"] == "read"
    assert grades["ordinary/logs too little"] == "logs"


def test_a_time_that_no_clock_will_show_is_kept_as_the_last_one(strange: Indexed) -> None:
    found = markets(strange)
    assert found["ordinary/stale"].price_updated_ts == 1
    for kind in ("from the future", "from the future, read only"):
        assert found[f"ordinary/{kind}"].price_updated_ts == END_OF_TIME


def test_a_feed_that_stops_answering_has_no_price_and_gets_it_back(
    bank: Bank, store: Store
) -> None:
    """What it said last is not what it says: the protocol that asks it is reverted."""
    bank.list_asset("ordinary", "honest")
    feed = bank.feeds["ordinary/honest"]
    healthy = bank.index(store).block.number
    bank.chain.send(feed, "misbehave(uint256)", REVERTS)
    broken = bank.index(store).block.number
    bank.chain.send(feed, "misbehave(uint256)", 0)
    healed = bank.index(store).block.number

    prices = {at: answer_of(bank, store, feed, at).price for at in (healthy, broken, healed)}
    assert prices == {healthy: DOLLAR, broken: 0, healed: DOLLAR}


def test_savings_are_the_banks_own_numbers_not_the_tokens(bank: Bank, store: Store) -> None:
    """After a fee and a negative rebase the bank owes more than it has: both are kept apart."""
    bank.list_asset("fee on transfer", "honest")
    rebasing = bank.list_asset("rebasing", "honest")
    bank.chain.send(rebasing, "rebase(uint256)", WAD // 2)
    verdict = bank.verify(store, bank.index(store))
    assert verdict.mismatches == ()
    exact = ADAPTER.holdings(snapshot_of(bank, store))
    assert {market.supplied_raw for market in exact.markets} == {10 * WAD}


def test_a_closed_bank_is_said(bank: Bank, store: Store) -> None:
    bank.list_asset("ordinary", "honest")
    bank.chain.send(bank.address, "set_open(bool)", False)
    bank.index(store)
    said = list(ADAPTER.findings(snapshot_of(bank, store)))
    assert [one.code for one in said] == ["closed"]
