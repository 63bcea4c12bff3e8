"""What a change does to books small enough to do in the head, and to the recorded chain."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from defirisk.contagion.cascade.play import play
from defirisk.contagion.cascade.settings import CASES
from defirisk.core.book import Book
from defirisk.core.errors import CheckFailed
from defirisk.core.quote import Constant, Product, Spot
from defirisk.governance.acceptance import names, refuse, silent
from defirisk.governance.case import Case
from defirisk.governance.change import Change, Terms
from defirisk.governance.impact import impact
from defirisk.governance.numbers import written
from defirisk.governance.parameters import Parameters
from defirisk.governance.request import Wanted
from defirisk.manipulation.assumptions import Assumptions
from defirisk.manipulation.exposure import exposures
from defirisk.manipulation.lending import listings
from defirisk.manipulation.quoted import quoted
from defirisk.shocks.grammar import scenario
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


def test_every_case_is_what_the_cascade_says_of_both_books(demo_database: Path) -> None:
    """Low, base and high by their own settings, scenario by scenario, with and without."""
    market = market_at(demo_database)
    made = proposed(market, Wanted(asset="WETH", liquidation_threshold_bps=8100), engine="cascade")
    stated = (("fall", ("price:WETH=-20%",)), ("liquid", ("liquidity:WETH=-80%",)))
    its = replace(made.case, scenarios=stated)
    numbers = impact(its)["scenarios"]
    differ = set()
    for said, (name, texts) in zip(numbers, stated, strict=True):
        assert list(said["cases"]) == ["low", "base", "high"]
        for which, settings in CASES.items():
            for side, made_of in (("before", its.book), ("after", its.after())):
                found = play(made_of, [scenario(name, texts, its.book)], settings)
                mine = said["cases"][which][side]
                assert mine["bad_debt_usd"] == found.bad_debt_usd[its.deployment, 0]
                assert mine["liquidated_debt_usd"] == (found.liquidated_debt_usd[its.deployment, 0])
                assert said["cases"][which]["rounds"][side] == found.rounds[0]
                differ.add((name, side, mine["bad_debt_usd"]))
        for key in ("before", "after", "change", "rounds"):
            assert said[key] == said["cases"]["base"][key]
    assert len(differ) > 4  # the cases are no copies of each other


def test_the_static_engine_has_no_cases_but_one() -> None:
    for one in impact(case())["scenarios"]:
        assert list(one["cases"]) == ["base"]
        assert one["cases"]["base"]["after"] == one["after"]


@pytest.mark.parametrize("symbol", ["WETH", "LINK", "USDC"])
def test_the_oracle_line_has_what_a_lie_costs_and_earns(demo_database: Path, symbol: str) -> None:
    """The same as the report on oracles says, where this is the only market of that price."""
    market = market_at(demo_database)
    its = proposed(market, Wanted(asset=symbol, ltv_bps=0)).case
    (line,) = impact(its)["oracle"]
    for side, of in (("before", its.book), ("after", its.after())):
        alone = [
            one
            for some in listings(of).values()
            for one in some
            if one.asset == line["asset"] and one.facts.deployment == its.deployment
        ]
        (found,) = exposures(of, Assumptions(), quoted(of, alone))
        said = line["lie"][side]
        assert (said["verdict"], said["cause"]) == (found.verdict, found.cause)
        assert said["cost_usd"] == pytest.approx(found.cost_usd, rel=1e-5)
        assert said["profit_usd"] == pytest.approx(found.max_profit_usd, rel=1e-5)
        assert said["cost_usd"] == float(f"{said['cost_usd']:.6g}")
    assert line["lie"]["before"]["verdict"] == "safe"


def test_parameters_make_a_price_worth_lying_about(demo_database: Path) -> None:
    """A pool's price that nobody can borrow against earns nothing; at an LTV of 80 % it does."""
    market = market_at(demo_database)
    its = proposed(market, Wanted(asset="LINK", ltv_bps=0)).case
    here = [m for m in its.book.markets if m.deployment == its.deployment]
    link = next(m for m in here if its.book.symbol(m.asset) == "LINK")
    pool = next(v for v in its.book.sources.venues.values() if its.changes[0].asset in v.tokens)
    other = next(t for t in pool.tokens if t != its.changes[0].asset)
    price = {
        a.address: float(p) for a, p in zip(its.book.assets, its.book.asset_price, strict=True)
    }
    place = pool.place(its.changes[0].asset)
    spot = Spot(
        venue=pool.address,
        base=its.changes[0].asset,
        quote=other,
        value=Fraction(pool.pool.price(place, pool.place(other)))
        * Fraction(10) ** (pool.decimals[place] - pool.decimals[pool.place(other)]),
    )
    program = Product((spot, Constant(Fraction(price[other]))))
    programs = tuple(
        program if d == its.deployment and a == link.asset else old
        for d, a, old in zip(
            its.book.quote_deployment.tolist(),
            its.book.quote_asset.tolist(),
            its.book.quote_program,
            strict=True,
        )
    )
    its = replace(its, book=replace(its.book, quote_program=programs))
    (line,) = impact(replace(its, scenarios=()))["oracle"]
    assert line["lie"]["before"]["verdict"] == "unsafe"
    assert line["lie"]["before"]["profit_usd"] > line["lie"]["after"]["profit_usd"]


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
