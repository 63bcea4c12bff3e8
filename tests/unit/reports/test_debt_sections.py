"""What the report on a protocol says of collateralised debt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from defirisk.core.debt_position import (
    DebtAuction,
    DebtReserves,
)
from defirisk.reports.model import Note, Numbers
from tests.unit.reports.margin_systems import (
    DEBT,
    E18,
    HOSTILE,
    MARKET,
    report,
    rows,
    stated,
)


def test_ceilings_deposits_and_ratios_of_collateralised_debt() -> None:
    (market,) = rows(report(stated(debt=DEBT)), "debt-markets")
    (terms,) = rows(report(stated(debt=DEBT)), "debt-terms")

    assert market["collateral"] == "WETH"
    assert (market["collateral_amount"], market["debt_amount"]) == (10, 700)
    assert (terms["debt_ceiling"], terms["ceiling_usage"]) == (2800, 0.25)
    assert (terms["stability_deposits"], terms["deposits_share"]) == (175, 0.25)
    assert market["total_ratio"] == pytest.approx(10 / 7)
    assert market["recovery_mode"] == "yes"


def test_positions_by_ratio_count_everybody_once() -> None:
    found = rows(report(stated(debt=DEBT)), "collateral-ratios")

    assert [(row["ratio"], row["positions"], row["debt_amount"]) for row in found] == [
        ("below 110.0 %", 1, 100),
        ("110.0 % to 121.0 %", 2, 500),
        ("220.0 % and more", 1, 60),
        ("unknown", 1, 40),
    ]
    assert [row["liquidatable"] for row in found] == [1, 0, 0, 0]


def test_recovery_mode_and_uncovered_debt_are_said() -> None:
    notes = [block for block in report(stated(debt=DEBT)).blocks() if isinstance(block, Note)]
    texts = {note.code: note.text for note in notes}

    assert "142.9 % of everything owed, below 150.0 %" in texts["recovery-mode"]
    assert "owe 7" in texts["uncovered-debt"]
    calm = replace(MARKET, recovery_mode=False)
    quiet = report(stated(debt=replace(DEBT, markets=(calm,), bad_debt_raw=0)))
    codes = {block.code for block in quiet.blocks() if isinstance(block, Note)}
    assert not codes & {"recovery-mode", "uncovered-debt"}


RESERVES = DebtReserves(
    ceiling_raw=2800 * E18,
    debt_raw=700 * E18,
    written_off_raw=30 * E18,
    surplus_raw=None,
    unbacked_raw=None,
)
LOT = DebtAuction(
    market="ETH-A",
    auction="7",
    lot_raw=3 * E18,
    asked_raw=200 * E18,
    bid_raw=50 * E18,
    end_ts=0,
)


def test_what_a_system_has_and_owes_itself() -> None:
    of = replace(DEBT, reserves=RESERVES, auctions=(LOT,), limits=(("target", HOSTILE),))
    found = report(stated(debt=of))

    tiles = {
        item.key: item.value
        for block in found.blocks()
        if isinstance(block, Numbers)
        for item in block.items
    }
    assert (tiles["debt_of_all"], tiles["surplus"], tiles["written_off"]) == (700, None, 30)
    assert tiles["auctions"] == 150
    (lot,) = rows(found, "debt-auctions")
    assert (lot["asked"], lot["covered"], lot["worth"]) == (200, 0.25, 300)
    assert lot["seconds_left"] is None  # it ended long ago
    assert rows(found, "debt-limits")[0]["market"] == "all"
    assert "debt-auctions" not in {table.name for table in report(stated(debt=DEBT)).tables()}


def test_falls_of_collateral_and_the_way_to_recovery_mode() -> None:
    found = report(stated(debt=replace(DEBT, markets=(replace(MARKET, redeemable=True),))))

    falls = rows(found, "debt-after-falls")
    assert [(row["fall"], row["positions"]) for row in falls][:2] == [(0, 1), (0.1, 3)]
    notes = {b.code: b.text for b in found.blocks() if isinstance(b, Note)}
    # 10 of 7 is 143 %: at 105 dollars it is 150 %.
    assert "rises by 5.0 %, at $105.00" in notes["distance-to-recovery"]
    reached = rows(found, "redemptions")
    assert [(row["debt_amount"], row["before"]) for row in reached] == [
        (200, 0),
        (300, 200),
        (60, 500),
    ]
