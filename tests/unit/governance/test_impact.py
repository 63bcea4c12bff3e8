"""What a change does to books small enough to do in the head, and to the recorded chain."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from defirisk.core.book import Book
from defirisk.core.errors import CheckFailed
from defirisk.governance.acceptance import names, refuse, silent
from defirisk.governance.case import Case
from defirisk.governance.change import Change, Terms
from defirisk.governance.impact import impact
from defirisk.governance.numbers import written
from defirisk.governance.parameters import Parameters
from defirisk.governance.request import Wanted
from tests.books import FractionEdge, Token, address, book
from tests.unit.governance.markets import market_at, proposed

TOKENS = [Token("WETH", 100.0, threshold=0.8), Token("USDC", 1.0, threshold=0.9)]
UNITS = [
    [("collateral", "WETH", 1.0), ("debt", "USDC", 75.0)],  # at 70 %: liquidatable
    [("collateral", "WETH", 1.0), ("debt", "USDC", 60.0)],  # safe, but above an LTV of 50 %
    [("collateral", "WETH", 1.0), ("debt", "USDC", 85.0)],  # liquidatable already
    [("collateral", "WETH", 1.0), ("debt", "USDC", 10.0)],  # elsewhere; the first one's owner
]
OWNERS = ["a", "b", "c", "a"]


def case(threshold: float = 0.7, ltv: float = 0.5) -> Case:
    """WETH of the first of two deployments at another threshold and LTV."""
    made = book(TOKENS, UNITS, deployments=("here", "there"), placed=[0, 0, 0, 1], owners=OWNERS)
    # The builder gives both deployments the same sets: the second one gets its own.
    sets = made.holding_parameters + 2 * made.unit_deployment[made.holding_unit]
    made = replace(
        made,
        holding_parameters=sets,
        ltv=np.tile(made.ltv, 2),
        liquidation_threshold=np.tile(made.liquidation_threshold, 2),
        liquidation_bonus=np.tile(made.liquidation_bonus, 2),
        edge=FractionEdge(),
    )
    new = Parameters(
        ltv=np.array([ltv, *made.ltv[1:]]),
        liquidation_threshold=np.array([threshold, *made.liquidation_threshold[1:]]),
        liquidation_bonus=made.liquidation_bonus,
        resolution=made.resolution,
        markets=made.markets,
    )
    terms = Terms(
        ltv_bps=7500,
        liquidation_threshold_bps=8000,
        liquidation_bonus_bps=500,
        supply_cap=0,
        borrow_cap=0,
    )
    then = replace(
        terms, ltv_bps=round(ltv * 1e4), liquidation_threshold_bps=round(threshold * 1e4)
    )
    return Case(
        book=made,
        deployment=0,
        changes=(Change(asset=address("WETH"), symbol="WETH", before=terms, after=then),),
        new=new,
        new_edge=FractionEdge(),
        scenarios=(("fall", ("price:WETH=-10%",)), ("rise", ("price:WETH=+10%",))),
    )


def unit(number: int) -> str:
    return address(f"unit-{number}")


def test_whom_the_change_itself_makes_liquidatable() -> None:
    by_itself = impact(case())["by_the_change_itself"]
    (made,) = by_itself["units"]
    assert (made["unit"], made["debt_usd"], made["collateral_usd"]) == (unit(0), 75.0, 100.0)
    assert made["health_factor_before"] == pytest.approx(80 / 75)
    assert made["health_factor_after"] == pytest.approx(70 / 75)
    assert by_itself["already"] == [unit(2)]
    assert by_itself["no_longer"] == []
    assert (by_itself["accounts"], by_itself["debt_usd"]) == (1, 75.0)


def test_a_higher_threshold_frees() -> None:
    by_itself = impact(case(threshold=0.9, ltv=0.8))["by_the_change_itself"]
    assert (by_itself["units"], by_itself["no_longer"]) == ([], [unit(2)])


def test_borrowing_power_is_collateral_at_its_ltv() -> None:
    power = impact(case())["borrowing_power"]
    assert power["before"]["total_usd"] == pytest.approx(225.0)
    assert power["after"]["total_usd"] == pytest.approx(150.0)
    assert power["change_usd"] == pytest.approx(-75.0)
    # Only the second unit owes less than 75.
    assert power["before"]["free_usd"] == pytest.approx(15.0)
    assert power["after"]["free_usd"] == 0
    assert [power[side]["accounts_above_their_ltv"] for side in ("before", "after")] == [1, 3]


def test_scenarios_with_and_without_the_change() -> None:
    fall, rise = impact(case())["scenarios"]
    # At 90: 72 and 63 against debts of 75, 60 and 85 today, 63 with the change.
    assert fall["before"]["liquidatable_accounts"] == 2
    assert fall["after"]["liquidatable_accounts"] == 2
    assert rise["before"]["liquidatable_accounts"] == 0
    assert rise["after"]["liquidatable_accounts"] == 1
    assert rise["change"]["debt_at_risk_usd"] == pytest.approx(85.0)
    assert fall["before"]["bad_debt_usd"] == 0


def test_borrowers_who_also_owe_elsewhere_are_counted() -> None:
    spill = impact(replace(case(), scenarios=(("now", ("price:WETH=-1%",)),)))["scenarios"][0]
    shared = spill["spill_over"]
    assert (shared["more_liquidatable"], shared["who_also_owe_elsewhere"]) == (1, 1)
    assert shared["their_debt_elsewhere_usd"] == pytest.approx(10.0)
    (there,) = shared["deployments"]
    assert there["deployment"] == "there"
    assert there["change"] == dict.fromkeys(there["change"], 0)


def test_the_static_engine_liquidates_nothing() -> None:
    for one in impact(case())["scenarios"]:
        assert one["rounds"] == {"before": 0, "after": 0}
        assert one["after"]["liquidated_debt_usd"] == 0


def test_units_of_equal_debts_have_an_order(demo_database: Path) -> None:
    market = market_at(demo_database)
    numbers = impact(
        proposed(market, Wanted(asset="WETH", ltv_bps=0, liquidation_threshold_bps=100)).case
    )
    units = numbers["by_the_change_itself"]["units"]
    assert len(units) > 30
    assert units == sorted(units, key=lambda one: (-one["debt_usd"], one["unit"]))


def test_what_is_written_has_ten_digits_and_no_nan() -> None:
    value = {"a": [1 / 3, float("nan"), -0.0, 12345678901.25], "b": (float("inf"), 7, None)}
    assert json.loads(written(value)) == {
        "a": [0.3333333333, None, 0.0, 12345678900.0],
        "b": [None, 7, None],
    }
    assert b"-0.0" not in written(value)


def test_symbols_are_written_as_plain_ascii() -> None:
    assert written({"symbol": "\u202eHTEW\x1b[31m\ud800"}).isascii()


def by_itself(count: int) -> dict[str, Any]:
    return {
        "units": [
            {"unit": f"0xA{i}", "debt_usd": 1000.5, "collateral_usd": 1200.0} for i in range(count)
        ]
    }


def test_nobody_is_liquidated_without_being_named() -> None:
    assert silent(by_itself(2), names(["0xa0, 0xa1"])) == []
    refuse([], "list.txt")
    unnamed = silent(by_itself(2), names(["0xa1\n0xa7"]))
    with pytest.raises(CheckFailed) as caught:
        refuse(unnamed, "list.txt")
    assert "1 account liquidatable, owing $1,000.50 against $1,200.00" in str(caught.value)
    assert "--accept-liquidations 0xA0," in str(caught.value)
    with pytest.raises(CheckFailed, match="5 accounts liquidatable") as caught:
        refuse(by_itself(5)["units"], "list.txt")
    assert "--accept-liquidations @list.txt" in str(caught.value)


def test_the_book_is_not_changed(demo_database: Path) -> None:
    market = market_at(demo_database)
    before = parameter_arrays(market.book)
    impact(proposed(market, Wanted(asset="WETH", liquidation_threshold_bps=8200)).case)
    for one, other in zip(before, parameter_arrays(market.book), strict=True):
        np.testing.assert_array_equal(one, other)


def parameter_arrays(of: Book) -> list[np.ndarray[Any, Any]]:
    arrays = (of.ltv, of.liquidation_threshold, of.liquidation_bonus, of.resolution)
    return [array.copy() for array in arrays]
