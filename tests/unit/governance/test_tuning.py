"""The frontier of one asset, against slow and obvious twins."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from defirisk.contagion.cascade.play import play
from defirisk.contagion.screen import screen
from defirisk.core.errors import UsageError
from defirisk.core.holdings import Side
from defirisk.governance.aave_v3.dial import dial
from defirisk.governance.change import Terms
from defirisk.governance.impact import impact
from defirisk.governance.power import allowances, power
from defirisk.governance.request import Wanted
from defirisk.governance.tuning import Dial, frontier, grid
from defirisk.governance.usage import Approximate, at_same_use
from defirisk.shocks.grammar import scenario
from tests.books import Token, book
from tests.command import CommandLine
from tests.unit.governance.markets import market_at, proposed

TODAY = Terms(
    ltv_bps=7500,
    liquidation_threshold_bps=8000,
    liquidation_bonus_bps=500,
    supply_cap=0,
    borrow_cap=0,
)


@pytest.fixture(scope="module")
def turned(demo_database: Path) -> Dial:
    return dial(market_at(demo_database), "WETH")


def test_the_grid_has_what_the_contract_accepts_and_today() -> None:
    points = grid(TODAY, [300, 7000, 9000, 9524, 9525], [500, 1000], keep_ltv=False)
    assert TODAY in points
    stated = [
        (one.liquidation_bonus_bps, one.liquidation_threshold_bps, one.ltv_bps) for one in points
    ]
    assert stated == [
        (500, 300, 0),
        (500, 7000, 6500),
        (500, 8000, 7500),
        (500, 9000, 8500),
        (500, 9524, 9024),
        (1000, 300, 0),
        (1000, 7000, 6500),
        (1000, 9000, 8500),
    ]
    kept = grid(TODAY, [7000, 9000], [500], keep_ltv=True)
    assert [one.liquidation_threshold_bps for one in kept] == [8000, 9000]
    with pytest.raises(UsageError, match="accept none"):
        grid(TODAY, [9900], [500], keep_ltv=False)


def test_today_s_point_is_what_is(turned: Dial) -> None:
    scenarios = [scenario("fall", ("price:WETH=-50%",), turned.book)]
    (point,) = frontier(turned, [turned.today], scenarios)
    lost = screen(turned.book, scenarios).bad_debt_usd[turned.deployment, 0]
    assert point.is_today
    assert point.is_best
    assert point.bad_debt_usd == point.same_use_usd == pytest.approx(lost)
    assert point.power_usd == power(turned.book, turned.deployment).total_usd
    assert point.made_liquidatable == 0


def test_with_the_cascade_a_point_is_what_the_cascade_says(turned: Dial) -> None:
    """Under other terms, and with other debts; a bonus counts, which it does not without."""
    scenarios = [scenario("fall", ("price:WETH=-50%",), turned.book)]
    terms = [turned.today, replace(turned.today, liquidation_bonus_bps=1000)]
    points = frontier(turned, terms, scenarios, engine="cascade")
    for point in points:
        there = turned.at(point.terms)
        used = at_same_use(turned.book, there)
        lost, same = (
            play(one, scenarios).bad_debt_usd[turned.deployment, 0] for one in (there, used)
        )
        assert (point.bad_debt_usd, point.same_use_usd) == (lost, same)
    assert points[0].bad_debt_usd != points[1].bad_debt_usd
    still = frontier(turned, terms, scenarios)
    assert still[0].bad_debt_usd == still[1].bad_debt_usd
    assert [one.is_today for one in points] == [True, False]


def test_a_point_says_what_a_proposal_of_it_says(demo_database: Path) -> None:
    market = market_at(demo_database)
    turned = dial(market, "WETH")
    terms = replace(turned.today, liquidation_threshold_bps=7500, ltv_bps=7000)
    case = proposed(market, Wanted(asset="WETH", liquidation_threshold_bps=7500, ltv_bps=7000)).case
    said = impact(case)
    scenarios = [scenario(name, texts, market.book) for name, texts in case.scenarios]
    points = frontier(turned, [terms, turned.today], scenarios)
    assert points[0].made_liquidatable == said["by_the_change_itself"]["accounts"] > 0
    assert points[0].power_usd == pytest.approx(said["borrowing_power"]["after"]["total_usd"])
    worst = max(one["after"]["bad_debt_usd"] for one in said["scenarios"])
    assert points[0].bad_debt_usd == pytest.approx(worst)


def test_the_frontier_is_what_nothing_else_beats(turned: Dial) -> None:
    texts = (("price:WETH=-50%",), ("price:WETH=-30%", "price:WBTC=-30%"))
    scenarios = [scenario("", shocks, turned.book) for shocks in texts]
    points = frontier(
        turned, grid(turned.today, range(6000, 9401, 400), [500], keep_ltv=False), scenarios
    )
    assert sum(point.is_today for point in points) == 1
    powers = [point.power_usd for point in points]
    assert powers == sorted(powers)
    for point in points:
        worse = [o for o in points if o.power_usd >= point.power_usd and o is not point]
        beaten = [o for o in worse if o.same_use_usd <= point.same_use_usd]
        assert point.is_best == (not beaten)
    # Who may borrow more owes more when the price falls.
    assert points[-1].same_use_usd > points[0].same_use_usd


def test_debts_at_the_same_use_are_the_same_part_of_the_power(turned: Dial) -> None:
    before = turned.book
    after = turned.at(replace(turned.today, ltv_bps=6000, liquidation_threshold_bps=6500))
    then = at_same_use(before, after)
    (allowed, owed), (allowed_then, owed_then) = allowances(before), allowances(then)
    own = allowed > 0
    np.testing.assert_allclose(
        owed[own] / allowed[own], owed_then[own] / allowed_then[own], rtol=1e-12
    )
    np.testing.assert_array_equal(owed[~own], owed_then[~own])
    assert (owed_then < owed).any()
    supplied = before.holding_side != Side.DEBT
    np.testing.assert_array_equal(before.holding_amount[supplied], then.holding_amount[supplied])


def test_invented_debts_are_decided_by_their_own_numbers() -> None:
    made = book(
        [Token("WETH", 1.0, threshold=0.75), Token("USDC", 1.0)],
        [[("collateral", "WETH", 4.0), ("supply", "WETH", 9.0), ("debt", "USDC", 3.0)]],
    )
    edge = Approximate(made, made.holding_amount)
    quotes = made.holding_quote[made.holding_side == Side.COLLATERAL].tolist()
    assert not edge.liquidatable(0, {})
    assert edge.liquidatable(0, {quotes[0]: Fraction(10**12 - 1, 10**12)})
    assert not edge.liquidatable(0, {quotes[0]: Fraction(10**12 + 1, 10**12)})


def test_the_command(cli: CommandLine, demo_database: Path) -> None:
    import json

    store = f"sqlite:///{demo_database}"
    ran = cli(
        *("tune", "aave-v3-devnet", "--asset", "WETH", "--lt", "80%..84%:0.5%", "--db", store),
        *("--format", "json"),
    )
    assert ran.code == 0, ran
    points = json.loads(ran.out)["points"]
    assert [round(point["liquidation_threshold"], 4) for point in points] == [
        0.8, 0.805, 0.81, 0.815, 0.82, 0.825, 0.83, 0.835, 0.84,
    ]  # fmt: skip
    assert [point["today"] for point in points].index(True) == 6
    html = cli.folder / "frontier.html"
    words = ("tune", "aave-v3-devnet", "--asset", "WETH", "--lt", "80%..84%", "--db", store)
    assert cli(*words, "-o", str(html)).code == 0
    assert "frontier" in html.read_text()

    refuse = ("tune", "aave-v3-devnet", "--db", store, "--asset")
    assert "to tune" in cli.refused(*refuse, "USDT")
    assert "lists no" in cli.refused(*refuse, "NOPE")
    assert "no range" in cli.refused(*refuse, "WETH", "--lt", "80%")
    assert "goes nowhere" in cli.refused(*refuse, "WETH", "--lt", "84%..80%")
    assert "2 deployments" in cli.refused("tune", "aave-v3", "--db", store, "--asset", "WETH")
    assert "only parameters of aave-v3" in cli.refused(
        "tune", "morpho-devnet", "--db", store, "--asset", "WETH"
    )
