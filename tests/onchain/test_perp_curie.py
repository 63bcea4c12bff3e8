"""Perp Curie: every number of ours against what the running contracts answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak

from defirisk.core.evm import Block, CallResult
from defirisk.core.margin import Mode, StatesPerps
from defirisk.core.verdict import Mismatch, Verdict
from defirisk.indexing.codecs import Codecs
from defirisk.indexing.verify import differences
from defirisk.protocols.perps.perp_curie import ADAPTER
from defirisk.protocols.perps.perp_curie.account_value import present_prices, worth
from defirisk.protocols.perps.perp_curie.liquidation import refusal
from defirisk.protocols.perps.perp_curie.perp_now import PerpNow, perp_now
from defirisk.protocols.perps.perp_curie.rows import (
    AccountMarket,
)
from tests.devnet.alone import Alone, build_alone, fresh_alone, start_alone
from tests.devnet.build import CHECKPOINTS
from tests.devnet.checkpoints import read_checkpoints
from tests.devnet.market import KEEPERS
from tests.onchain.perp_curie_chain import FOLDER, Indexed

pytestmark = pytest.mark.onchain
PACKAGE = "defirisk.protocols.perps.perp_curie"
SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (2, 3, 4, 5))]
REASON = 68
"""Where the words of a revert begin: a selector and two words stand before them."""


@pytest.fixture(scope="module", params=SEEDS)
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def built(seed: int) -> Path:
    return build_alone(FOLDER, seed)


@pytest.fixture(scope="module")
def indexed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indexed]:
    with start_alone(built) as alone:
        found = Indexed.of(alone, tmp_path_factory.mktemp("curie"))
        yield found
        found.store.close()


@dataclass
class Lived:
    """Every checkpoint of the story, indexed and verified while the chain still knows it."""

    verdicts: list[Verdict] = field(default_factory=list)
    medians: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    negative: int = 0


@pytest.fixture(scope="module")
def lived(seed: int, built: Path, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """A second chain of the same seed, with its history: makers' fees are read at every stop."""
    found, checkpoints = Lived(), list(read_checkpoints(built / CHECKPOINTS))
    with fresh_alone(FOLDER, seed) as alone:
        store = Indexed.of(alone, tmp_path_factory.mktemp("lived"), checkpoints[0]["block"])
        for checkpoint in checkpoints:
            store.advance(checkpoint["block"])
            assert store.block.hash == checkpoint["hash"]
            found.verdicts.append(store.verdict())
            now = perp_now(store.snapshot())
            found.medians.update(_median_legs(now))
            found.negative += _count_negative(now)
            _try_liquidations(found, now, checkpoint["trials"])
        store.store.close()
    return found


def _median_legs(now: PerpNow) -> list[str]:
    """Which of the three prices was the mark, where they differ."""
    found = []
    for market in now.markets.values():
        if legs := market.legs:
            named = {"recent": legs.recent, "market": legs.market, "index": legs.with_premium}
            if len(set(named.values())) == len(named):
                found += [name for name, price in named.items() if price == market.mark]
    return found


def _count_negative(now: PerpNow) -> int:
    prices = present_prices(now)
    values = [worth(account, now, prices) for account in now.accounts.values()]
    return sum(value is not None and value.account_value < 0 for value in values)


def _try_liquidations(found: Lived, now: PerpNow, trials: list[list[Any]]) -> None:
    """What we say of `liquidate`, against what a rich keeper was told."""
    prices = present_prices(now)
    for sender, _, data, result, reverted in trials:
        assert sender == KEEPERS[0]
        who, token = ("0x" + data[10 + 64 * at + 24 : 10 + 64 * at + 64] for at in (0, 1))
        account = now.accounts.get(who)
        if account is None:
            continue
        value = worth(account, now, prices)
        assert value is not None
        ours = refusal(account, value, now, token)
        theirs = "" if result is not None else _reason(reverted)
        found.refusals[theirs] += 1
        if ours != theirs:
            found.wrong.append(f"{who} {token} at {found.verdicts[-1].block}: {ours} {theirs}")


def _reason(reverted: str) -> str:
    return bytes.fromhex(reverted[2:])[REASON:].rstrip(b"\0").decode()


def test_every_account_agrees_with_the_running_contracts_at_the_head(indexed: Indexed) -> None:
    verdict = indexed.verdict()

    assert verdict.mismatches == ()
    assert verdict.accounts >= 40
    assert verdict.compared > 15 * verdict.accounts
    # The two margin ratios, and what the orders of makers owe.
    assert 2 < verdict.read < verdict.compared / 10


def test_every_account_agrees_at_every_checkpoint_while_it_is_the_head(lived: Lived) -> None:
    assert len(lived.verdicts) >= 20
    assert [verdict.mismatches for verdict in lived.verdicts if verdict.mismatches] == []
    assert lived.verdicts[-1].compared > 600


def test_liquidations_are_refused_with_the_words_that_we_expect(lived: Lived) -> None:
    """Open orders, a healthy account, no position, or a fund that could not pay."""
    assert lived.wrong == []
    assert {"", "CH_EAV", "CH_CLWTISO"} <= set(lived.refusals)


def test_the_story_has_everything_that_it_should(lived: Lived) -> None:
    """A fund that could not pay, accounts that owe more than they have, and every median."""
    assert lived.refusals["CH_IIC"] > 0
    assert lived.negative > 0
    assert set(lived.medians) == {"recent", "market", "index"}


def test_every_account_agrees_with_what_the_contracts_said_at_every_checkpoint(
    indexed: Indexed, built: Path
) -> None:
    """From one store, by logs alone: what makers earned was not read there, all else is asked."""
    checkpoints = list(read_checkpoints(built / CHECKPOINTS))
    compared, wrong = [], list[Mismatch]()
    codecs = Codecs(ADAPTER)

    for checkpoint in checkpoints:
        said = {(to.lower(), data): answer for to, data, answer in checkpoint["calls"]}
        count = 0
        for question in ADAPTER.questions(indexed.snapshot(_block(indexed, checkpoint))):
            call = codecs.call(question.view)
            key = (call.to, "0x" + call.data.hex())
            if key in said and not question.refusal:
                theirs = codecs.answer(question.view, _result(said[key]))
                wrong += differences(question, theirs)
                count += len(question.fields)
        compared.append(count)

    assert len(checkpoints) >= 20
    assert wrong == []
    assert compared[-1] > 400


def _block(indexed: Indexed, checkpoint: dict[str, Any]) -> Block:
    number = checkpoint["block"]
    header = indexed.alone.chain.rpc.call("eth_getBlockByNumber", hex(number), False)
    return Block(
        number=number,
        hash=checkpoint["hash"],
        parent_hash="",
        timestamp=int(header["timestamp"], 16),
    )


def _result(answer: str | None) -> CallResult:
    return CallResult(answer is not None, bytes.fromhex((answer or "0x")[2:]))


EVENTS = {
    "PositionLiquidated(address,address,uint256,uint256,uint256,address)": 5,
    "BadDebtSettled(address,uint256)": 1,
    "FundingPaymentSettled(address,address,int256)": 100,
    "Withdrawn(address,address,uint256)": 10,
    "LiquidityChanged(address,address,address,int24,int24,int256,int256,int128,uint256)": 20,
    "ChainlinkPriceUpdated(uint256,uint256,uint8)": 50,
}


def test_the_chain_has_liquidations_bad_debt_and_funding(indexed: Indexed) -> None:
    for signature, least in EVENTS.items():
        assert len(_logs(indexed.alone, signature)) >= least, signature


def test_some_liquidations_take_a_part_and_some_take_all(indexed: Indexed) -> None:
    """By the position that is left: a liquidation states the liquidated one's PositionChanged."""
    partial = whole = 0
    for log in _logs(indexed.alone, next(iter(EVENTS))):
        who, token = ("0x" + topic[-40:] for topic in log["topics"][1:3])
        at = Block(number=int(log["blockNumber"], 16), hash="", parent_hash="", timestamp=0)
        held = indexed.snapshot(at).rows.find(AccountMarket, who, token)
        assert held is not None
        whole += held.taker_position_size == 0
        partial += held.taker_position_size != 0
    assert partial > 0
    assert whole > 0


def _logs(alone: Alone, signature: str) -> list[dict[str, Any]]:
    topic = "0x" + keccak(signature.encode()).hex()
    query = {"topics": [topic], "fromBlock": "0x0", "toBlock": "latest"}
    return list(alone.chain.rpc.call("eth_getLogs", query))


def test_the_positions_of_all_accounts_add_up(indexed: Indexed) -> None:
    """Who is long, is so against somebody: but for what rounding leaves in the pools."""
    assert isinstance(ADAPTER, StatesPerps)
    perps = ADAPTER.perps(indexed.snapshot())

    assert len(perps.markets) == 2
    for market in perps.markets:
        assert abs(market.skew) < 1e-12
        assert market.long_interest > 1
    assert perps.insurance_fund is not None
    assert all(account.mode is Mode.CROSS for account in perps.accounts)
    assert any(one.maker and one.grade == "read" for one in perps.positions)
    by_market = Counter(one.unit for one in perps.positions)
    assert max(by_market.values()) == 2
