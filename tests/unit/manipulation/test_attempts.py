"""What lies earn: closed forms where there is no fee, and fine grids on the exact pool."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import exp, inf, log, sqrt

import pytest

from defirisk.core.book import Book
from defirisk.core.quote import Constant, Feed, Product, Root
from defirisk.manipulation.assumptions import Assumptions
from defirisk.manipulation.attempts import (
    Attempt,
    best_attempt,
    break_even,
    earners,
    least_capital,
)
from defirisk.manipulation.lies import TRUTH
from defirisk.swaps.constant_product import UNISWAP_FEE, ConstantProduct
from tests.unit.manipulation.lying import ASSUMED, CASH, attack, family, sides
from tests.unit.manipulation.made import NETWORK, TKN, USDC, E, book, pool, spot


def best(made: Book, aim: str = "borrow against it", assumed: Assumptions = ASSUMED) -> Attempt:
    found = best_attempt(attack(made, aim, assumed), family(made, assumed), assumed)
    assert found is not None
    return found


def test_doing_nothing_earns_what_is_borrowed_less_the_collateral() -> None:
    made = book(Feed(NETWORK, Fraction(10)))
    honest = attack(made, "borrow against it")(TRUTH)
    assert honest is not None
    assert honest.loan is not None
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
    assert found.lie.way is not None
    assert found.lie.way.in_one_transaction
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
        if capital > ASSUMED.capital_usd:
            return -inf
        return CASH - left - (sale.sold - back) / 1e6 - fee * capital

    grid = {exp(x / 200): by_hand(exp(x / 200)) for x in range(1, 4140)}
    at, most = max(grid.items(), key=lambda point: point[1])
    reached = found.profit_usd - fee * found.capital_usd
    assert reached == pytest.approx(by_hand(found.lie.move), abs=1e-4)
    assert reached >= most - 1e-6
    assert reached == pytest.approx(most, rel=1e-3)
    assert fee == 0 or log(found.lie.move / at) == pytest.approx(0, abs=0.05)
    assert found.flash_profit_usd(0.0005) == pytest.approx(
        found.profit_usd - 0.0005 * found.capital_usd
    )


def test_little_capital_takes_a_part() -> None:
    """A quarter of the capital earns a quarter of the profit; none is left beside the push."""
    made = book(Constant(Fraction(40)))
    honest = attack(made, "borrow against it")(TRUTH)
    assert honest is not None
    part = honest.within(honest.capital_usd / 4)
    assert part is not None
    assert part.loan is not None
    assert part.profit_usd == pytest.approx(honest.profit_usd / 4)
    assert part.loan.borrowed_usd == pytest.approx(CASH / 4)
    assert part.loan.left * 10 == pytest.approx(part.left_usd)
    pushed = attack(book(spot(), venues=[pool()]), "borrow against it")(
        family(book(spot(), venues=[pool()])).of(4.0)
    )
    assert pushed is not None
    assert pushed.within(999.0) is None  # the push alone takes 1000


def test_a_supply_cap_limits_what_is_pledged() -> None:
    made = book(spot(), venues=[pool()], supply_cap=30)  # 10 are supplied
    honest = attack(made, "borrow against it")(TRUTH)
    assert honest is not None
    assert honest.loan is not None
    assert honest.loan.left == pytest.approx(20)
    assert honest.earned_usd == pytest.approx(20 * 10 * 0.8, rel=1e-5)


@pytest.mark.parametrize("flag", ["frozen", "paused", "minting paused"])
def test_a_closed_collateral_backs_nothing(flag: str) -> None:
    made = book(spot(), venues=[pool()], flags=(flag,))
    collateral, loan = sides(made)
    aims = {
        found.aim
        for earner in earners(made, collateral, [loan], ASSUMED)
        if (found := earner(TRUTH)) is not None
    }
    assert "borrow against it" not in aims


def test_buying_the_collateral_dearer_costs_that_much() -> None:
    made = book(spot(), venues=[pool()])
    dearer = replace(ASSUMED, slippage=Fraction(1, 50))
    plain, dear = (attack(made, "borrow against it", one)(TRUTH) for one in (ASSUMED, dearer))
    assert plain is not None
    assert dear is not None
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
    assert against is not None
    assert owing is not None
    assert against.profit_usd == pytest.approx(CASH - CASH / 8, rel=1e-5)
    assert owing.profit_usd < 0


def test_where_it_breaks_even_and_what_the_least_capital_is() -> None:
    made = root_of_spot()
    earner, lies = attack(made, "borrow against it"), family(made)
    even = break_even(earner, lies, ASSUMED)
    assert even is not None
    assert even.lie.move == pytest.approx(1 / 0.8**2, rel=1e-3)
    least = least_capital(earner, lies, 1e4)
    fitting = [
        one.lie.capital_usd + one.left_usd * one.lie.cost_usd / (one.earned_usd - one.left_usd)
        for x in range(1, 4000)
        if (one := earner(lies.of(exp(x / 500)))) is not None and one.profit_usd > 0
    ]
    assert least is not None
    assert least == pytest.approx(min(fitting), rel=3e-3)
    assert least <= min(fitting) * (1 + 1e-9)
    below, above = (
        best_attempt(earner, lies, replace(ASSUMED, capital_usd=least * share))
        for share in (0.99, 1.01)
    )
    assert above is not None
    assert above.profit_usd > 0
    assert below is None or below.profit_usd <= 0
    fixed = book(Constant(Fraction(10)), venues=[pool()])
    assert break_even(attack(fixed, "borrow against it"), lies, ASSUMED) is None
    assert least_capital(attack(fixed, "borrow against it"), lies, 1e4) is None
