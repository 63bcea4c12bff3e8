"""What the events of Perps V2 do to its rows."""

from __future__ import annotations

from typing import Any

import pytest

from defirisk.core.adapter import Contract, Log
from defirisk.protocols.perps.synthetix_perps_v2.fold import fold, text, touches
from defirisk.protocols.perps.synthetix_perps_v2.referee import key32
from defirisk.protocols.perps.synthetix_perps_v2.rows import (
    UNIT,
    DelayedOrder,
    Market,
    Position,
)
from tests.unit.protocols.rows_in_memory import RowsInMemory
from tests.unit.protocols.synthetix_sample import ACCOUNT, KEEPER, MARKET, NOW, RATES


def log(role: str, event: str, **args: Any) -> Log:
    contract = Contract(address=MARKET if role == "market" else RATES, role=role, first_block=0)
    return Log(
        block_number=1, timestamp=NOW, log_index=0, contract=contract, event=event, args=args
    )


def folded(state: RowsInMemory, *logs: Log) -> RowsInMemory:
    for one in logs:
        assert touches(one)
        fold(one, state)
    return state


def modified(**changes: Any) -> Log:
    args = {
        "id": 1,
        "account": ACCOUNT,
        "margin": 1_000 * UNIT,
        "size": 2 * UNIT,
        "tradeSize": 2 * UNIT,
        "lastPrice": 2_000 * UNIT,
        "fundingIndex": 3,
        "fee": 0,
        "skew": 2 * UNIT,
    }
    return log("market", "PositionModified", **args | changes)


def recomputed(funding_wad: int, index: int) -> Log:
    said = {"funding": funding_wad, "fundingRate": 5, "index": index, "timestamp": NOW}
    return log("market", "FundingRecomputed", **said)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"sETHPERP".ljust(32, b"\0"), "sETHPERP"),
        (b"\x01\xff".ljust(32, b"\0"), "0x01ff" + "00" * 30),
        (b"a\nb".ljust(32, b"\0"), "0x610a62" + "00" * 29),
    ],
)
def test_a_name_can_be_asked_for_as_it_was_written(name: bytes, shown: str) -> None:
    assert text(name) == shown
    assert key32(shown) == name


def test_a_change_states_the_whole_position_and_moves_the_totals() -> None:
    state = folded(RowsInMemory(), recomputed(11, 3), modified())
    state = folded(state, recomputed(23, 4), modified(size=-UNIT, skew=-UNIT, fundingIndex=4))

    market = state.get(Market, MARKET)
    held = state.get(Position, MARKET, ACCOUNT)
    assert (held.size_wad, held.funding_wad, held.last_funding_index) == (-UNIT, 23, 4)
    assert (market.market_size_wad, market.market_skew_wad) == (UNIT, -UNIT)
    assert market.entry_debt_correction_wad == 1_000 * UNIT + 2_000 * UNIT + 23


def test_a_closed_position_keeps_its_margin_only() -> None:
    state = folded(RowsInMemory(), recomputed(11, 3), modified(), recomputed(12, 4))
    state = folded(state, modified(size=0, skew=0, margin=5, fundingIndex=4, lastPrice=7))

    held = state.get(Position, MARKET, ACCOUNT)
    assert held == Position(market=MARKET, account=ACCOUNT, margin_wad=5)
    assert state.get(Market, MARKET).entry_debt_correction_wad == 5
    assert state.get(Market, MARKET).market_size_wad == 0


def test_a_change_without_new_funding_keeps_the_entry_that_the_position_has() -> None:
    """The legacy deposit of an order goes back into the margin where a position is flagged."""
    state = folded(RowsInMemory(), recomputed(11, 3), modified(), recomputed(50, 4))
    state = folded(state, modified(margin=1_001 * UNIT))

    assert state.get(Position, MARKET, ACCOUNT).funding_wad == 11


def test_a_flag_takes_the_order_away_and_a_liquidation_takes_the_flag() -> None:
    order = log(
        "market",
        "DelayedOrderSubmitted",
        account=ACCOUNT,
        isOffchain=True,
        sizeDelta=-UNIT,
        targetRoundId=0,
        intentionTime=NOW,
        executableAtTime=2**200,
        commitDeposit=0,
        keeperDeposit=2 * UNIT,
        trackingCode=b"",
    )
    state = folded(RowsInMemory(), order)
    assert state.get(DelayedOrder, MARKET, ACCOUNT).size_delta_wad == -UNIT

    folded(state, log("market", "PositionFlagged", account=ACCOUNT, flagger=KEEPER))
    assert state.get(DelayedOrder, MARKET, ACCOUNT) == DelayedOrder(market=MARKET, account=ACCOUNT)
    assert state.get(Position, MARKET, ACCOUNT).flagger == KEEPER

    folded(state, log("market", "PositionLiquidated", account=ACCOUNT))
    assert state.get(Position, MARKET, ACCOUNT) == Position(market=MARKET, account=ACCOUNT)
