"""The local chain itself: reproducible, and rich enough for what is tested on it."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.devnet.abi import call_data, words
from tests.devnet.book import HEALTHY, Position, read_positions
from tests.devnet.build import CHECKPOINTS, Devnet, Recipe, build, fresh, start, write
from tests.devnet.checkpoints import read_checkpoints
from tests.devnet.compound_v2.book import Position as CompoundPosition
from tests.devnet.compound_v2.book import read_positions as read_compound
from tests.devnet.morpho.book import Position as MorphoPosition
from tests.devnet.morpho.book import read_positions as read_morpho
from tests.onchain.chain_events import (
    ACTIONS,
    BURN,
    DEFICIT,
    FAILURE,
    HEALTHY_POSITION,
    LIQUIDATE,
    LIQUIDATE_BORROW,
    LIQUIDATION,
    MINT,
    REPAY_BORROW,
    topic,
)

pytestmark = pytest.mark.onchain

SMALL = 12
NO_DEBT = 2**256 - 1


def address_in(word: str) -> str:
    return "0x" + word[-40:]


def written_hashes(seed: int, directory: Path) -> list[str]:
    directory.mkdir()
    write(Recipe(seed, accounts=SMALL, guests=()), directory)
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


@pytest.mark.nightly
def test_a_seed_decides_every_block_hash(tmp_path: Path) -> None:
    once = written_hashes(7, tmp_path / "once")
    assert once == written_hashes(7, tmp_path / "again")
    assert set(once).isdisjoint(written_hashes(8, tmp_path / "other"))


def test_weth_can_be_put_at_a_given_address(tmp_path: Path) -> None:
    weth = "0x" + "ab" * 20
    recipe = Recipe(1, SMALL, genesis_time=1_600_000_000, chain_id=999, weth=weth, guests=())
    write(recipe, tmp_path)
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


def test_trial_liquidations_say_who_is_healthy_at_every_checkpoint(
    devnet: Devnet, devnet_path: Path
) -> None:
    outcomes: Counter[str] = Counter()
    for checkpoint in read_checkpoints(devnet_path / CHECKPOINTS):
        for _, to, _, result, reason in checkpoint["trials"]:
            if to != devnet.protocols.morpho.address:
                continue
            if result is None:
                assert HEALTHY_POSITION in reason
            outcomes["healthy" if result is None else "liquidatable"] += 1
    assert outcomes["healthy"] >= 1000
    assert outcomes["liquidatable"] >= 20


@pytest.mark.parametrize("tag", ["latest", "safe", "finalized"])
def test_a_loaded_chain_answers_calls_at_every_tag(devnet: Devnet, tag: str) -> None:
    call = {"to": devnet.market.pool, "data": call_data("getReservesCount()", ())}
    assert words(devnet.chain.rpc.call("eth_call", call, tag)) == [len(devnet.market.assets)]


def test_a_loaded_chain_goes_on() -> None:
    with start(build(7, accounts=SMALL, guests=())) as devnet:
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
    assert 25_000 <= len(logs) <= 70_000


def contracts(devnet: Devnet, protocol: str) -> set[str]:
    compound = devnet.protocols.compound_v2
    ctokens = [one.ctoken for one in compound.ctokens.values()]
    return {
        "morpho": {devnet.protocols.morpho.address},
        "compound-v2": {compound.comptroller, *ctokens},
        "aave-v3.0": {devnet.protocols.aave_v3_0.pool},
    }[protocol]


def compound_prices(devnet: Devnet) -> dict[str, int]:
    compound = devnet.protocols.compound_v2
    view = "getUnderlyingPrice(address)"
    return {
        symbol: words(devnet.chain.call(compound.oracle, view, one.ctoken))[0]
        for symbol, one in compound.ctokens.items()
    }


@pytest.fixture(scope="session")
def morpho_positions(devnet: Devnet) -> list[MorphoPosition]:
    morpho, accounts = devnet.protocols.morpho, devnet.deployment["accounts"]
    places = [(market.id, account) for market in morpho.markets for account in accounts]
    return read_morpho(devnet.chain, morpho, places)


@pytest.fixture(scope="session")
def compound_positions(devnet: Devnet) -> list[CompoundPosition]:
    accounts = devnet.deployment["accounts"]
    return read_compound(devnet.chain, devnet.protocols.compound_v2, accounts)


@pytest.fixture(scope="session")
def first_positions(devnet: Devnet) -> list[Position]:
    accounts = devnet.deployment["accounts"]
    return read_positions(devnet.chain, devnet.protocols.aave_v3_0, accounts)


@pytest.mark.parametrize("protocol", list(ACTIONS))
def test_at_least_three_hundred_actions_on_every_protocol(
    devnet: Devnet, logs: list[dict[str, Any]], protocol: str
) -> None:
    own = contracts(devnet, protocol)
    seen = Counter(log["topics"][0] for log in logs if log["address"] in own)
    kinds = [seen[topic(signature)] for signature in ACTIONS[protocol]]
    assert min(kinds) >= 8
    assert sum(kinds) >= 600  # about half of them are those of joining


def test_many_accounts_are_active_on_several_protocols(
    positions: list[Position],
    morpho_positions: list[MorphoPosition],
    compound_positions: list[CompoundPosition],
    first_positions: list[Position],
) -> None:
    active: Counter[str] = Counter(
        {
            one.account
            for one in morpho_positions
            if one.supply_shares or one.borrow_shares or one.collateral
        }
    )
    for some in (positions, compound_positions, first_positions):
        active.update(one.account for one in some if one.supplied() or one.owed())
    assert sum(count >= 2 for count in active.values()) >= 100
    assert sum(count == 4 for count in active.values()) >= 100


def test_morpho_liquidates_in_part_whole_and_with_bad_debt(
    devnet: Devnet, logs: list[dict[str, Any]], morpho_positions: list[MorphoPosition]
) -> None:
    own = contracts(devnet, "morpho")
    liquidations = [
        words(log["data"])
        for log in logs
        if log["topics"][0] == LIQUIDATE and log["address"] in own
    ]
    assert len(liquidations) >= 40
    assert sum(bad_debt > 0 for _, _, _, bad_debt, _ in liquidations) >= 2
    assert sum(one.owed > one.limit for one in morpho_positions) >= 3
    for one in morpho_positions:
        assert one.collateral or not one.borrow_shares  # what was left unpaid is nobody's debt


def test_compound_fails_silently_and_leaves_bad_debt_standing(
    devnet: Devnet, logs: list[dict[str, Any]], compound_positions: list[CompoundPosition]
) -> None:
    own = contracts(devnet, "compound-v2")
    seen = Counter(log["topics"][0] for log in logs if log["address"] in own)
    assert seen[LIQUIDATE_BORROW] >= 40
    assert seen[FAILURE] >= 10
    whole = [
        log
        for log in logs
        if log["topics"][0] == REPAY_BORROW
        and log["address"] in own
        and words(log["data"])[0] != words(log["data"])[1]
        and not words(log["data"])[3]
    ]
    assert len(whole) >= 5
    due = [one for one in compound_positions if one.shortfall]
    assert len(due) >= 4
    prices = compound_prices(devnet)
    unpaid = [
        one
        for one in due
        if sum(held.supplied * prices[symbol] for symbol, held in one.holdings.items())
        < sum(held.owed * prices[symbol] for symbol, held in one.holdings.items())
    ]
    assert len(unpaid) >= 2
    assert len(due) - len(unpaid) >= 1  # and somebody whom a liquidator could still make whole


def test_aave_v3_0_leaves_bad_debt_and_accounts_below_one(
    devnet: Devnet, logs: list[dict[str, Any]], first_positions: list[Position]
) -> None:
    own = contracts(devnet, "aave-v3.0")
    liquidations = [
        log for log in logs if log["topics"][0] == LIQUIDATION and log["address"] in own
    ]
    assert len(liquidations) >= 20
    assert sum(one.health < HEALTHY for one in first_positions) >= 4
    assert any(one.owed() and not one.supplied() for one in first_positions)
    assert Counter(one.e_mode for one in first_positions)[1] >= 5
