"""Morpho Blue's fold and arithmetic against a plain model of the contract's storage."""

from __future__ import annotations

from typing import Any

import pytest

from defirisk.core.adapter import Contract, Log
from defirisk.core.plugins import adapter
from defirisk.protocols.lending.morpho_blue.health import (
    is_healthy,
    liquidation_incentive_factor,
)
from defirisk.protocols.lending.morpho_blue.interest import (
    accrue,
    proportional_rate,
    taylor_compounded,
)
from defirisk.protocols.lending.morpho_blue.rows import Market, Position, Settings
from defirisk.protocols.lending.morpho_blue.shares import WAD
from tests.unit.protocols.morpho_model import (
    ACCOUNTS,
    ID,
    MORPHO,
    PARAMS,
    TREASURY,
    ZERO,
    Model,
    lived,
)
from tests.unit.protocols.rows_in_memory import RowsInMemory

MARKET = "0x" + ID.hex()


def folded(logs: list[tuple[str, dict[str, Any], int]]) -> RowsInMemory:
    """The rows after the market's creation and these logs."""
    rows = RowsInMemory()
    contract = Contract(address=MORPHO, role="morpho", first_block=0)
    made: list[tuple[str, dict[str, Any], int]] = [
        ("SetFeeRecipient", {"newFeeRecipient": TREASURY}, 1_600_000_000),
        ("CreateMarket", {"id": ID, "marketParams": PARAMS}, 1_700_000_000),
    ]
    for index, (event, args, timestamp) in enumerate([*made, *logs]):
        adapter("morpho-blue").fold(
            Log(
                block_number=index,
                timestamp=timestamp,
                log_index=0,
                contract=contract,
                event=event,
                args=args,
            ),
            rows,
        )
    return rows


@pytest.mark.parametrize("seed", range(5))
def test_the_rows_of_a_long_life_are_the_contract_s_storage(seed: int) -> None:
    model = lived(seed)

    rows = folded(model.logs)

    market = rows.find(Market, MARKET)
    assert market is not None
    assert market.total_supply_assets_raw == model.m["sa"]
    assert market.total_supply_shares_raw == model.m["ss"]
    assert market.total_borrow_assets_raw == model.m["ba"]
    assert market.total_borrow_shares_raw == model.m["bs"]
    assert (market.fee_wad, market.last_update_ts) == (model.fee, model.last_update)
    for account, held in model.positions.items():
        row = rows.get(Position, MARKET, account)
        assert [row.supply_shares_raw, row.borrow_shares_raw, row.collateral_raw] == held
    assert rows.get(Position, MARKET, TREASURY).supply_shares_raw > 0


def test_the_lives_hold_what_is_easily_missed() -> None:
    """Bad debt and liquidations without, collateral taken out, several actions in one block."""
    logs = [log for seed in range(5) for log in lived(seed).logs]
    times = [timestamp for _, _, timestamp in logs]
    liquidations = [args for event, args, _ in logs if event == "Liquidate"]

    assert sum(args["badDebtAssets"] > 0 for args in liquidations) >= 3
    assert sum(args["badDebtAssets"] == 0 for args in liquidations) >= 3
    assert sum(event == "WithdrawCollateral" for event, _, _ in logs) >= 3
    assert len(set(times)) < len(times)


def test_a_repayment_of_one_more_than_is_owed_leaves_nothing() -> None:
    made = {"caller": TREASURY, "onBehalf": ACCOUNTS[0]}
    supply = ("Supply", {"id": ID, **made, "assets": 100, "shares": 10**8}, 1_700_000_000)
    borrow = ("Borrow", {"id": ID, **made, "assets": 5, "shares": 5_000_001}, 1_700_000_000)
    repay = ("Repay", {"id": ID, **made, "assets": 6, "shares": 5_000_001}, 1_700_000_000)

    market = folded([supply, borrow, repay]).get(Market, MARKET)

    assert (market.total_borrow_assets_raw, market.total_borrow_shares_raw) == (0, 0)


def test_fees_go_to_whoever_is_the_recipient_at_that_moment() -> None:
    accrued = {"id": ID, "prevBorrowRate": 3, "interest": 50, "feeShares": 7}
    heir = ACCOUNTS[4]

    rows = folded(
        [
            ("AccrueInterest", accrued, 1_700_000_012),
            ("SetFeeRecipient", {"newFeeRecipient": heir}, 1_700_000_024),
            ("AccrueInterest", {**accrued, "feeShares": 11}, 1_700_000_036),
        ]
    )

    assert rows.get(Position, MARKET, TREASURY).supply_shares_raw == 7
    assert rows.get(Position, MARKET, heir).supply_shares_raw == 11
    assert rows.get(Settings, MORPHO).fee_recipient == heir
    assert rows.get(Market, MARKET).prev_borrow_rate_wad == 3


@pytest.mark.parametrize("seed", range(5))
def test_interest_that_is_not_booked_yet_is_what_the_contract_would_book(seed: int) -> None:
    model = lived(seed)
    stored = folded(model.logs).get(Market, MARKET)

    for elapsed in (0, 1, 12, 86_400, 40 * 86_400):
        ours = accrue(stored, proportional_rate(stored), stored.last_update_ts + elapsed)
        theirs = Model(m=dict(model.m), fee=model.fee, last_update=model.last_update)
        theirs.now = model.last_update + elapsed
        theirs.accrue()
        assert ours.market.total_supply_assets_raw == theirs.m["sa"]
        assert ours.market.total_supply_shares_raw == theirs.m["ss"]
        assert ours.market.total_borrow_assets_raw == theirs.m["ba"]
        assert ours.fee_shares == theirs.of(TREASURY)[0]


def test_without_a_rate_model_time_costs_nothing() -> None:
    market = Market(market_id=MARKET, irm=ZERO, total_borrow_assets_raw=10**9)

    grown = accrue(market, 10**10, 10**6)

    assert grown.market.total_borrow_assets_raw == 10**9
    assert (grown.interest, grown.fee_shares) == (0, 0)


def test_a_market_without_a_rate_model_is_up_to_date_after_what_would_accrue() -> None:
    """There is no AccrueInterest to say so; collateral that comes in does not count."""
    params = (*PARAMS[:3], ZERO, PARAMS[4])
    acted = {"id": ID, "caller": TREASURY, "onBehalf": ACCOUNTS[0], "assets": 5}
    logs: list[tuple[str, dict[str, Any], int]] = [
        ("CreateMarket", {"id": ID, "marketParams": params}, 1_700_000_000),
        ("SupplyCollateral", acted, 1_700_000_050),
    ]
    taken = [*logs, ("WithdrawCollateral", {**acted, "receiver": TREASURY}, 1_700_000_090)]

    assert folded(logs).get(Market, MARKET).last_update_ts == 1_700_000_000
    assert folded(taken).get(Market, MARKET).last_update_ts == 1_700_000_090


def test_compounding_has_three_terms() -> None:
    """e^0.1 - 1 is 0.105170918…, of which three terms are 0.10516666…"""
    assert taylor_compounded(10**15, 100) == 105_166_666_666_666_666


@pytest.mark.parametrize("seed", range(5))
def test_health_turns_at_the_same_price_as_in_the_contract(seed: int) -> None:
    """The lowest price at which each position is healthy, and one below it."""
    model = lived(seed)
    market = folded(model.logs).get(Market, MARKET)
    turned = 0
    for account, (_, borrowed, collateral) in model.positions.items():
        if not borrowed or not collateral:
            continue
        position = Position(
            market_id=MARKET,
            account=account,
            borrow_shares_raw=borrowed,
            collateral_raw=collateral,
        )
        low, high = 0, 10**60
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if model.healthy(account, middle) else (middle, high)
        assert is_healthy(market, position, high)
        assert not is_healthy(market, position, low)
        turned += 1
    assert turned


@pytest.mark.parametrize(
    ("lltv_percent", "bonus"),
    [(98, 0.0060362), (94.5, 0.0167768), (86, 0.0438413), (77, 0.0741138), (62.5, 0.1267606)],
)
def test_the_liquidator_s_part_depends_on_the_lltv(lltv_percent: float, bonus: float) -> None:
    factor = liquidation_incentive_factor(round(lltv_percent * 10) * 10**15)

    assert factor / WAD - 1 == pytest.approx(bonus, abs=1e-7)


def test_the_liquidator_s_part_has_a_limit() -> None:
    assert liquidation_incentive_factor(385 * 10**15) == 115 * 10**16
    assert liquidation_incentive_factor(0) == 115 * 10**16
