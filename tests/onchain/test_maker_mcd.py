"""MakerDAO MCD: every number of ours against what the running contracts say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from defirisk.core.debt_position import StatesDebt
from defirisk.core.evm import Block, CallResult
from defirisk.core.verdict import Mismatch
from defirisk.indexing.codecs import Codecs
from defirisk.indexing.verify import differences
from defirisk.protocols.cdp.maker_mcd import ADAPTER
from defirisk.protocols.cdp.maker_mcd.referee import NOT_UNSAFE
from defirisk.protocols.cdp.maker_mcd.rows import (
    RAY,
    Urn,
)
from defirisk.protocols.cdp.maker_mcd.system_now import maker_now, unit_of
from tests.devnet.abi import call_data
from tests.devnet.build import CHECKPOINTS
from tests.devnet.chain import Tx
from tests.devnet.checkpoints import read_checkpoints
from tests.onchain.maker_chain import Indexed, indexed_chain

pytestmark = pytest.mark.onchain
PACKAGE = "defirisk.protocols.cdp.maker_mcd"
BITES = 40  # looked at closely
SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (2, 3, 4, 5))]


@pytest.fixture(scope="module", params=SEEDS)
def indexed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Indexed]:
    with indexed_chain(request.param, tmp_path_factory.mktemp("maker")) as found:
        yield found


def test_everything_agrees_with_the_running_contracts_at_the_head(indexed: Indexed) -> None:
    verdict = indexed.verdict()

    assert verdict.mismatches == ()
    # The tokens of the package's ilks and their decimals, and what the Vow has.
    assert 26 < verdict.read < 60
    assert verdict.accounts >= 15
    assert verdict.compared > 800


def test_the_story_has_all_that_can_happen(indexed: Indexed) -> None:
    happened = indexed.happened()

    assert happened["frob"] >= 70
    assert happened["drip"] >= 60
    assert happened["Poke"] >= 150
    assert happened["Bite"] == happened["grab"] >= 25
    assert happened["tend"] >= happened["deal"] >= 20
    assert happened["dent"] >= 15, "lots for which more than all that was asked for is offered"
    assert happened["tick"] >= 1, "lots that nobody wanted"
    assert happened["NewCdp"] >= 15
    assert happened["give"] >= 3
    assert happened["fork"] >= happened["quit"] + happened["enter"] >= 5
    assert happened["heal"] >= 3
    assert happened["file"] >= 150, "prices, ceilings, fees, margins, penalties"


def test_urns_are_bitten_whole_and_in_parts_and_some_auctions_bring_too_little(
    indexed: Indexed,
) -> None:
    whole, parts, short, covered = 0, 0, 0, 0
    asked = dict[tuple[str, int], int]()
    for log in indexed.logs():
        event = decoded(indexed, log)
        if event is None:
            continue
        name, at, args = event
        if name == "Kick":
            asked[at, args["id"]] = args["tab"]
        elif name in ("tend", "dent"):
            full = args["bid"] == asked[at, args["id"]]
            covered += full
            short += not full
        elif name == "Bite" and whole + parts < BITES:
            left = left_of(indexed, args, int(log["blockNumber"], 16))
            whole += left == 0
            parts += left > 0

    assert min(whole, parts, short, covered) >= 2


def left_of(indexed: Indexed, bite: Any, number: int) -> int:
    """The normalised debt of an urn after the block in which it was bitten."""
    rows = indexed.snapshot(replace(indexed.block, number=number)).rows
    row = rows.find(Urn, bite["ilk"].rstrip(b"\0").decode(), bite["urn"])
    assert row is not None
    return row.art_raw


def decoded(indexed: Indexed, log: dict[str, Any]) -> tuple[str, str, Any] | None:
    """An event or a note of the Cat or of a flip."""
    codecs, address = Codecs(ADAPTER), log["address"].lower()
    role = "cat" if address == indexed.maker["MCD_CAT"] else "flip"
    if address in indexed.market.contracts.values() and role != "cat":
        return None
    codec = codecs._events[role].get(bytes.fromhex(log["topics"][0][2:]))
    if codec is None:
        return None
    topics = tuple(bytes.fromhex(topic[2:]) for topic in log["topics"])
    return codec.name, address, codec.decode(topics, bytes.fromhex(log["data"][2:]))


def test_debt_that_nothing_backs_grows_and_is_cancelled(indexed: Indexed) -> None:
    vices, bad = [], 0
    for checkpoint in read_checkpoints(indexed.path / CHECKPOINTS):
        snapshot = indexed.snapshot(block_of(indexed, checkpoint))
        vices.append(maker_now(snapshot).system.vice_rad)
        bad += ADAPTER.debt(snapshot).bad_debt_raw > 0

    assert any(later > before for before, later in pairwise(vices))
    assert any(later < before for before, later in pairwise(vices))
    assert bad >= 1


def block_of(indexed: Indexed, checkpoint: dict[str, Any]) -> Block:
    """With its time, on which interest depends."""
    number = checkpoint["block"]
    header = indexed.alone.chain.rpc.call("eth_getBlockByNumber", hex(number), False)
    assert header["hash"] == checkpoint["hash"]
    timestamp = int(header["timestamp"], 16)
    return Block(number=number, hash=checkpoint["hash"], parent_hash="", timestamp=timestamp)


def test_everything_agrees_with_what_the_contracts_said_at_every_checkpoint(
    indexed: Indexed,
) -> None:
    """Urns, ilks, auctions and owners; whether `bite` refuses; and what `drip` would write."""
    checkpoints = list(read_checkpoints(indexed.path / CHECKPOINTS))
    compared, wrong, safe, dripped = [], list[Mismatch](), set(), 0
    codecs = Codecs(ADAPTER)

    for checkpoint in checkpoints:
        said = {(to.lower(), data): answer for to, data, answer in checkpoint["calls"]}
        tried = {(to.lower(), data): (one, why) for _, to, data, one, why in checkpoint["trials"]}
        count = 0
        for question in ADAPTER.questions(indexed.snapshot(block_of(indexed, checkpoint))):
            if question.grade == "read" and question.view.function == "dai":
                continue  # known where runs ended, and this one ended at the head
            call = codecs.call(question.view)
            key = (call.to, "0x" + call.data.hex())
            if question.refusal and key in tried:
                refused = NOT_UNSAFE.hex() in (tried[key][1] or "")
                theirs: tuple[Any, ...] | None = (int(refused),)
                safe.add(theirs)
            elif key in said or key in tried:
                answer = said[key] if key in said else tried[key][0]
                raw = bytes.fromhex((answer or "0x")[2:])
                theirs = codecs.answer(question.view, CallResult(answer is not None, raw))
                dripped += question.view.function == "drip"
            else:
                continue
            wrong += differences(question, theirs)
            count += len(question.fields)
        compared.append(count)

    assert len(checkpoints) >= 20
    assert wrong == []
    assert safe == {(0,), (1,)}
    assert dripped == 4 * len(checkpoints)
    assert compared[0] > 60
    assert compared[-1] > 200


def test_our_word_on_a_liquidation_is_what_would_happen(indexed: Indexed) -> None:
    """At all checkpoints, of every urn: what refuses it, if anything, is not that it is safe."""
    done = set()
    for checkpoint in read_checkpoints(indexed.path / CHECKPOINTS):
        snapshot = indexed.snapshot(block_of(indexed, checkpoint))
        check, now = ADAPTER.liquidation_check(snapshot), maker_now(snapshot)
        tried = {data: (one, why or "") for _, _, data, one, why in checkpoint["trials"]}
        for urn in now.urns:
            kind = indexed.kind_of(urn.ilk)
            call = call_data("bite(bytes32,address)", (kind.key, urn.urn))
            if call in tried:
                result, reason = tried[call]
                theirs = result is not None or NOT_UNSAFE.hex() not in reason
                assert check(unit_of(urn), {}) == theirs
                done.add(theirs)
    assert done == {True, False}


def test_the_common_rows_say_what_the_contracts_say(indexed: Indexed) -> None:
    snapshot = indexed.snapshot()
    assert isinstance(ADAPTER, StatesDebt)
    system, now = ADAPTER.debt(snapshot), maker_now(snapshot)

    assert len(system.positions) == len(now.open)
    for market in system.markets:
        mine = [one for one in system.positions if one.market == market.market]
        dust = len(mine)  # every urn's debt is rounded up
        assert 0 <= sum(one.debt_raw for one in mine) - market.debt_raw <= dust
        assert sum(one.collateral_raw for one in mine) == market.collateral_raw
        assert market.debt_ceiling_raw == now.ilks[market.market].vat.line_rad // RAY
        assert market.stability_fee_apr is not None
        assert 0.02 < market.stability_fee_apr < 0.3
        assert market.minimum_ratio > 1
        assert market.recovery_mode is None
    assert {one.liquidatable for one in system.positions} == {True, False}
    accrued = [ilk for ilk in now.ilks.values() if ilk.accrued_ray > ilk.vat.rate_ray]
    assert accrued, "interest that nobody has written down"
    assert any(one.owner != one.unit.partition(":")[0] for one in system.positions)
    assert any(one.owner == one.unit.partition(":")[0] for one in system.positions)


def test_a_debt_below_the_smallest_is_refused(indexed: Indexed) -> None:
    """The rule that the common rows state is the contract's."""
    snapshot = indexed.snapshot()
    system, now, met = ADAPTER.debt(snapshot), maker_now(snapshot), set()
    smallest = {one.market: one.minimum_debt_raw for one in system.markets}
    for urn in now.open:
        ilk, kind = now.ilks[urn.ilk], indexed.kind_of(urn.ilk)
        if not urn.art_raw or ilk.is_unsafe(urn, ilk.vat.spot_ray):
            continue
        left = -(-smallest[urn.ilk] * RAY // ilk.vat.rate_ray)  # the last that is allowed
        if urn.art_raw <= left:
            continue
        for more in (0, 1):
            dart = left - more - urn.art_raw
            frob = "frob(bytes32,address,address,address,int256,int256)"
            args = (kind.key, urn.urn, urn.urn, urn.urn, 0, dart)
            met.add((more, refusal(indexed, urn.urn, frob, args)))

    assert {reason for more, reason in met if more} == {"Vat/dust"}
    assert "Vat/dust" not in {reason for more, reason in met if not more}


def refusal(indexed: Indexed, sender: str, signature: str, args: tuple[object, ...]) -> str:
    """In which words the Vat refuses; empty where it does not."""
    ((_, reason),) = indexed.alone.chain.try_out(
        [Tx(sender, indexed.maker["MCD_VAT"], signature, args)]
    )
    raw = bytes.fromhex((reason or "0x")[2:])
    return raw[68:].rstrip(b"\0").decode(errors="replace")
