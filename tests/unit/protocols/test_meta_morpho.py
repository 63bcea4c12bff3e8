"""A vault that lends to several markets: its fee in the share price, its queues, caps and loans."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

import pytest

from defirisk.core.adapter import Contract, Deployment, Log, Snapshot, Token, View
from defirisk.core.claim import Allocation, Claim
from defirisk.core.evm import ZERO_ADDRESS, Block
from defirisk.protocols.wrappers.meta_morpho import ADAPTER
from defirisk.protocols.wrappers.meta_morpho.fold import MAX_QUEUE_LENGTH
from defirisk.protocols.wrappers.meta_morpho.rows import Queues, Vault
from tests.unit.protocols.rows_in_memory import RowsInMemory

VAULT, ASSET, MORPHO, WHO = ("0x" + byte * 20 for byte in ("a1", "b2", "c3", "d4"))
IDS = [bytes([n]) * 32 for n in (1, 2, 3)]
LENT = {IDS[0]: (3 * 10**12, 5 * 10**9, 4 * 10**15), IDS[1]: (0, 0, 0)}
"""By market: the vault's shares, then the market's assets and shares."""
HEAD, WAD, SUPPLY = 9, 10**18, 70 * 10**18
CONTRACT = Contract(address=VAULT, role="vault", first_block=0, subject=MORPHO)


def block(number: int = HEAD) -> Block:
    return Block(number=number, hash="0x09", parent_hash="0x08", timestamp=1_700_000_000)


def folded(*events: tuple[str, dict[str, Any]], number: int = 5) -> RowsInMemory:
    state = RowsInMemory()
    transfer = {"from": ZERO_ADDRESS, "to": WHO, "value": SUPPLY}
    for event, args in (("Transfer", transfer), *events):
        log = Log(
            block_number=number,
            timestamp=0,
            log_index=0,
            contract=CONTRACT,
            event=event,
            args=args,
        )
        ADAPTER.fold(log, state)
    return state


SET_UP = (
    ("UpdateLastTotalAssets", {"updatedTotalAssets": 100 * 10**6}),
    ("SetFee", {"newFee": WAD // 10}),
    ("SetCap", {"id": IDS[0], "cap": 7}),
    ("SetSupplyQueue", {"newSupplyQueue": IDS[:1]}),
    ("SetWithdrawQueue", {"newWithdrawQueue": IDS[:2]}),
)


def expected_rate(total: int, last: int, fee: Fraction, offset: int) -> Fraction:
    """Shares for the fee are minted first, so that they are worth it: by definition, in fractions
    but for the contract's two roundings.
    """
    fee_assets = floor(max(0, total - last) * fee)
    fee_shares = floor(Fraction(fee_assets * (SUPPLY + 10**offset), total - fee_assets + 1))
    return Fraction(total + 1, SUPPLY + fee_shares + 10**offset)


def observe(state: RowsInMemory, total: int, rate: Fraction, number: int = HEAD) -> None:
    """A run ends: the vault and Morpho answer."""
    constants = {"asset": ASSET, "MORPHO": MORPHO, "DECIMALS_OFFSET": 12, "totalAssets": total}
    for view in ADAPTER.views([CONTRACT]):
        ADAPTER.observe(view, (constants[view.function],), block(number), state)
    for view in ADAPTER.views_of_rows([CONTRACT], state):
        if view.function == "convertToAssets":
            answer: tuple[int, ...] = (floor(view.args[0] * rate),)
        else:
            assert view.contract.address == MORPHO
            shares, assets, all_shares = LENT[view.args[0]]
            answer = (shares, 0, 0) if view.function == "position" else (assets, all_shares, 0)
        ADAPTER.observe(view, answer, block(number), state)


def snapshot(state: RowsInMemory, number: int = HEAD) -> Snapshot:
    return Snapshot(
        deployment=Deployment(name="meta-morpho-1", protocol="meta-morpho", chain_id=1),
        block=block(number),
        rows=state,
        tokens={
            VAULT: Token(address=VAULT, symbol="V", name="V", decimals=18),
            ASSET: Token(address=ASSET, symbol="A", name="A", decimals=6),
        },
        answers={},
    )


def only_claim(state: RowsInMemory, number: int = HEAD) -> Claim:
    (claim,) = ADAPTER.claims(snapshot(state, number))
    return claim


@pytest.mark.parametrize("total", [0, 1, 90 * 10**6, 100 * 10**6, 123_456_789, 10**12])
def test_the_price_has_the_fee_on_what_was_earned_in_it(total: int) -> None:
    state = folded(*SET_UP)
    rate = expected_rate(total, 100 * 10**6, Fraction(1, 10), 12)
    observe(state, total, rate)

    assert state.get(Vault, VAULT).conforms
    assert only_claim(state).rate == rate * 10**12
    (share,) = ADAPTER.shares(snapshot(state))
    assert share.worth == ((ASSET, floor(SUPPLY * rate)),)
    said = {q.view.function: (q.ours, q.grade) for q in ADAPTER.questions(snapshot(state))}
    assert said["fee"] == ((WAD // 10,), "compared")
    assert said["lastTotalAssets"] == ((100 * 10**6,), "compared")
    assert said["withdrawQueueLength"] == ((2,), "compared")
    assert said["config"] == ((7,), "compared")
    assert said["position"][1] == said["market"][1] == said["totalAssets"][1] == "read"


def test_another_formula_than_metamorphos_is_read() -> None:
    state = folded(*SET_UP)
    observe(state, 10**9, Fraction(1, 10**12))

    assert not state.get(Vault, VAULT).conforms
    assert only_claim(state).rate == 1
    assert {q.grade for q in ADAPTER.questions(snapshot(state)) if "convert" in q.fields[0]} == {
        "read"
    }


def test_between_runs_the_last_booking_tells_the_rate() -> None:
    state = folded(*SET_UP, number=5)
    claim = only_claim_without_reading(state)
    assert claim.rate == Fraction(100 * 10**6 + 1, SUPPLY + 10**12) * 10**12
    assert claim.grade == "logs"
    observe(state, 2 * 10**8, expected_rate(2 * 10**8, 10**8, Fraction(1, 10), 12), 7)
    assert only_claim(state).grade == "read", "what was read since is newer"
    assert [one.code for one in ADAPTER.findings(snapshot(state))] == ["rate-not-of-this-block"]


def only_claim_without_reading(state: RowsInMemory) -> Claim:
    state.put(Vault(vault=VAULT, asset=ASSET, morpho=MORPHO, decimals_offset=12))
    return only_claim(state)


def test_what_is_lent_is_told_by_market_in_the_order_of_withdrawals() -> None:
    state = folded(*SET_UP)
    observe(state, 10**8, expected_rate(10**8, 10**8, Fraction(1, 10), 12))

    shares, assets, all_shares = LENT[IDS[0]]
    owed = floor(shares * Fraction(assets + 1, all_shares + 10**6))
    assert only_claim(state).allocations == (
        Allocation(market="0x" + IDS[0].hex(), assets_raw=owed, cap_raw=7),
        Allocation(market="0x" + IDS[1].hex(), assets_raw=0, cap_raw=None),
    )


def test_a_queue_is_replaced_and_never_longer_than_the_contract_allows() -> None:
    state = folded(*SET_UP, ("SetWithdrawQueue", {"newWithdrawQueue": IDS[2:]}))
    assert state.get(Queues, VAULT).withdraw_queue == "0x" + IDS[2].hex()
    endless = folded(("SetWithdrawQueue", {"newWithdrawQueue": IDS * 500}))
    assert len(endless.get(Queues, VAULT).withdraw_queue.split()) == MAX_QUEUE_LENGTH


def test_a_fee_above_all_there_is_is_no_price() -> None:
    state = folded(*SET_UP, ("SetFee", {"newFee": 2**255}))
    observe(state, 10**9, Fraction(3, 10**12))
    assert not state.get(Vault, VAULT).conforms
    assert only_claim(state).rate == 3


@pytest.mark.parametrize(
    ("role", "function", "answer", "becomes"),
    [
        ("candidate", "MORPHO", None, None),
        ("candidate", "MORPHO", (ZERO_ADDRESS,), None),
        ("candidate", "MORPHO", (MORPHO,), "lender"),
        ("lender", "withdrawQueueLength", None, None),
        ("lender", "withdrawQueueLength", (0,), "vault"),
    ],
)
def test_a_vault_is_known_by_its_morpho_and_its_queue(
    role: str, function: str, answer: tuple[Any, ...] | None, becomes: str | None
) -> None:
    asked = Contract(address=VAULT, role=role, first_block=0, subject=MORPHO)
    found = list(ADAPTER.discover_view(View(asked, function), answer))
    roles = [(one.role, one.subject) for one in found if isinstance(one, Contract)]
    assert roles == ([(becomes, MORPHO)] if becomes else [])
