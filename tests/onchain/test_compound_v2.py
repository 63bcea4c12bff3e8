"""Compound v2: every number of ours against what the running contracts answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from defirisk.core.adapter import Deployment
from defirisk.core.evm import Block, CallResult
from defirisk.core.row import Row
from defirisk.core.verdict import Mismatch
from defirisk.indexing.codecs import Codecs
from defirisk.indexing.verify import differences
from defirisk.protocols.lending.compound_v2 import ADAPTER
from defirisk.protocols.lending.compound_v2.account_liquidity import borrow_balance, exchange_rate
from defirisk.protocols.lending.compound_v2.accrual import accrued
from defirisk.protocols.lending.compound_v2.market_now import market_now
from defirisk.protocols.lending.compound_v2.rows import AccountMarket, Comptroller, CToken
from defirisk.store.database import Store
from tests.devnet.abi import call_data, words
from tests.devnet.build import CHECKPOINTS, Devnet, build, fresh, start
from tests.devnet.checkpoints import read_checkpoints
from tests.devnet.record import deployments
from tests.onchain.compound_v2_oddities import Oddities
from tests.onchain.markets import index_live, new_store
from tests.onchain.perturbed import changed
from tests.onchain.verified import Verified

pytestmark = pytest.mark.onchain
PACKAGE = "defirisk.protocols.lending.compound_v2"
SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (2, 3, 4, 5))]


def compound_of(devnet: Devnet) -> Deployment:
    """The product's deployment for the chain's Compound v2."""
    return next(d for d in deployments(devnet.deployment) if d.protocol == ADAPTER.name)


@dataclass(frozen=True)
class Indexed(Verified):
    """A running chain and a store filled from it."""

    devnet: Devnet
    path: Path
    store: Store
    market: Deployment
    block: Block

    @property
    def url(self) -> str:
        return self.devnet.url


@pytest.fixture(scope="module", params=SEEDS)
def indexed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Indexed]:
    path = build(request.param)
    with start(path) as devnet:
        store, market = new_store(tmp_path_factory.mktemp("compound")), compound_of(devnet)
        block = index_live(devnet.url, store, market).block
        yield Indexed(devnet, path, store, market, block)
        store.close()


def test_every_account_agrees_with_the_running_contracts_at_the_head(indexed: Indexed) -> None:
    verdict = indexed.verdict()

    assert verdict.mismatches == ()
    assert verdict.read == 0
    assert verdict.accounts >= 150
    assert verdict.compared > 7 * verdict.accounts


def test_every_account_agrees_with_what_the_contracts_said_at_every_checkpoint(
    indexed: Indexed,
) -> None:
    checkpoints = list(read_checkpoints(indexed.path / CHECKPOINTS))
    compared, wrong = [], list[Mismatch]()
    codecs = Codecs(ADAPTER)

    for checkpoint in checkpoints:
        said = {(to.lower(), data): answer for to, data, answer in checkpoint["calls"]}
        at = Block(number=checkpoint["block"], hash=checkpoint["hash"], parent_hash="", timestamp=0)
        count = 0
        for question in ADAPTER.questions(indexed.snapshot(at)):
            call = codecs.call(question.view)
            key = (call.to, "0x" + call.data.hex())
            if key in said:
                theirs = codecs.answer(question.view, result(said[key]))
                wrong += differences(question, theirs)
                count += len(question.fields)
        compared.append(count)

    assert len(checkpoints) >= 20
    assert wrong == []
    assert compared[0] > 100
    assert compared[-1] > 1_000


def result(answer: str | None) -> CallResult:
    return CallResult(answer is not None, bytes.fromhex((answer or "0x")[2:]))


def test_interest_due_until_a_block_is_what_the_contracts_accrue(indexed: Indexed) -> None:
    """`…Current` accrues first, in the block of the call; nobody else asks them, as they write."""
    now, rpc = market_now(indexed.snapshot()), indexed.devnet.chain.rpc
    tag = hex(indexed.block.number)

    def asked(to: str, signature: str, *args: str) -> int:
        call = {"to": to, "data": call_data(signature, args)}
        return words(rpc.call("eth_call", call, tag))[0]

    stale = 0
    for c_token, market in now.tokens.items():
        assert market.rates is not None
        then = accrued(market.token, market.rates.borrow_mantissa, indexed.block.number)
        stale += then.total_borrows_raw > market.token.total_borrows_raw
        assert asked(c_token, "totalBorrowsCurrent()") == then.total_borrows_raw
        assert asked(c_token, "exchangeRateCurrent()") == exchange_rate(then, 0)
        owing = [row for rows in now.positions.values() for row in rows if row.c_token == c_token]
        for row in sorted(owing, key=lambda row: -row.principal_raw)[:5]:
            owed = asked(c_token, "borrowBalanceCurrent(address)", row.account)
            assert owed == borrow_balance(row, then)
    assert stale >= 3


def test_a_failure_that_does_not_revert_changes_nothing(indexed: Indexed) -> None:
    """Such transactions are on the chain, and the accounts above agree all the same."""
    rpc = indexed.devnet.chain.rpc
    tokens = list(market_now(indexed.snapshot()).tokens)
    failure = "0x45b96fe442630264581b197e84bbada861235052c5a1aadfff9ea4e40a969aa0"
    everything = {"address": tokens, "topics": [failure], "fromBlock": "0x0", "toBlock": "latest"}

    assert len(rpc.call("eth_getLogs", everything)) >= 10


COLUMNS: list[tuple[type[Row], str]] = [
    (AccountMarket, "tokens_raw"),
    (AccountMarket, "principal_raw"),
    (CToken, "borrow_index_mantissa"),
    (CToken, "total_borrows_raw"),
    (CToken, "total_reserves_raw"),
    (CToken, "total_supply_raw"),
    (CToken, "cash_raw"),
    (CToken, "accrual_block_number"),
    (CToken, "collateral_factor_mantissa"),
    (CToken, "reserve_factor_mantissa"),
    (CToken, "borrow_cap_raw"),
    (Comptroller, "close_factor_mantissa"),
    (Comptroller, "liquidation_incentive_mantissa"),
]


@pytest.mark.parametrize(("row_type", "column"), COLUMNS)
def test_an_off_by_one_in_a_stored_number_is_found(
    indexed: Indexed, row_type: type[Row], column: str
) -> None:
    with changed(indexed.store, row_type, column):
        assert indexed.verdict().mismatches
    assert indexed.verdict().mismatches == ()


def _up(value: int, of: int) -> int:
    return -(-value // of)


FORMULAS: dict[str, tuple[str, Callable[..., object], str]] = {
    "the exchange rate is rounded up": (
        "market_now.exchange_rate",
        lambda token, initial: (exchange_rate(token, initial) or 0) + 1,
        "exchange rate",
    ),
    "a debt is rounded up": (
        "referee.borrow_balance",
        lambda row, token: _up(
            row.principal_raw * token.borrow_index_mantissa, row.interest_index_mantissa or 1
        ),
        "borrow balance",
    ),
    "a product is not truncated": (
        "account_liquidity._times",
        lambda left, right: left * right + 10**18 - 1,
        "liquidity",
    ),
    "the rate forgets the reserves": (
        "accrual._utilization",
        lambda token: (
            token.total_borrows_raw * 10**18 // (token.cash_raw + token.total_borrows_raw)
        ),
        "borrowRatePerBlock",
    ),
}


@pytest.mark.parametrize("wrong", FORMULAS)
def test_a_wrong_formula_is_found(
    indexed: Indexed, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, formula, field = FORMULAS[wrong]
    monkeypatch.setattr(f"{PACKAGE}.{place}", formula)

    assert field in {mismatch.field for mismatch in indexed.verdict().mismatches}


@pytest.fixture
def small() -> Iterator[Devnet]:
    with fresh(3) as devnet:
        yield devnet


def test_what_rarely_happens_is_folded_as_well(small: Devnet, tmp_path: Path) -> None:
    """Step by step, and then all of it at once into a second store."""
    market, store = compound_of(small), new_store(tmp_path)
    read = []
    for step in Oddities(small).steps():
        step()
        block = index_live(small.url, store, market).block
        verdict = Indexed(small, tmp_path, store, market, block).verdict()
        assert verdict.mismatches == (), step.__name__
        read.append(verdict.read)
    once = new_store(tmp_path, "once.db")
    block = index_live(small.url, once, market).block
    again = Indexed(small, tmp_path, once, market, block).verdict()

    assert again == verdict
    # At last a price that no feed states, and cash that no event told of.
    assert read == [0, 0, 0, 0, 0, 1, 1, 2]
    store.close()
    once.close()
