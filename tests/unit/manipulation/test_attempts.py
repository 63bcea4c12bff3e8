"""What lies earn: closed forms where there is no fee, and fine grids on the exact pool."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import exp, log, sqrt

import pytest

from defirisk.core.book import Book
from defirisk.core.claim import Claim
from defirisk.core.quote import Constant, Conversion, Feed, Product, Root, Twap
from defirisk.manipulation.assumptions import Assumptions
from defirisk.manipulation.attempts import (
    Attempt,
    Earner,
    best_attempt,
    break_even,
    earners,
    least_paying,
)
from defirisk.manipulation.lending import Listing, listings
from defirisk.manipulation.lies import TRUTH, Family, families, ways
from defirisk.swaps.constant_product import UNISWAP_FEE, ConstantProduct
from defirisk.swaps.twap import CumulativePrices
from tests.books import NOW
from tests.unit.manipulation.made import MARKET, NETWORK, TKN, USDC, UNITS, E, book, pool, spot

ASSUMED = Assumptions()
PRICES = {TKN: 10.0, USDC: 1.0}
CASH = 1000.0  # 1060 supplied, 60 borrowed


def sides(made: Book) -> tuple[Listing, Listing]:
    collateral, loan = listings(made)[0, MARKET]
    return collateral, loan


def attack(made: Book, aim: str, assumed: Assumptions = ASSUMED, about: int = 0) -> Earner:
    both = sides(made)
    for earner in earners(made, both[about], [both[1 - about]], assumed):
        found = earner(TRUTH)
        if found is not None and found.aim == aim or (found is None and aim == "liquidate"):
            return earner
    raise AssertionError(aim)


def family(
    made: Book, assumed: Assumptions = ASSUMED, *, up: bool = True, about: int = 0
) -> Family:
    program = sides(made)[about].program
    return next(one for one in families(program, made.sources, PRICES, assumed) if one.up is up)


def best(made: Book, aim: str = "borrow against it", assumed: Assumptions = ASSUMED) -> Attempt:
    found = best_attempt(attack(made, aim, assumed), family(made, assumed), assumed)
    assert found is not None
    return found


def test_doing_nothing_earns_what_is_borrowed_less_the_collateral() -> None:
    made = book(Feed(NETWORK, Fraction(10)))
    honest = attack(made, "borrow against it")(TRUTH)
    assert honest is not None and honest.loan is not None
    assert honest.earned_usd == pytest.approx(CASH)
    assert honest.left_usd == pytest.approx(CASH / 0.8, rel=1e-5)
    assert honest.loan.left == pytest.approx(CASH / 0.8 / 10, rel=1e-5)
    assert honest.profit_usd < 0
    assert honest.oracle_move == 1


def test_a_spot_price_without_a_fee_is_as_good_as_the_capital() -> None:
    """Pi(m) = V (1 - 1 / (ltv m)): the more the better, and only capital ends it."""
    made = book(spot(), venues=[pool()])
    assumed = replace(ASSUMED, capital_usd=9000.0)
    found = best(made, assumed=assumed)
    # sqrt(m) - 1 times the reserve of 1000, and the collateral.
    m = found.lie.move
    assert found.capital_usd == pytest.approx(9000, rel=1e-6)
    assert 1000 * (sqrt(m) - 1) + CASH / (0.8 * m) == pytest.approx(9000, rel=1e-4)
    assert found.profit_usd == pytest.approx(CASH * (1 - 1 / (0.8 * m)), rel=1e-5)
    assert found.lie.cost_usd == pytest.approx(0, abs=1e-4)
    assert found.lie.way is not None and found.lie.way.in_one_transaction
    assert found.oracle_move == pytest.approx(m, rel=1e-9)


def root_of_spot() -> Book:
    """A price that moves with the root of the pool's, so that fees matter."""
    program = Product((Root(Product((spot(), Constant(Fraction(10))))), Constant(Fraction(1))))
    deep = pool((5_000 * E, 50_000 * 10**6), fee=UNISWAP_FEE)
    return book(program, venues=[deep])


@pytest.mark.parametrize("fee", [0.0, 0.0005])
def test_the_best_size_is_that_of_a_fine_grid(fee: float) -> None:
    """Every point of the grid: sell, value, borrow, trade back, by hand."""
    made = root_of_spot()
    earner, lies = attack(made, "borrow against it"), family(made)
    found = best_attempt(earner, lies, ASSUMED, fee)
    assert found is not None

    def by_hand(move: float) -> float:
        venue = made.sources.venues[lies.label]
        assert isinstance(venue.pool, ConstantProduct)
        sale = venue.pool.sell_until(1, 0, venue.pool.price(1, 0) / Fraction(move))
        back = sale.pool.sell(0, 1, sale.received).received
        moved = float(sale.pool.price(0, 1) / venue.pool.price(0, 1))
        left = CASH / (0.8 * sqrt(moved)) * (1 + 1e-6)
        capital = sale.sold / 1e6 + left
        return CASH - left - (sale.sold - back) / 1e6 - fee * capital

    grid = {exp(x / 200): by_hand(exp(x / 200)) for x in range(1, 2400)}
    at, most = max(grid.items(), key=lambda point: point[1])
    reached = found.profit_usd - fee * found.capital_usd
    assert reached == pytest.approx(by_hand(found.lie.move), abs=1e-4)
    assert reached >= most - 1e-6
    assert reached == pytest.approx(most, rel=1e-3)
    assert fee == 0 or log(found.lie.move / at) == pytest.approx(0, abs=0.05)
    assert found.flash_profit_usd(0.0005) == pytest.approx(
        found.profit_usd - 0.0005 * found.capital_usd
    )


def test_a_supply_cap_limits_what_is_pledged() -> None:
    made = book(spot(), venues=[pool()], supply_cap=30)  # 10 are supplied
    honest = attack(made, "borrow against it")(TRUTH)
    assert honest is not None and honest.loan is not None
    assert honest.loan.left == pytest.approx(20)
    assert honest.earned_usd == pytest.approx(20 * 10 * 0.8, rel=1e-5)


@pytest.mark.parametrize("flag", ["frozen", "paused", "minting paused"])
def test_a_closed_collateral_backs_nothing(flag: str) -> None:
    made = book(spot(), venues=[pool()], flags=(flag,))
    aims = {
        found.aim
        for earner in earners(made, *[(s[0], [s[1]]) for s in (sides(made),)][0], ASSUMED)
        if (found := earner(TRUTH)) is not None
    }
    assert "borrow against it" not in aims


def test_buying_the_collateral_dearer_costs_that_much() -> None:
    made = book(spot(), venues=[pool()])
    dearer = replace(ASSUMED, slippage=Fraction(1, 50))
    plain, dear = (attack(made, "borrow against it", one)(TRUTH) for one in (ASSUMED, dearer))
    assert plain is not None and dear is not None
    assert dear.left_usd == pytest.approx(1.02 * plain.left_usd)


def test_borrowing_what_is_valued_too_low() -> None:
    """The loan's price is read from the pool: pushed down to a quarter, a dollar costs 31 cents."""
    dollars = replace(spot(), base=USDC, quote=TKN, value=Fraction(1, 10))
    program = Product((dollars, Constant(Fraction(10))))
    made = book(Feed(NETWORK, Fraction(10)), venues=[pool()], debt=program)
    earner = attack(made, "borrow it", about=1)
    lie = family(made, up=False, about=1).of(4.0)
    found = earner(lie)
    assert found is not None
    assert found.oracle_move == pytest.approx(0.25, rel=1e-9)
    assert found.earned_usd == pytest.approx(CASH)
    assert found.left_usd == pytest.approx(CASH * 0.25 / 0.8, rel=1e-5)
    assert found.profit_usd == pytest.approx(CASH * (1 - 0.25 / 0.8), rel=1e-5)


def test_what_another_price_earns_is_no_fault_of_this_one() -> None:
    """The collateral is written down at ten times its worth: the loan's feed is none the worse."""
    made = book(Constant(Fraction(100)))
    against = attack(made, "borrow against it")(TRUTH)
    owing = attack(made, "borrow it", about=1)(TRUTH)
    assert against is not None and owing is not None
    assert against.profit_usd == pytest.approx(CASH - CASH / 8, rel=1e-5)
    assert owing.profit_usd < 0


def test_healthy_borrowers_are_liquidated_by_a_price_pushed_down() -> None:
    """10 TKN at 10 back 60: at 5 they are worth 50. All is seized for 50 / 1.05."""
    made = book(spot(), venues=[pool()], liquidation_bonus=0.05)
    earner = attack(made, "liquidate")
    assert earner(family(made, up=False).of(1.2)) is None  # 8.33 * 10 * 0.8 > 60
    found = earner(family(made, up=False).of(2.0))
    assert found is not None
    assert found.earned_usd == pytest.approx(100)
    assert found.left_usd == pytest.approx(50 / 1.05, rel=1e-6)


def test_those_who_can_be_liquidated_anyway_are_no_earnings() -> None:
    units = [*UNITS, [("collateral", "TKN", 1.0), ("debt", "USDC", 9.0)]]
    made = book(spot(), venues=[pool()], units=units)
    found = attack(made, "liquidate")(family(made, up=False).of(2.0))
    assert found is not None
    assert found.earned_usd == pytest.approx(100)


def test_a_gift_to_a_vault_costs_its_part_of_all_that_the_vault_holds() -> None:
    rate = Conversion(TKN, Fraction(10))
    claim = Claim(
        token=TKN, kind="vault", program=rate, underlying=USDC, total_assets_raw=400 * 10**6
    )
    made = book(rate, claims=[claim])
    lie = family(made).of(1.5)
    assert lie.cost_usd == pytest.approx(200)
    found = attack(made, "borrow against it")(lie)
    assert found is not None
    assert found.left_usd == pytest.approx(CASH / (0.8 * 1.5), rel=1e-5)
    assert found.profit_usd == pytest.approx(CASH - CASH / 1.2 - 200, rel=1e-4)
    # Pi'(m) = V / (ltv m^2) - T = 0 at m = sqrt(V / (ltv T)).
    most = best_attempt(attack(made, "borrow against it"), family(made), ASSUMED)
    assert most is not None
    assert most.lie.move == pytest.approx(sqrt(CASH / (0.8 * 400)), rel=1e-3)


def averaged(window: int = 3600) -> Book:
    venue = pool(fee=UNISWAP_FEE)
    assert isinstance(venue.pool, ConstantProduct)
    history = CumulativePrices(0, 0, NOW, venue.pool.reserves)
    mean = Twap(spot(), window, Fraction(10))
    return book(mean, venues=[replace(venue, history=history)])


def test_ways_to_lie_to_a_mean() -> None:
    own, one, whole = ways(3600, ASSUMED)
    assert (own.name, own.blocks, own.held_seconds, own.trades_back) == ("own blocks", 2, 12, True)
    assert (one.name, one.held_seconds, one.times, one.trades_back) == ("one block", 12, 1, False)
    assert (whole.held_seconds, whole.times, whole.blocks) == (3600, 300, 301)
    three = ways(3600, replace(ASSUMED, controlled_blocks=3))
    assert three[0].held_seconds == 24
    assert [way.name for way in ways(3600, replace(ASSUMED, controlled_blocks=1))] == [
        "one block",
        "whole window",
    ]
    (spot_way,) = ways(0, ASSUMED)
    assert spot_way.in_one_transaction and spot_way.trades_back


def test_a_mean_is_moved_by_its_part_of_the_window() -> None:
    made = averaged()
    found = {
        one.way.name: attack(made, "borrow against it")(one.of(31.0))
        for one in families(sides(made)[0].program, made.sources, PRICES, ASSUMED)
        if one.up
    }
    moves = {name: one.oracle_move for name, one in found.items() if one is not None}
    assert moves["own blocks"] == pytest.approx(1 + 30 / 300, rel=1e-6)
    assert moves["one block"] == pytest.approx(1 + 30 / 300, rel=1e-6)
    assert moves["whole window"] == pytest.approx(31, rel=1e-6)
    costs = {name: one.lie.cost_usd for name, one in found.items() if one is not None}
    root = sqrt(31)
    loss = 1000 * (root + 1 / root - 2)
    assert costs["one block"] == pytest.approx(loss, rel=0.01)
    assert costs["whole window"] == pytest.approx(300 * costs["one block"], rel=1e-9)
    assert costs["own blocks"] < 0.0061 * 1000
    assert all(one is not None and one.flash_profit_usd(0.0005) is None for one in found.values())


def test_the_least_move_that_pays_and_the_one_at_which_it_breaks_even() -> None:
    made = root_of_spot()
    earner, lies = attack(made, "borrow against it"), family(made)
    even = break_even(earner, lies, ASSUMED)
    most = best_attempt(earner, lies, ASSUMED)
    assert even is not None and most is not None
    assert even.lie.move == pytest.approx(1 / 0.8**2, rel=1e-3)
    paying = least_paying(earner, lies, most)
    assert paying is not None
    assert 0 < paying.profit_usd < most.profit_usd
    assert even.lie.move < paying.lie.move < most.lie.move
    just_less = earner(lies.of(paying.lie.move * 0.999))
    assert just_less is not None and just_less.profit_usd < 0
    fixed = book(Constant(Fraction(10)), venues=[pool()])
    assert break_even(attack(fixed, "borrow against it"), lies, ASSUMED) is None
