"""Verdicts: what is safe, what is unsafe, and what nothing can be said of."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from defirisk.contagion.valuation import health_factors
from defirisk.core.adapter import Answer
from defirisk.core.book import Book
from defirisk.core.margin import Perps
from defirisk.core.quote import Clamp, Constant, Conversion, Feed, Product, Program, Twap
from defirisk.manipulation.assumptions import Assumptions
from defirisk.manipulation.dependants import dependants
from defirisk.manipulation.exposure import Exposure, exposures
from defirisk.manipulation.resistance import market_cost
from defirisk.manipulation.solvency import hidden_losses
from defirisk.swaps.constant_product import ConstantProduct
from tests import books
from tests.unit.manipulation.made import MARKET, NETWORK, TKN, UNITS, E, book, pool, spot

PERPS = Perps(positions=(), accounts=(), markets=(), insurance_fund=None, bad_debt=Fraction(0))
ASSUMED = Assumptions(gas_usd=0.0)
SOURCE = books.address("feed-TKN")


def of_tkn(made: Book, assumed: Assumptions = ASSUMED) -> Exposure:
    (found,) = (one for one in exposures(made, assumed) if one.quoted.asset == 0)
    return found


def answered(kind: str, at: int = books.NOW - 60) -> dict[str, Answer]:
    said = Answer(price=10 * 10**8, decimals=8, updated_at=at, grade="logs", kind=kind)
    if kind == "hard-coded":
        said = replace(said, program=Constant(said.value))
    return {SOURCE: said}


def test_a_network_is_safe_and_costs_at_least_its_indexed_markets() -> None:
    made = book(Feed(SOURCE, Fraction(10)), venues=[pool()], answers=answered("chainlink"))
    found = of_tkn(made)
    assert (found.verdict, found.cause) == ("safe", "reported")
    assert found.quoted.feed == SOURCE
    assert found.quoted.kind == "chainlink"
    assert found.quoted.age_seconds == 60
    assert found.quoted.stale == ()
    assert found.max_profit_usd == pytest.approx(1000 - 1250, rel=1e-4)
    root = math.sqrt(1.25)
    assert found.needed_move == pytest.approx(1.25, rel=1e-5)
    assert found.cost_usd == pytest.approx(1000 * (root + 1 / root - 2), rel=1e-3)
    assert found.pools == 1


def test_a_feed_that_is_silent_for_longer_than_its_heartbeat_is_said_to_be() -> None:
    late = books.NOW - 90_000
    made = book(Feed(SOURCE, Fraction(10)), answers=answered("chainlink", late))
    assert of_tkn(made).quoted.stale == (SOURCE,)
    assert of_tkn(made).verdict == "safe"


@pytest.mark.parametrize(
    ("worth", "verdict"), [(10.0, "safe"), (8.1, "safe"), (7.9, "unsafe"), (0.5, "unsafe")]
)
def test_a_written_price_is_unsafe_where_the_market_is_below_what_it_lends(
    worth: float, verdict: str
) -> None:
    made = book(Constant(Fraction(10)), worth=worth, answers=answered("hard-coded"))
    found = of_tkn(made)
    assert found.verdict == verdict
    assert found.quoted.kind == "hard-coded"
    assert found.max_profit_usd == pytest.approx(1000 * (1 - worth / 8), rel=1e-2, abs=0.01)
    assert math.isfinite(found.cost_usd)
    assert found.cause == ("mispriced" if verdict == "unsafe" else "written")


def test_a_spot_price_is_unsafe_and_pays_from_some_capital_on() -> None:
    found = of_tkn(book(spot(), venues=[pool()]))
    assert (found.verdict, found.cause) == ("unsafe", "pays")
    assert found.best is not None
    assert found.best.lie.way is not None
    assert found.flash_profit_usd is not None
    assert 0 < found.flash_profit_usd < found.max_profit_usd < 1000
    assert found.least_capital_usd is not None
    # At m = 1.25 the collateral is worth its loan: from there on every dollar pledged earns.
    expected = 1000 * (math.sqrt(1.25) - 1)
    assert found.least_capital_usd == pytest.approx(expected, rel=1e-3)
    # Borrowers can be liquidated with less, so nobody has borrowed here.
    nobody = book(spot(), venues=[pool()], units=[[("supply", "USDC", 1000.0)]])
    for share, verdict in ((0.99, "safe"), (1.02, "unsafe")):
        poor = replace(ASSUMED, capital_usd=share * expected)
        assert of_tkn(nobody, poor).verdict == verdict


def test_a_pool_that_is_deep_beside_what_it_lends_is_safe_to_read() -> None:
    deep = pool((10**9 * E, 10**10 * 10**6), fee=Fraction(3, 1000))
    found = of_tkn(book(spot(deep), venues=[deep]))
    assert (found.verdict, found.cause) == ("safe", "loses")
    assert found.max_profit_usd < 0
    assert found.cost_usd > 1e6
    assert found.best is not None
    assert found.best.lie.move == pytest.approx(1, abs=1e-3)


def test_a_capped_rate_is_moved_by_nothing_above_its_cap() -> None:
    rate = Clamp(Conversion(TKN, Fraction(10)), None, Fraction(10))
    found = of_tkn(book(rate, venues=[pool()]))
    assert found.verdict == "safe"
    assert math.isfinite(found.cost_usd)
    assert found.pools == 1


@pytest.mark.parametrize(
    ("program", "worth", "cause"),
    [
        (Feed(SOURCE, None), 10.0, "no answer"),
        (Feed(SOURCE, Fraction(10)), float("nan"), "no market price"),
        (Feed(SOURCE, Fraction(10)), 10.0, "unknown source"),
        (replace(spot(), venue="0xelsewhere"), 10.0, "unknown source"),
        (
            Twap(Product((spot(), Feed(NETWORK, Fraction(1)))), 60, Fraction(10)),
            10.0,
            "unknown mean",
        ),
    ],
)
def test_unknown_is_what_nothing_can_be_said_of(program: Program, worth: float, cause: str) -> None:
    found = of_tkn(book(program, venues=[pool()], worth=worth))
    assert (found.verdict, found.cause) == ("unknown", cause)
    assert math.isnan(found.max_profit_usd)


def test_the_price_of_the_loan_is_another_one() -> None:
    made = book(Feed(SOURCE, Fraction(10)), answers=answered("pyth"))
    by_feed = {one.quoted.feed: one for one in exposures(made, ASSUMED)}
    assert set(by_feed) == {SOURCE, NETWORK}
    (relying,) = dependants(made, by_feed[SOURCE].quoted.listings)
    assert relying.listing.facts.market == MARKET
    assert (relying.accounts, relying.collateral_usd, relying.debt_usd) == (1, 100.0, 0.0)
    (relying,) = dependants(made, by_feed[NETWORK].quoted.listings)
    assert (relying.accounts, relying.collateral_usd, relying.debt_usd) == (1, 0.0, 60.0)


def test_moving_every_indexed_market_adds_up() -> None:
    second = replace(pool((300 * E, 3000 * 10**6)), address=books.address("second"))
    made = book(Feed(NETWORK, Fraction(10)), venues=[pool(), second])
    up, pools = market_cost(made, 0, 4.0)
    assert pools == 2
    assert up == pytest.approx(0.5 * 4000, rel=1e-6)
    down, _ = market_cost(made, 0, 0.25)
    assert down == pytest.approx(0.5 * 4000, rel=1e-6)
    unknown = replace(made, asset_price=np.array([10.0, np.nan]))
    assert market_cost(unknown, 0, 4.0) == (0.0, 0)
    assert isinstance(second.pool, ConstantProduct)


def test_debt_that_only_the_oracle_calls_healthy() -> None:
    """60 owed on 10 TKN at 10 by the oracle; the market pays 4, so 20 is not covered."""
    units = [*UNITS, [("collateral", "TKN", 100.0), ("debt", "USDC", 60.0)]]
    made = book(Constant(Fraction(10)), worth=4.0, units=units)
    made = replace(made, quote_price=np.array([10.0, 10.0, 1.0, 1.0]))
    (found,) = hidden_losses(made, health_factors(made))
    assert found.place == (0, MARKET, 1)
    assert (found.accounts, found.debt_usd) == (1, 60.0)
    assert found.uncovered_usd == pytest.approx(20.0)
    fair = book(Feed(NETWORK, Fraction(10)))
    assert hidden_losses(fair, health_factors(fair)) == ()
    # What the oracle itself calls unhealthy is liquidated, not hidden.
    seen = book(Constant(Fraction(4)), worth=4.0)
    assert hidden_losses(seen, health_factors(seen)) == ()


def test_what_a_lie_about_a_perpetual_earns_is_not_known() -> None:
    """Nothing is lent there, and whoever liquidates takes over a position."""

    def perpetual(made: Book) -> Book:
        return replace(
            made,
            deployments=tuple(replace(one, perps_of=lambda: PERPS) for one in made.deployments),
        )

    moved = book(spot(), venues=[pool()])
    assert of_tkn(moved).verdict == "unsafe"
    found = of_tkn(perpetual(moved))
    assert (found.verdict, found.cause, found.best) == ("unknown", "perpetual", None)
    fed = book(Feed(SOURCE, Fraction(10)), venues=[pool()], answers=answered("chainlink"))
    assert (of_tkn(perpetual(fed)).verdict, of_tkn(perpetual(fed)).best) == ("safe", None)
