"""The exchanges of the local chain: busy, various, and where the feeds say that they should be."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import pytest

from tests.devnet.abi import words
from tests.devnet.build import Devnet
from tests.devnet.purse import DECIMALS
from tests.onchain.chain_events import topic

pytestmark = pytest.mark.onchain

SWAP_V2 = topic("Swap(address,uint256,uint256,uint256,uint256,address)")
SWAP_V3 = topic("Swap(address,address,int256,int256,uint160,uint128,int24)")
MINT_V3 = topic("Mint(address,address,int24,int24,uint128,uint256,uint256)")
BURN_V3 = topic("Burn(address,int24,int24,uint128,uint256,uint256)")
EXCHANGE = topic("TokenExchange(address,int128,uint256,int128,uint256)")
SYNC = topic("Sync(uint112,uint112)")
ANSWER = topic("AnswerUpdated(int256,uint256,uint256)")
TRANSFER = topic("Transfer(address,address,uint256)")
KINDS = {
    "uniswap-v2": {
        SWAP_V2: 300,
        SYNC: 400,
        topic("Mint(address,uint256,uint256)"): 20,
        topic("Burn(address,uint256,uint256,address)"): 15,
    },
    "uniswap-v3": {
        SWAP_V3: 300,
        MINT_V3: 40,
        BURN_V3: 40,
        topic("Collect(address,address,int24,int24,uint128,uint128)"): 40,
        topic("IncreaseObservationCardinalityNext(uint16,uint16)"): 5,
        topic("SetFeeProtocol(uint8,uint8,uint8,uint8)"): 1,
    },
    "curve": {
        EXCHANGE: 300,
        topic("AddLiquidity(address,uint256[4],uint256[4],uint256,uint256)"): 20,
        topic("RemoveLiquidity(address,uint256[4],uint256[4],uint256)"): 10,
        topic("RemoveLiquidityOne(address,uint256,uint256,uint256)"): 5,
        topic("RemoveLiquidityImbalance(address,uint256[4],uint256[4],uint256,uint256)"): 5,
        topic("RampA(uint256,uint256,uint256,uint256)"): 2,
        topic("StopRampA(uint256,uint256)"): 1,
    },
}
BITMAP_WORD = 256


@pytest.fixture(scope="session")
def logs(devnet: Devnet) -> list[dict[str, Any]]:
    span = {"fromBlock": "0x0", "toBlock": "latest"}
    return list(devnet.chain.rpc.call("eth_getLogs", span))


def pools(devnet: Devnet, exchange: str) -> dict[str, Any]:
    return dict(devnet.deployment[exchange]["pools"])


def of(devnet: Devnet, exchange: str, logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    addresses = {pool["address"] for pool in pools(devnet, exchange).values()}
    return [log for log in logs if log["address"] in addresses]


def signed(word: int) -> int:
    return word - 2**256 if word >= 2**255 else word


@pytest.mark.parametrize("exchange", list(KINDS))
def test_everything_happens_that_can_happen_to_a_pool(
    devnet: Devnet, logs: list[dict[str, Any]], exchange: str
) -> None:
    seen = Counter(log["topics"][0] for log in of(devnet, exchange, logs))
    for event, least in KINDS[exchange].items():
        assert seen[event] >= least, event


def test_swaps_cross_ticks_and_edges_of_words(devnet: Devnet, logs: list[dict[str, Any]]) -> None:
    spacings = {one["address"]: one["spacing"] for one in pools(devnet, "uniswap-v3").values()}
    bounds: defaultdict[str, set[int]] = defaultdict(set)
    ticks: dict[str, int] = {}
    crossed: Counter[str] = Counter()
    edges = 0
    for log in of(devnet, "uniswap-v3", logs):
        pool = log["address"]
        if log["topics"][0] == MINT_V3:
            bounds[pool] |= {signed(int(word, 16)) for word in log["topics"][2:]}
        if log["topics"][0] == SWAP_V3:
            tick = signed(words(log["data"])[4])
            low, high = sorted((ticks.get(pool, tick), tick))
            crossed[pool] += sum(low < bound <= high for bound in bounds[pool])
            word = BITMAP_WORD * spacings[pool]
            edges += low // word != high // word
            ticks[pool] = tick
    assert len(crossed) == len(spacings)
    assert min(crossed.values()) >= 50
    assert edges >= 5


def feed_price(devnet: Devnet, symbol: str) -> float:
    feed = devnet.market.assets[symbol].feed
    return words(devnet.chain.call(feed, "latestAnswer()"))[0] / 10**8


def away_from_feeds(devnet: Devnet, symbols: list[str], price: float) -> float:
    """How far a price, in units of the second token for the first, is off in relative terms."""
    first, second = (feed_price(devnet, one) / 10.0 ** DECIMALS[one] for one in symbols)
    return abs(price / (first / second) - 1)


def test_arbitrage_keeps_deep_pools_at_the_feeds(devnet: Devnet) -> None:
    checked = 0
    for pool in pools(devnet, "uniswap-v2").values():
        first, second, _ = words(devnet.chain.call(pool["address"], "getReserves()"))
        if not pool["thin"]:
            assert away_from_feeds(devnet, pool["symbols"], second / first) < 0.02, pool["label"]
            checked += 1
    for pool in pools(devnet, "uniswap-v3").values():
        root = words(devnet.chain.call(pool["address"], "slot0()"))[0] / 2.0**96
        assert away_from_feeds(devnet, pool["symbols"], root**2) < 0.02, pool["label"]
        checked += 1
    assert checked == 6


def test_the_thin_pool_lags_behind_the_feeds(devnet: Devnet, logs: list[dict[str, Any]]) -> None:
    pool = pools(devnet, "uniswap-v2")["LINK/USDC"]
    aggregators = {devnet.market.assets[one].aggregator: one for one in pool["symbols"]}
    answers: dict[str, float] = {}
    lags = []
    for log in logs:
        if log["topics"][0] == ANSWER and log["address"] in aggregators:
            symbol = aggregators[log["address"]]
            answers[symbol] = int(log["topics"][1], 16) / 10.0 ** DECIMALS[symbol]
        if log["topics"][0] == SYNC and log["address"] == pool["address"]:
            reserves = words(log["data"])
            fair = answers[pool["symbols"][0]] / answers[pool["symbols"][1]]
            lags.append(abs(reserves[1] / reserves[0] / fair - 1))
    assert len(lags) >= 80
    assert sum(lag > 0.05 for lag in lags) >= 20
    assert sum(lag < 0.02 for lag in lags) >= 20


def test_many_accounts_of_the_chain_own_or_trade(
    devnet: Devnet, logs: list[dict[str, Any]]
) -> None:
    accounts = set(devnet.deployment["accounts"])
    active: defaultdict[str, set[str]] = defaultdict(set)
    places = {"uniswap-v2": (2, SWAP_V2), "uniswap-v3": (2, SWAP_V3), "curve": (1, EXCHANGE)}
    for exchange, (place, event) in places.items():
        for log in of(devnet, exchange, logs):
            if log["topics"][0] == event:
                active[exchange].add("0x" + log["topics"][place][-40:])
            if log["topics"][0] == TRANSFER:
                active[exchange].add("0x" + log["topics"][2][-40:])
    shared = [accounts & active[exchange] for exchange in places]
    assert min(len(some) for some in shared) >= 35
    assert len(set.union(*shared)) >= 40
    assert len(set.intersection(*shared)) >= 20


def test_pools_write_ranges_to_accounts_as_well_as_to_the_position_manager(
    devnet: Devnet, logs: list[dict[str, Any]]
) -> None:
    manager = devnet.deployment["uniswap-v3"]["position_manager"]
    owners = Counter(
        "0x" + log["topics"][1][-40:]
        for log in of(devnet, "uniswap-v3", logs)
        if log["topics"][0] == MINT_V3
    )
    assert owners[manager] >= 60
    direct = set(owners) & set(devnet.deployment["accounts"])
    assert len(direct) >= 3
    left = {
        "0x" + log["topics"][1][-40:]
        for log in of(devnet, "uniswap-v3", logs)
        if log["topics"][0] == BURN_V3
    }
    assert direct & left


def test_reserves_follow_donations_only_when_told(
    devnet: Devnet, logs: list[dict[str, Any]]
) -> None:
    """A Sync without a Mint, a Burn or a Swap of the same transaction."""
    by_transaction: defaultdict[str, list[str]] = defaultdict(list)
    for log in of(devnet, "uniswap-v2", logs):
        by_transaction[log["transactionHash"]].append(log["topics"][0])
    assert sum(events == [SYNC] for events in by_transaction.values()) >= 3


def test_the_amplification_stopped_on_its_way(devnet: Devnet) -> None:
    (pool,) = pools(devnet, "curve").values()
    views = ("A_precise()", "initial_A()", "future_A()")
    now, start, end = (words(devnet.chain.call(pool["address"], view))[0] for view in views)
    assert now == start == end
    assert 120 < now / 100 < 500
