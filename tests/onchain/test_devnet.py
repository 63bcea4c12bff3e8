"""The local chain itself: reproducible, and rich enough for what is tested on it."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak

from tests.devnet.abi import call_data, words
from tests.devnet.book import HEALTHY, Position, read_positions
from tests.devnet.build import CHECKPOINTS, Devnet, Recipe, build, fresh, start, write
from tests.devnet.checkpoints import read_checkpoints

pytestmark = pytest.mark.onchain

SMALL = 12
NO_DEBT = 2**256 - 1


def topic(signature: str) -> str:
    return "0x" + keccak(signature.encode()).hex()


LIQUIDATION = topic("LiquidationCall(address,address,address,uint256,uint256,address,bool)")
DEFICIT = topic("DeficitCreated(address,address,uint256)")
MINT = topic("Mint(address,address,uint256,uint256,uint256)")
BURN = topic("Burn(address,address,uint256,uint256,uint256)")


def address_in(word: str) -> str:
    return "0x" + word[-40:]


def written_hashes(seed: int, directory: Path) -> list[str]:
    directory.mkdir()
    write(Recipe(seed, accounts=SMALL), directory)
    return [checkpoint["hash"] for checkpoint in read_checkpoints(directory / CHECKPOINTS)]


@pytest.fixture(scope="session")
def logs(devnet: Devnet) -> list[dict[str, Any]]:
    span = {"fromBlock": "0x0", "toBlock": "latest"}
    return list(devnet.chain.rpc.call("eth_getLogs", span))


@pytest.fixture(scope="session")
def positions(devnet: Devnet) -> list[Position]:
    return read_positions(devnet.chain, devnet.market, devnet.deployment["accounts"])


def liquidations_by_kind(devnet: Devnet, logs: list[dict[str, Any]]) -> Counter[str]:
    """Full ones leave no debt in the liquidated reserve, by the debt token's own events."""
    debt_token = {one.token: one.variable_debt_token for one in devnet.market.assets.values()}
    owed: defaultdict[tuple[str, str], int] = defaultdict(int)
    kinds: Counter[str] = Counter()
    for log in logs:
        event, token = log["topics"][0], log["address"]
        if event == MINT:
            owed[token, address_in(log["topics"][2])] += words(log["data"])[0]
        elif event == BURN:
            owed[token, address_in(log["topics"][1])] -= words(log["data"])[0]
        elif event == LIQUIDATION:
            debt = debt_token[address_in(log["topics"][2])]
            left = owed[debt, address_in(log["topics"][3])]
            kinds["partial" if left else "full"] += 1
            kinds["a token" if words(log["data"])[3] else "underlying"] += 1
    return kinds


def test_a_seed_decides_every_block_hash(tmp_path: Path) -> None:
    once = written_hashes(7, tmp_path / "once")
    assert once == written_hashes(7, tmp_path / "again")
    assert set(once).isdisjoint(written_hashes(8, tmp_path / "other"))


def test_weth_can_be_put_at_a_given_address(tmp_path: Path) -> None:
    weth = "0x" + "ab" * 20
    write(Recipe(1, accounts=SMALL, chain_id=999, genesis_time=1_600_000_000, weth=weth), tmp_path)
    assert weth in (tmp_path / "deployment.json").read_text()


def test_a_fresh_chain_answers_about_its_past() -> None:
    with fresh(3) as devnet:
        call = (devnet.market.pool, call_data("getReservesCount()", ()))
        (answer,) = devnet.chain.calls([call], devnet.chain.head // 2)
        assert answer is not None
        assert words(answer) == [len(devnet.market.assets)]


def test_checkpoints_are_on_the_chain(devnet: Devnet, devnet_path: Path) -> None:
    checkpoints = list(read_checkpoints(devnet_path / CHECKPOINTS))
    assert len(checkpoints) >= 20
    for checkpoint in checkpoints:
        block = devnet.chain.rpc.call("eth_getBlockByNumber", hex(checkpoint["block"]), False)
        assert block["hash"] == checkpoint["hash"]
    last = checkpoints[-1]
    calls = [(to, data) for to, data, _ in last["calls"]]
    assert devnet.chain.calls(calls, last["block"]) == [result for _, _, result in last["calls"]]


@pytest.mark.parametrize("tag", ["latest", "safe", "finalized"])
def test_a_loaded_chain_answers_calls_at_every_tag(devnet: Devnet, tag: str) -> None:
    call = {"to": devnet.market.pool, "data": call_data("getReservesCount()", ())}
    assert words(devnet.chain.rpc.call("eth_call", call, tag)) == [len(devnet.market.assets)]


def test_a_loaded_chain_goes_on() -> None:
    with start(build(7, accounts=SMALL)) as devnet:
        weth = devnet.market.assets["WETH"].token
        devnet.chain.must(*devnet.market.feeds.report("WETH", 1234.5))
        price = devnet.chain.call(devnet.market.addresses["oracle"], "getAssetPrice(address)", weth)
        assert words(price) == [123_450_000_000]


def test_many_accounts_hold_positions(positions: list[Position]) -> None:
    assert sum(bool(one.supplied() or one.owed()) for one in positions) >= 300
    e_modes = Counter(one.e_mode for one in positions)
    assert e_modes[1] >= 20
    assert e_modes[2] >= 5


def test_health_factors_lie_on_both_sides_of_one(positions: list[Position]) -> None:
    health = sorted(one.health / HEALTHY for one in positions if one.health != NO_DEBT)
    assert len(health) >= 150
    assert sum(value < 1 for value in health) >= 3
    assert sum(1 <= value < 1.05 for value in health) >= 5
    assert sum(1.05 <= value < 5 for value in health) >= 100


def test_dust_is_left_in_some_positions(positions: list[Position]) -> None:
    owed = [holding.owed for one in positions for holding in one.holdings.values()]
    assert sum(0 < amount <= 10 for amount in owed) >= 2


def test_liquidations_of_every_kind(devnet: Devnet, logs: list[dict[str, Any]]) -> None:
    kinds = liquidations_by_kind(devnet, logs)
    assert kinds["partial"] >= 10
    assert kinds["full"] >= 10
    assert kinds["a token"] >= 5
    assert any(log["topics"][0] == DEFICIT for log in logs)
    assert 12_000 <= len(logs) <= 25_000
