"""What was planted on the local chain is there, and is what it is said to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from math import isqrt
from pathlib import Path
from typing import Any

import pytest

from tests.devnet.abi import view_data, words
from tests.devnet.build import CHECKPOINTS, Devnet
from tests.devnet.chain import Tx
from tests.devnet.checkpoints import read_checkpoints
from tests.devnet.morpho.book import Position, read_positions
from tests.devnet.morpho.market import PARAMS
from tests.devnet.oracles import market as sources
from tests.devnet.uniswap_v2.market import DEADLINE
from tests.devnet.vaults.market import ALLOCATOR, CREDIT
from tests.onchain.chain_events import topic

pytestmark = pytest.mark.onchain

WAD = 10**18
WHALE = "0x" + "77" * 20
SWAP = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
BORROW = topic("Borrow(bytes32,address,address,address,uint256,uint256)")
ANSWER = topic("AnswerUpdated(int256,uint256,uint256)")
TRANSFER = topic("Transfer(address,address,uint256)")
DEPOSIT = topic("Deposit(address,address,uint256,uint256)")
WITHDRAW = topic("Withdraw(address,address,address,uint256,uint256)")
REALLOCATED = [
    topic(f"Reallocate{way}(address,bytes32,uint256,uint256)") for way in ("Supply", "Withdraw")
]


def ask(devnet: Devnet, to: str, view: str, *args: Any) -> list[int]:
    (answer,) = devnet.chain.calls([(to, view_data(view, *args))])
    assert answer is not None, view
    return words(answer)


def logs(devnet: Devnet, **wanted: Any) -> list[dict[str, Any]]:
    span = {"fromBlock": "0x0", "toBlock": "latest", **wanted}
    return list(devnet.chain.rpc.call("eth_getLogs", span))


def answer(devnet: Devnet, label: str) -> int:
    return ask(devnet, devnet.protocols.oracles.sources[label].address, "latestAnswer()")[0]


def position(devnet: Devnet, market: str, account: str) -> Position:
    (found,) = read_positions(devnet.chain, devnet.protocols.morpho, [(market, account)])
    return found


@contextmanager
def undone(devnet: Devnet) -> Iterator[None]:
    """The chain as it was, afterwards."""
    before = devnet.chain.rpc.call("evm_snapshot")
    devnet.chain.fund((WHALE,), wei=10**26)
    try:
        yield
    finally:
        devnet.chain.rpc.call("evm_revert", before)
        devnet.chain.resync()


@pytest.fixture(scope="module")
def planted(devnet: Devnet) -> dict[str, Any]:
    return dict(devnet.deployment["planted"])


def test_one_account_looped_a_share_twenty_times(devnet: Devnet, planted: dict[str, Any]) -> None:
    loop = planted["looped_share"]
    who = "0x" + loop["account"][2:].rjust(64, "0")
    morpho = devnet.protocols.morpho.address
    assert len(logs(devnet, address=morpho, topics=[BORROW, loop["market"], who])) == 20
    held = position(devnet, loop["market"], loop["account"])
    equity = held.collateral * held.state.price // 10**36 - held.owed
    assert held.owed < held.limit
    assert held.owed > 8 * equity


def test_one_feed_is_behind_five_markets(devnet: Devnet, planted: dict[str, Any]) -> None:
    shared = planted["shared_feed"]
    markets = {one.id: one for one in devnet.protocols.morpho.markets}
    assert len(set(shared["markets"])) >= 5
    for market in shared["markets"]:
        (base,) = ask(devnet, markets[market].oracle, "BASE_FEED_1()")
        assert base == int(shared["feed"], 16)


def test_the_allocator_lent_to_a_market_of_worthless_collateral(
    devnet: Devnet, planted: dict[str, Any]
) -> None:
    bad = planted["bad_allocation"]
    assert len(bad["markets"]) == 3
    morpho = devnet.protocols.morpho
    markets = [one for one in morpho.markets if one.id in bad["markets"]]
    with undone(devnet):
        accrue = f"accrueInterest({PARAMS})"
        devnet.chain.must(*(Tx(WHALE, morpho.address, accrue, (one.params,)) for one in markets))
        lent = [position(devnet, one.id, bad["vault"]).lent for one in markets]
        (total,) = ask(devnet, bad["vault"], "totalAssets()")
    assert sum(lent) == total
    assert min(lent) > total // 10
    (rate,) = ask(devnet, bad["collateral"], "convertToAssets(uint256)", 10**6)
    under_water = 0
    for account in bad["borrowers"]:
        held = position(devnet, bad["bad"], account)
        # By the oracle nobody can be liquidated; by what the shares convert to, debt is unpaid.
        assert held.owed < held.limit
        under_water += held.owed > held.collateral * rate // 10**6
    assert under_water == len(bad["borrowers"]) >= 4


def test_the_allocator_moved_its_money_and_has_depositors(
    devnet: Devnet, planted: dict[str, Any]
) -> None:
    vault = devnet.protocols.vaults.by_symbol[ALLOCATOR].address
    seen = Counter(log["topics"][0] for log in logs(devnet, address=vault))
    assert all(seen[event] >= 3 for event in REALLOCATED)
    held = [
        ask(devnet, vault, "balanceOf(address)", one)[0] for one in devnet.deployment["accounts"]
    ]
    assert sum(map(bool, held)) >= 12
    assert ask(devnet, vault, "fee()") == [WAD // 10]


def test_borrowers_are_shared_with_other_protocols(planted: dict[str, Any]) -> None:
    where = list(planted["shared_borrowers"].values())
    assert sum("aave-v3" in one for one in where) >= 10
    assert sum("compound-v2" in one for one in where) >= 10


def test_a_vault_earned_and_lost_without_an_event_of_its_own(devnet: Devnet) -> None:
    vault = devnet.protocols.vaults.by_symbol[CREDIT]
    to = "0x" + vault.address[2:].rjust(64, "0")
    arrived = logs(devnet, address=vault.asset, topics=[TRANSFER, None, to])
    left = logs(devnet, address=vault.asset, topics=[TRANSFER, to])
    deposited = logs(devnet, address=vault.address, topics=[DEPOSIT])
    withdrawn = logs(devnet, address=vault.address, topics=[WITHDRAW])
    assert len(arrived) - len(deposited) == 3  # the donations
    assert len(left) - len(withdrawn) == 1  # the loss
    (rate,) = ask(devnet, vault.address, "convertToAssets(uint256)", 10**6)
    assert 300_000 < rate < 400_000


def test_an_aggregator_was_replaced_and_the_proxy_said_nothing(
    devnet: Devnet, planted: dict[str, Any]
) -> None:
    proxy = planted["replaced_aggregator"]["feed"]
    assert ask(devnet, proxy, "phaseId()") == [2]
    aggregators = [
        f"0x{ask(devnet, proxy, 'phaseAggregators(uint16)', phase)[0]:040x}" for phase in (1, 2)
    ]
    answers = [logs(devnet, address=one, topics=[ANSWER]) for one in aggregators]
    assert min(map(len, answers)) >= 20
    last = max(int(log["blockNumber"], 16) for log in answers[0])
    assert not logs(devnet, address=proxy, fromBlock=hex(last))


def test_a_swap_moves_the_naive_price_of_a_share_and_not_the_fair_one(devnet: Devnet) -> None:
    pool = devnet.protocols.uniswap_v2.pools[sources.SHARE]
    router, chain, tokens = devnet.protocols.uniswap_v2.router, devnet.chain, devnet.market.tokens
    naive, fair = answer(devnet, sources.NAIVE), answer(devnet, sources.FAIR)
    with undone(devnet):
        reserves = ask(devnet, pool.address, "getReserves()")
        place = pool.symbols.index("USDC")
        path = [pool.tokens[place], pool.tokens[1 - place]]
        amount = 2 * reserves[place]
        order = (amount, 0, path, WHALE, DEADLINE)
        chain.must(
            *tokens.grant("USDC", WHALE, amount),
            Tx(WHALE, path[0], "approve(address,uint256)", (router, amount)),
            Tx(WHALE, router, SWAP, order),
        )
        assert answer(devnet, sources.NAIVE) > 1.5 * naive
        # The fee of the swap stays in the pool.
        assert fair <= answer(devnet, sources.FAIR) < 1.01 * fair


def test_both_prices_of_a_share_are_what_their_formulas_say(devnet: Devnet) -> None:
    """In integers of our own, from the pair and the two feeds."""
    source = devnet.protocols.oracles.sources[sources.NAIVE]
    pair, *feeds = (source.made_of[part] for part in ("pair", "feed_0", "feed_1"))
    reserve0, reserve1, _ = ask(devnet, pair, "getReserves()")
    price0, price1 = (ask(devnet, feed, "latestAnswer()")[0] for feed in feeds)
    (supply,) = ask(devnet, pair, "totalSupply()")
    symbols = devnet.protocols.uniswap_v2.pools[sources.SHARE].symbols
    places = [6 if symbol == "USDC" else 18 for symbol in symbols]
    sides = (
        (reserve0 * price0 * WAD) // 10 ** places[0],
        (reserve1 * price1 * WAD) // 10 ** places[1],
    )
    root = isqrt(reserve0 * reserve1 * price0 * price1 * 10 ** (36 - sum(places)))
    assert answer(devnet, sources.NAIVE) == sum(sides) // supply
    assert answer(devnet, sources.FAIR) == 2 * root // supply


def test_the_cap_holds_now_and_did_not_always(devnet: Devnet, devnet_path: Path) -> None:
    capped = devnet.protocols.oracles.sources[sources.CAPPED]
    question = [capped.address, view_data("isCapped()")]
    said = [
        words(result)[0]
        for checkpoint in read_checkpoints(devnet_path / CHECKPOINTS)
        for to, data, result in checkpoint["calls"]
        if [to, data] == question
    ]
    assert {0, 1} == set(said)
    (base,) = ask(devnet, capped.made_of["base_feed"], "latestAnswer()")
    ratio, most = (ask(devnet, capped.address, view)[0] for view in ("getRatio()", "getMaxRatio()"))
    assert most < ratio
    assert answer(devnet, sources.CAPPED) == base * most // WAD


def test_every_source_answers_at_every_checkpoint(devnet: Devnet, devnet_path: Path) -> None:
    labels = {one.address: label for label, one in devnet.protocols.oracles.sources.items()}
    seen: Counter[str] = Counter()
    values: dict[str, set[int]] = {label: set() for label in labels.values()}
    for checkpoint in read_checkpoints(devnet_path / CHECKPOINTS):
        for to, data, result in checkpoint["calls"]:
            if to in labels and data == view_data("latestAnswer()"):
                assert result is not None, labels[to]
                seen[labels[to]] += 1
                values[labels[to]].add(words(result)[0])
    assert set(seen.values()) == {24}
    fixed = {sources.PEGGED, sources.WRITTEN}
    assert all((len(values[one]) == 1) == (one in fixed) for one in values)
