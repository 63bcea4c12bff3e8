"""Random pools, and amounts and prices that mean something to them."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from defirisk.swaps.concentrated import Concentrated
from defirisk.swaps.constant_product import ConstantProduct
from defirisk.swaps.stableswap import Generation, StableSwap
from defirisk.swaps.tick_math import MAX_TICK, sqrt_ratio_at_tick

FEES = (Fraction(0), Fraction(3, 1000), Fraction(25, 10_000), Fraction(1, 100))
TIERS = {100: 1, 500: 10, 3000: 60, 10_000: 200, 0: 60}
DIRECTIONS = st.sampled_from([(0, 1), (1, 0)])


@st.composite
def pairs(draw: st.DrawFn, fees: tuple[Fraction, ...] = FEES) -> ConstantProduct:
    """Reserves from dust to 2**100 base units, at any price."""
    reserve = st.integers(10, 100).flatmap(lambda bits: st.integers(2 ** (bits - 1), 2**bits))
    reserves = (draw(reserve), draw(reserve))
    fee = draw(st.sampled_from(fees))
    return ConstantProduct(reserves, fee, fee_leaves=draw(st.booleans()))


@st.composite
def ranged(
    draw: st.DrawFn, *, widest: int = 400, fee_pips: int | None = None, span: int = 600_000
) -> Concentrated:
    """Up to six ranges of up to `widest` spacings around or beside the price: thin ones, gaps, and
    word edges included.
    """
    pips = draw(st.sampled_from(sorted(TIERS))) if fee_pips is None else fee_pips
    spacing = TIERS[pips]
    tick = draw(st.integers(-span, span))
    near = tick // spacing
    liquidity_net: dict[int, int] = {}
    active = 0
    for _ in range(draw(st.integers(1, 6))):
        lower = near + draw(st.integers(-widest, widest))
        upper = lower + draw(st.integers(1, widest))
        lower, upper = (
            max(lower * spacing, _lowest(spacing)),
            min(upper * spacing, -_lowest(spacing)),
        )
        if lower >= upper:
            continue
        amount = draw(st.integers(1, 90).flatmap(lambda bits: st.integers(1, 2**bits)))
        liquidity_net[lower] = liquidity_net.get(lower, 0) + amount
        liquidity_net[upper] = liquidity_net.get(upper, 0) - amount
        active += amount if lower <= tick < upper else 0
    low, high = sqrt_ratio_at_tick(tick), sqrt_ratio_at_tick(tick + 1)
    return Concentrated.of(
        sqrt_price_x96=draw(st.integers(low, high - 1)),
        tick=tick,
        liquidity=active,
        fee_pips=pips,
        tick_spacing=spacing,
        liquidity_net=liquidity_net,
    )


def _lowest(spacing: int) -> int:
    return -(MAX_TICK // spacing) * spacing


@st.composite
def stable(draw: st.DrawFn, *, fee: bool = True, balanced: float = 1e4) -> StableSwap:
    """Two to four coins of 6, 8 or 18 decimals, balances apart by up to a factor of `balanced`."""
    count = draw(st.integers(2, 4))
    decimals = draw(st.lists(st.sampled_from([6, 8, 18]), min_size=count, max_size=count))
    size = draw(st.floats(1e3, 1e9))
    shares = draw(st.lists(st.floats(1 / balanced, 1), min_size=count, max_size=count))
    generation = draw(st.sampled_from(Generation))
    each = list(zip(shares, decimals, strict=True))
    return StableSwap(
        balances=tuple(int(size * s * 1e3) * 10 ** (d - 3) for s, d in each),
        rates=tuple(10 ** (36 - d) for d in decimals),
        amplification=draw(st.integers(2, 5000)) * generation.value,
        fee_e10=draw(st.sampled_from([1_000_000, 4_000_000, 40_000_000])) if fee else 0,
        admin_fee_e10=draw(st.sampled_from([0, 5 * 10**9, 10**10])),
        generation=generation,
    )


def amounts(reserve: int) -> st.SearchStrategy[int]:
    """From one base unit to a thousand times a reserve, every size as likely as the next."""
    return st.integers(0, max(reserve, 1).bit_length() + 10).flatmap(
        lambda bits: st.integers(1, 2**bits)
    )


def real_reserve(pool: Concentrated, token: int) -> int:
    """What of a token can be bought in all."""
    return pool.sell(1 - token, token, 2**200).received
