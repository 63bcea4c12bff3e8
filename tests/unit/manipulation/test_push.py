"""Moving pools: golden numbers of a product of reserves, and what every push keeps to."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.core.venue import Venue
from defirisk.manipulation.push import at_market, push
from defirisk.swaps.concentrated import Concentrated
from defirisk.swaps.constant_product import UNISWAP_FEE, ConstantProduct
from defirisk.swaps.stableswap import StableSwap
from defirisk.swaps.tick_math import sqrt_ratio_at_tick
from tests.unit.manipulation.made import TKN, USDC, E, pool

DEEP = 10**12 * E
PRICES = {TKN: 10.0, USDC: 1.0}


def wide() -> Venue:
    """All of the curve, in ranges of two depths."""
    price = sqrt_ratio_at_tick(-253_000)  # close to 10 USDC per TKN
    net = {-887_220: 10**13, -260_040: 10**14, -240_000: -(10**14), 887_220: -(10**13)}
    made = Concentrated.of(
        sqrt_price_x96=price,
        tick=-253_000,
        liquidity=10**13 + 10**14,
        fee_pips=3000,
        tick_spacing=60,
        liquidity_net=net,
    )
    return replace(pool(), pool=made)


def stable() -> Venue:
    rates = (10**18, 10**30)
    made = StableSwap(
        balances=(10**24, 10**12), rates=rates, amplification=20_000, fee_e10=4_000_000
    )
    return replace(pool(), pool=made)


@pytest.mark.parametrize(
    ("factor", "capital", "loss"),
    [(2, 0.414214, 0.121320), (4, 1.0, 0.5), (10, 2.162278, 1.478505), (100, 9.0, 8.1)],
)
def test_golden_numbers_of_moving_a_product(factor: int, capital: float, loss: float) -> None:
    """G11 of the notes, in units of the reserve that is paid in."""
    venue = replace(pool(), pool=ConstantProduct((DEEP, DEEP), fee=Fraction(0)))
    pushed = push(venue, 1, 0, Fraction(factor))
    assert pushed.paid / DEEP == pytest.approx(capital, abs=1e-6)
    assert (pushed.paid - pushed.bought) / DEEP == pytest.approx(loss, abs=1e-6)
    assert pushed.paid - pushed.returned <= 100  # rounding, a base unit at the far end


def test_inverse_finance_in_april_2022() -> None:
    """G12: 300 WETH into 46 WETH and 432 INV gave 374.385477 INV."""
    made = ConstantProduct((46 * E, 432 * E))
    sale = made.sell(0, 1, 300 * E)
    assert sale.received / E == pytest.approx(374.417, abs=1e-3)
    assert sale.received / E == pytest.approx(374.385477, rel=2e-4)
    venue = replace(pool(), pool=made)
    assert isinstance(sale.pool, ConstantProduct)
    assert [reserve / E for reserve in sale.pool.reserves] == pytest.approx([346, 57.583], abs=1e-3)
    factor = sale.pool.price(1, 0) / made.price(1, 0)
    assert float(factor) == pytest.approx(56.4, abs=0.1)
    assert push(venue, 0, 1, factor).paid == pytest.approx(300 * E, rel=1e-12)


@pytest.mark.parametrize("venue", [pool(fee=UNISWAP_FEE), wide(), stable()])
@given(factor=st.fractions(1, 50), back=st.booleans())
def test_a_push_goes_as_far_as_it_was_asked_and_not_further(
    venue: Venue, factor: Fraction, back: bool
) -> None:
    sold, taken = (0, 1) if back else (1, 0)
    pushed = push(venue, sold, taken, factor)
    before = venue.pool.price(taken, sold)
    assert pushed.after.price(taken, sold) <= before * factor * (1 + Fraction(1, 10**9))
    assert pushed.paid == 0 or pushed.after.price(taken, sold) >= before
    # One part in a thousand more goes too far.
    more = pushed.after.sell(sold, taken, pushed.paid // 1000 + (10**16, 10**5)[sold])
    assert more.pool.price(taken, sold) > before * factor
    assert 0 <= pushed.returned <= pushed.paid


@given(factor=st.fractions(1, 10**6))
def test_trading_back_loses_no_more_than_the_fee_on_both_reserves(factor: Fraction) -> None:
    """However far a product is pushed: most of the fee that was paid is taken out again."""
    venue = pool(fee=UNISWAP_FEE)
    lost = push(venue, 1, 0, factor).fees_usd(PRICES)
    assert 0 <= lost <= 1000 * 0.0061
    others = push(venue, 1, 0, factor).arbitraged_usd(PRICES)
    assert others >= lost - 1000 * 0.0061


def test_others_bring_a_pool_to_the_market_price_first() -> None:
    venue = pool((100 * E, 2000 * 10**6))  # 20 USDC, where the market pays 10
    there = at_market(venue, 1, 0, PRICES)
    assert float(there.price(0, 1)) * 1e12 == pytest.approx(10, rel=1e-6)
    assert push(venue, 0, 1, Fraction(3, 2)).arbitraged_usd(PRICES) == 0
    pushed = push(venue, 0, 1, Fraction(4), there)  # to 5 USDC, from 10
    assert float(pushed.after.price(0, 1)) * 1e12 == pytest.approx(5, rel=1e-6)
    reserve = there.reserves[0] / E * 10  # type: ignore[attr-defined]
    assert pushed.arbitraged_usd(PRICES) == pytest.approx(reserve * 0.121320, rel=1e-4)


def test_nothing_is_paid_where_a_pool_is_empty_or_there_already() -> None:
    empty = replace(pool(), pool=ConstantProduct((0, 0)))
    assert push(empty, 1, 0, Fraction(2)).paid == 0
    assert at_market(empty, 1, 0, PRICES) == empty.pool
    there = pool((10 * E, 10_000 * 10**6)).pool  # far beyond
    assert push(pool(), 1, 0, Fraction(2), there).paid == 0
