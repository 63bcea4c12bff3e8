"""Whatever differs between the fork and the prediction is said; so is why a contract refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak

from defirisk.chain.node_errors import CallReverted
from defirisk.core.errors import NodeError
from defirisk.core.verdict import Mismatch, Verdict
from defirisk.governance.aave_v3.proposal import Proposal
from defirisk.governance.aave_v3.roles import RoleHolder
from defirisk.governance.aave_v3.snapshot import configuration
from defirisk.governance.aave_v3.words import Words
from defirisk.governance.comparison import disagreements
from defirisk.governance.impact import liquidatable_now
from defirisk.governance.manifest import execution
from defirisk.governance.rehearsal import Rehearsal
from defirisk.governance.request import Wanted
from defirisk.governance.reverts import explained
from defirisk.protocols.lending.aave_v3.rows import Reserve
from tests.unit.governance.markets import market_at, proposed


@pytest.fixture(scope="module")
def made(demo_database: Path) -> Proposal:
    wanted = Wanted(asset="WETH", ltv_bps=7000, liquidation_threshold_bps=7500)
    return proposed(market_at(demo_database), wanted)


@pytest.fixture
def done(made: Proposal) -> Rehearsal:
    """A fork on which everything came as predicted."""
    after, block = made.case.after(), made.case.book.block
    predicted = configuration(made.market.under(made.rows), Words())
    units = liquidatable_now(after, made.case.deployment)
    return Rehearsal(
        anvil="anvil 1.7.1",
        block=block,
        holder=RoleHolder(account="0x1", role="risk admin"),
        failures=(),
        before=configuration(made.market.snapshot, Words()),
        predicted=predicted,
        after=predicted,
        snapshot=made.market.under(made.rows),
        liquidatable=frozenset(after.units[unit] for unit in units),
        verdict=Verdict(
            chain_id=1, deployment="x", protocol="aave-v3", block=block, accounts=1, compared=6,
            read=0, mismatches=(),
        ),
    )  # fmt: skip


def test_a_fork_as_predicted_is_no_disagreement(made: Proposal, done: Rehearsal) -> None:
    assert disagreements(made.case, done) == []
    assert len(done.liquidatable) > 20
    assert execution(done, "", [])["status"] == "EXECUTED"


def said(made: Proposal, done: Rehearsal, **other: Any) -> str:
    (sentence,) = disagreements(made.case, replace(done, **other))
    assert execution(done, "", [sentence])["status"] == "DIFFERS"
    return sentence


def test_somebody_more_who_can_be_liquidated(made: Proposal, done: Rehearsal) -> None:
    more = done.liquidatable | {"0xsomebody"}
    assert "0xsomebody can be liquidated on the fork" in said(made, done, liquidatable=more)


def test_somebody_less_who_can_be_liquidated(made: Proposal, done: Rehearsal) -> None:
    one = min(done.liquidatable)
    less = done.liquidatable - {one}
    assert f"{one} cannot be liquidated" in said(made, done, liquidatable=less)


def test_another_parameter_than_proposed(made: Proposal, done: Rehearsal) -> None:
    (row,) = made.rows
    assert isinstance(row, Reserve)
    other = made.market.under([replace(row, ltv_bps=6999)])
    assert "proposed was Terms(ltv_bps=7000" in said(made, done, snapshot=other)


def test_another_setting_that_nobody_proposed(made: Proposal, done: Rehearsal) -> None:
    (row,) = made.rows
    assert isinstance(row, Reserve)
    other = configuration(made.market.under([replace(row, paused=True)]), Words())
    assert "isPaused is True on the fork, predicted was False" in said(made, done, after=other)


def test_a_contract_that_answers_otherwise(made: Proposal, done: Rehearsal) -> None:
    assert done.verdict is not None
    wrong = Mismatch(account="0xwho", field="health_factor", ours="2", theirs="1")
    verdict = replace(done.verdict, mismatches=(wrong,))
    assert "0xwho: health_factor is 1 by the contracts, 2 by ours" in said(
        made, done, verdict=verdict
    )


def test_a_call_that_reverted_is_all_there_is_to_say(made: Proposal, done: Rehearsal) -> None:
    failed = replace(done, failures=("setSupplyCap: no",), snapshot=None, after=None, verdict=None)
    assert disagreements(made.case, failed) == ["a call failed on the fork: setSupplyCap: no"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (NodeError("it was cut off"), "it was cut off"),
        (CallReverted("x", data=keccak(b"InvalidReserveParams()")[:4]), "InvalidReserveParams"),
        (CallReverted("x", data=b"\x12\x34\x56\x78"), "reverted with 0x12345678"),
        (
            CallReverted("x", data=keccak(b"Error(string)")[:4] + encode(["string"], ["20"])),
            "reverted with 'INVALID_RESERVE_PARAMS'",
        ),
        (CallReverted("x", data=keccak(b"Error(string)")[:4] + b"junk"), "reverted"),
        (CallReverted("x"), "reverted"),
    ],
)
def test_why_a_contract_refused(error: NodeError, sentence: str) -> None:
    assert sentence in explained(error)
