"""Where the exact state of a pool becomes float64: one venue, one direction."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction

import numpy as np

from defirisk.core.depth import Depth, LevelsDepth, ProductDepth, RangesDepth, StableDepth
from defirisk.core.errors import UsageError
from defirisk.core.evm import Address
from defirisk.core.venue import Venue
from defirisk.swaps.arguments import check_places
from defirisk.swaps.concentrated import Concentrated
from defirisk.swaps.constant_product import ConstantProduct
from defirisk.swaps.order_book import OrderBook
from defirisk.swaps.stableswap import FEE_DENOMINATOR, PRECISION, StableSwap
from defirisk.swaps.swap_math import PIPS
from defirisk.swaps.tick_math import Q96, sqrt_ratio_at_tick

PARTS = 64
"""Sums over ranges are kept to 2**-64 of a base unit, so that they round once."""

EMPTY = ProductDepth(reserve_in=0.0, reserve_out=0.0, fee=0.0, kept=1.0)


def depth(venue: Venue, token_in: Address, token_out: Address) -> Depth:
    """What the venue takes of one token and gives of another, in whole tokens.

    A pool that is empty, or was never given a price, is a depth of nothing. Errors: `UsageError`
    where it does not trade these tokens; `CheckFailed` where its state is not one of a real pool.
    """
    i, j = venue.place(token_in), venue.place(token_out)
    check_places(i, j, len(venue.tokens))
    match venue.pool:
        case ConstantProduct() as pool:
            return _product(pool, i, venue.decimals[i], venue.decimals[j])
        case Concentrated() as pool:
            return _ranges(pool, i == 0, venue.decimals[i], venue.decimals[j])
        case StableSwap() as pool:
            return _stable(pool, i, j, venue.decimals)
        case OrderBook() as pool:
            return _levels(pool, i, venue.decimals[i], venue.decimals[j])
        case other:
            raise UsageError(f"{venue.label}: no depth of a {type(other).__name__} pool is known")


def _product(pool: ConstantProduct, i: int, decimals_in: int, decimals_out: int) -> ProductDepth:
    if 0 in pool.reserves:
        return EMPTY
    return ProductDepth(
        reserve_in=pool.reserves[i] / 10**decimals_in,
        reserve_out=pool.reserves[1 - i] / 10**decimals_out,
        fee=float(pool.fee),
        kept=0.0 if pool.fee_leaves else 1.0,
    )


def _ranges(pool: Concentrated, down: bool, decimals_in: int, decimals_out: int) -> Depth:
    if pool.sqrt_price_x96 == 0:
        return EMPTY
    ends, liquidity = _course(pool, down)
    net, received = [0], [0]
    for one, other, there in zip(ends, ends[1:], liquidity, strict=False):
        first = (there << 96 + PARTS) * abs(one - other) // (one * other)
        second = (there << PARTS) * abs(one - other) // Q96
        net.append(net[-1] + (first if down else second))
        received.append(received[-1] + (second if down else first))
    taken, part = (PIPS - pool.fee_pips) * 10**decimals_in << PARTS, 10**decimals_out << PARTS
    shift, scale = 10.0 ** ((decimals_in - decimals_out) / 2), decimals_in + decimals_out
    return RangesDepth(
        root=np.array([(end / Q96 if down else Q96 / end) * shift for end in ends]),
        liquidity=np.array([there / 10.0 ** (scale / 2) for there in liquidity]),
        sold=np.array([amount * PIPS / taken for amount in net]),
        received=np.array([amount / part for amount in received]),
        fee=float(pool.fee),
    )


def _course(pool: Concentrated, down: bool) -> tuple[list[int], list[int]]:
    """Square-root prices at which a sale meets a new liquidity, and the liquidity up to each."""
    at = bisect_right(pool.ticks, pool.tick)
    places = range(at - 1, -1, -1) if down else range(at, len(pool.ticks))
    start, end, liquidity = pool.sqrt_price_x96, pool.end(down), pool.liquidity
    ends, liquidities = [start], []
    for place in places:
        ratio = sqrt_ratio_at_tick(pool.ticks[place])
        if ratio <= end if down else ratio >= end:
            break
        ends.append(ratio)
        liquidities.append(liquidity)
        liquidity += -pool.liquidity_net[place] if down else pool.liquidity_net[place]
    ends.append(min(ends[-1], end) if down else max(ends[-1], end))
    return ends, [*liquidities, liquidity]


def _stable(pool: StableSwap, i: int, j: int, decimals: tuple[int, ...]) -> Depth:
    if 0 in pool.balances:
        return EMPTY
    count = len(pool.balances)
    return StableDepth(
        scaled=np.array([balance / PRECISION for balance in pool.scaled()]),
        place_in=i,
        place_out=j,
        rate_in=pool.rates[i] * 10 ** decimals[i] / PRECISION**2,
        rate_out=pool.rates[j] * 10 ** decimals[j] / PRECISION**2,
        ann=pool.amplification * count / pool.generation.value,
        invariant=pool.invariant() / PRECISION,
        fee=float(pool.fee),
        kept=1 - pool.admin_fee_e10 / FEE_DENOMINATOR,
    )


def _levels(pool: OrderBook, i: int, decimals_in: int, decimals_out: int) -> Depth:
    """What is left of the book, summed exactly; nobody bids for the second token."""
    left = [
        (price, amount - pool.taken)
        for price, amount in zip(pool.prices, pool.amounts, strict=True)
        if amount > pool.taken
    ]
    if i == 1 or not left:
        return EMPTY
    sold, received = [0], [Fraction(0)]
    for price, until in left:
        received.append(received[-1] + (until - sold[-1]) * price)
        sold.append(until)
    scale = Fraction(10**decimals_in, 10**decimals_out)
    return LevelsDepth(
        prices=np.array([float(price * scale) for price, _ in left]),
        sold=np.array([amount / 10**decimals_in for amount in sold]),
        received=np.array([float(amount / 10**decimals_out) for amount in received]),
    )
