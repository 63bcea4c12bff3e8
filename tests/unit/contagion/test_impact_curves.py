"""The float curves against the pools' own integers."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.core.errors import UsageError
from defirisk.core.venue import Pool
from defirisk.store.venue_frames import depth
from defirisk.swaps.concentrated import Concentrated
from defirisk.swaps.constant_product import ConstantProduct
from defirisk.swaps.stableswap import StableSwap
from defirisk.swaps.tick_math import Q96
from tests.unit.contagion.impact_cases import TOKENS, Twins, twins, venue, ways
from tests.unit.swaps.pools import amounts, pairs, ranged, real_reserve, stable

REL = 1e-12


def drawn(data: st.DataObject, reserve: int) -> list[int]:
    return data.draw(st.lists(amounts(reserve), min_size=1, max_size=8))


def in_floats(pair: Twins, raw: list[int]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([amount / pair.unit_in for amount in raw])


@given(twins(pairs()), st.data())
def test_a_pair_s_sales(pair: Twins, data: st.DataObject) -> None:
    assert isinstance(pair.pool, ConstantProduct)
    raw = drawn(data, pair.pool.reserves[pair.i])
    sold, received, price = pair.exact(raw)
    ours = in_floats(pair, raw)
    real = sold > 0  # the pair refuses what brings nothing; a curve has no smallest unit
    # A fee that leaves is rounded by itself, so by up to a base unit of what is sold.
    cut = 1 if pair.pool.fee_leaves else 0
    reserve = pair.pool.reserves[pair.j] / pair.unit_out
    slack = max(
        1 / pair.unit_out + cut * pair.curve.marginal(ours * 0)[0] / pair.unit_in, REL * reserve
    )
    np.testing.assert_allclose(
        pair.curve.sell(ours)[real], received[real], rtol=0, atol=slack * 1.001
    )
    after = [pair.pool.sell(pair.i, pair.j, amount).pool for amount in raw]
    left = np.array(
        [pool.reserves for pool in after if isinstance(pool, ConstantProduct)], dtype=np.float64
    )
    grain = 1.1 / np.maximum(left[:, pair.j], 1) + cut * 2.2 / left[:, pair.i] + REL
    off = np.abs(pair.curve.price_after(ours) - price)
    priced = real & (left[:, pair.j] > 10)
    assert (off[priced] <= (grain * price)[priced] * 1.2).all()


@given(twins(ranged(widest=300)), st.data())
def test_sales_through_ranges(pair: Twins, data: st.DataObject) -> None:
    assert isinstance(pair.pool, Concentrated)
    raw = drawn(data, pair.pool.sell(pair.i, pair.j, 2**200).sold)
    sold, received, _ = pair.exact(raw)
    reserve = real_reserve(pair.pool, pair.j) / pair.unit_out
    # Words of 256 spacings, and ticks: each rounds a base unit sold up and one received down.
    steps = len(pair.pool.ticks) + 600 // 256 + 6
    worth = float(pair.pool.price(pair.i, pair.j)) * pair.shift / pair.unit_in
    slack = steps * (1 / pair.unit_out + 2 * worth) + REL * reserve
    np.testing.assert_allclose(
        pair.curve.sell(in_floats(pair, raw)), received, rtol=1e-12, atol=slack
    )
    assert pair.curve.capacity == pytest.approx(
        pair.pool.sell(pair.i, pair.j, 2**200).sold / pair.unit_in,
        rel=1e-12,
        abs=3 * steps / pair.unit_in,
    )
    assert (sold <= pair.curve.capacity * (1 + 1e-12) + 3 * steps / pair.unit_in).all()


@given(twins(ranged(widest=300)), st.lists(st.floats(1e-3, 1.5), min_size=1, max_size=8))
def test_what_reaches_a_price_through_ranges(pair: Twins, parts: list[float]) -> None:
    assert isinstance(pair.pool, Concentrated)
    now = float(pair.pool.price(pair.i, pair.j)) * pair.shift
    wanted = now * np.array(parts)
    steps = len(pair.pool.ticks) + 600 // 256 + 6
    exact = [
        pair.pool.sell_until(pair.i, pair.j, Fraction(p) / Fraction(pair.shift)).sold
        for p in wanted
    ]
    virtual = max(map(abs, pair.pool.liquidity_net)) / np.sqrt(min(parts) * now)
    scale = 10.0 ** (sum(pair.decimals) / 2)
    np.testing.assert_allclose(
        pair.curve.amount_to(wanted),
        np.array([sold / pair.unit_in for sold in exact]),
        rtol=1e-11,
        atol=3 * steps / pair.unit_in + 1e-13 * virtual / scale,
    )


@given(twins(ranged(widest=300)), st.data())
def test_the_price_after_is_where_the_amount_leads(pair: Twins, data: st.DataObject) -> None:
    """`amount_to` and `price_after` undo each other, wherever there is liquidity."""
    capacity = pair.curve.capacity
    amount = capacity * np.array(data.draw(st.lists(st.floats(0.001, 0.999), min_size=1)))
    price = pair.curve.price_after(amount)
    back = pair.curve.amount_to(price)
    np.testing.assert_allclose(pair.curve.price_after(back), price, rtol=1e-9)


def stable_twins(pool: StableSwap) -> list[Twins]:
    decimals = tuple({10**18: 18, 10**28: 8, 10**30: 6}[rate] for rate in pool.rates)
    return [Twins(pool, i, j, decimals) for i, j in ways(len(decimals))]


@given(stable(balanced=1e3), st.data())
def test_sales_of_stable_coins(pool: StableSwap, data: st.DataObject) -> None:
    pair = data.draw(st.sampled_from(stable_twins(pool)))
    raw = drawn(data, pool.balances[pair.i])
    sold, received, price = pair.exact(raw)
    real = sold > 0
    whole = max(pool.scaled()) / 10**18
    apart = max(pool.scaled()) / min(pool.scaled())
    # D and y are cut to 1e-18 a few times each, and far from balance y follows D steeply.
    slack = 1.001 / pair.unit_out + 20 * apart * 1e-18 + REL * pool.balances[pair.j] / pair.unit_out
    ours = in_floats(pair, raw)
    np.testing.assert_allclose(pair.curve.sell(ours)[real], received[real], rtol=0, atol=slack)
    left = pool.balances[pair.j] / pair.unit_out - received
    off = np.abs(pair.curve.price_after(ours) / price - 1)[real]
    assert (off <= 1e-9 + 40 * slack / left[real] + whole * 1e-15).all()


@given(stable(balanced=100), st.data())
def test_what_reaches_a_price_of_stable_coins(pool: StableSwap, data: st.DataObject) -> None:
    pair = data.draw(st.sampled_from(stable_twins(pool)))
    now = float(pool.price(pair.i, pair.j)) * pair.shift
    part = data.draw(st.floats(0.05, 0.999))
    exact = pool.sell_until(pair.i, pair.j, Fraction(now * part) / Fraction(pair.shift)).sold
    ours = pair.curve.amount_to(np.array([now * part, now * 1.01]))
    assert ours[0] == pytest.approx(exact / pair.unit_in, rel=1e-4)
    assert ours[1] == 0
    assert pair.curve.price_after(ours)[0] == pytest.approx(now * part, rel=1e-10)


CURVES = st.one_of(
    twins(pairs()),
    twins(ranged(widest=300)),
    stable(balanced=100).flatmap(lambda pool: st.sampled_from(stable_twins(pool))),
)


@given(CURVES, st.lists(st.floats(1e-6, 3), min_size=2, max_size=6))
def test_every_curve_gives_more_for_more_at_less(pair: Twins, sizes: list[float]) -> None:
    made = pair.curve
    scale = made.capacity if np.isfinite(made.capacity) else float(made.amount_to(half(made))[0])
    amount = scale * np.sort(sizes)
    received, price, marginal = made.sell(amount), made.price_after(amount), made.marginal(amount)
    for falling in (-received, price, marginal):
        assert (np.diff(falling) <= 1e-9 * np.abs(falling[:-1])).all()
    assert made.sell(np.zeros(1))[0] == 0
    # The marginal is the slope of what is received, and undone by `amount_at`.
    inside = amount[amount < 0.99 * made.capacity]
    if np.isinf(made.capacity):
        step = inside * 1e-5
        slope = (made.sell(inside + step) - made.sell(inside - step)) / (2 * step)
        np.testing.assert_allclose(made.marginal(inside), slope, rtol=1e-3)
    back = made.amount_at(made.marginal(inside))
    np.testing.assert_allclose(made.marginal(back), made.marginal(inside), rtol=1e-9)


def half(made: object) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    price: np.ndarray[tuple[int], np.dtype[np.float64]] = made.price_after(np.zeros(1)) / 2  # type: ignore[attr-defined]
    return price


GAP = Concentrated.of(
    sqrt_price_x96=Q96,
    tick=0,
    liquidity=10**21,
    fee_pips=3000,
    tick_spacing=60,
    liquidity_net={-6000: 10**18, -3000: -(10**18), -600: 10**21, 600: -(10**21)},
)


def test_a_gap_is_crossed_for_nothing() -> None:
    made = Twins(GAP, 0, 1, (18, 18)).curve
    edge, far = 1.0001**-600, 1.0001**-3000
    to_edge = made.amount_to(np.array([edge, (edge + far) / 2, far]))
    np.testing.assert_allclose(to_edge, to_edge[0], rtol=1e-9)
    assert made.price_after(to_edge[:1] * (1 - 1e-12))[0] == pytest.approx(edge, rel=1e-9)
    assert made.price_after(to_edge[:1] * (1 + 1e-12))[0] == pytest.approx(far, rel=1e-9)
    beyond = made.price_after(np.array([made.capacity * 2]))[0]
    assert beyond < 1e-30
    assert np.isinf(made.amount_to(np.array([beyond / 2, 0.0]))).all()


@pytest.mark.parametrize(
    "pool",
    [
        ConstantProduct((0, 0)),
        replace(GAP, sqrt_price_x96=0, tick=0, liquidity=0, ticks=(), liquidity_net=()),
        StableSwap(balances=(0, 10), rates=(10**18, 10**18), amplification=100, fee_e10=0),
    ],
)
def test_an_empty_pool_is_a_depth_of_nothing(pool: Pool) -> None:
    made = Twins(pool, 0, 1, (18, 18)).curve
    some = np.array([0.0, 1.0])
    assert made.capacity == 0
    assert made.sell(some).tolist() == [0, 0]
    assert made.marginal(some).tolist() == [0, 0]
    assert np.isnan(made.price_after(some)).all()
    assert made.amount_to(some[1:]).tolist() == [0]


def test_nan_stays_nan() -> None:
    for pool in (ConstantProduct((10**20, 10**20)), GAP):
        made = Twins(pool, 0, 1, (18, 18)).curve
        some = np.array([np.nan, 1.0])
        for ask in (made.sell, made.price_after, made.amount_to, made.marginal):
            assert np.isnan(ask(some)).tolist() == [True, False]


def test_a_venue_that_does_not_trade_the_token_says_so() -> None:
    with pytest.raises(UsageError, match="does not trade"):
        depth(venue(GAP, (18, 18)), TOKENS[0], TOKENS[2])
