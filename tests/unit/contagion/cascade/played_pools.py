"""Exact pools beside their float state, which Python and machine code play in step."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import accumulate, pairwise
from random import Random
from typing import Any

from defirisk.contagion.cascade import pools as kernels
from defirisk.contagion.cascade.machine import machine_code
from defirisk.contagion.cascade.pools import PoolTable
from defirisk.contagion.cascade.pools.table import table_of
from defirisk.core.venue import Pool, Sale
from defirisk.swaps.concentrated import Concentrated
from defirisk.swaps.constant_product import ConstantProduct
from defirisk.swaps.order_book import OrderBook
from defirisk.swaps.stableswap import Generation, StableSwap
from defirisk.swaps.tick_math import Q96, sqrt_ratio_at_tick
from tests.unit.contagion.impact_cases import venue
from tests.unit.swaps.pools import FEES, TIERS

KINDS = ("product", "ranges", "stable", "levels")
PLACES = {6: 10**6, 8: 10**8, 18: 10**18}


@cache
def compiled() -> dict[str, Callable[..., Any]]:
    """The kernels as machine code."""
    return machine_code(kernels.KERNELS)


def table(pool: Pool) -> PoolTable:
    """A table of this one pool."""
    made = venue(pool, (18,) * count(pool))
    return table_of({made.address: made}, {})


def count(pool: Pool) -> int:
    """How many tokens it trades."""
    return len(pool.balances) if isinstance(pool, StableSwap) else 2


class Played:
    """One pool, three times: exact, in Python's floats and in the machine's."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.table = table(pool)
        self.state, self.twin = self.table.state.copy(), self.table.state.copy()

    def do(self, kernel: str, *arguments: float) -> Any:
        """A kernel's answer, the same bit for bit, as the state is afterwards."""
        plain = getattr(kernels, kernel)(self.table.pools, self.state, 0, *arguments)
        quick = compiled()[kernel](self.table.pools, self.twin, 0, *arguments)
        assert plain == quick
        assert self.state.tobytes() == self.twin.tobytes()
        return plain

    def both(self, i: int, j: int, amount: int) -> tuple[float, float, Sale]:
        """Sells in all three."""
        looked = self.do("received", i, j, float(amount))
        sold, received = self.do("sell", i, j, float(amount))
        assert looked == received
        sale = self.pool.sell(i, j, amount)
        self.pool = sale.pool
        return float(sold), float(received), sale

    def spot(self, i: int, j: int) -> float:
        return float(self.do("spot", i, j))


def drawn(kind: str, dice: Random) -> Pool:
    """A pool as it might be: any decimals, two to four coins, a dozen ticks, lopsided balances."""
    match kind:
        case "product":
            wholes = (10 ** dice.uniform(1, 9), 10 ** dice.uniform(1, 9))
            reserves = [int(whole * PLACES[dice.choice([6, 8, 18])]) for whole in wholes]
            fee, leaves = dice.choice(FEES), dice.random() < 0.5
            return ConstantProduct((reserves[0], reserves[1]), fee, fee_leaves=leaves)
        case "stable":
            return stable(dice)
        case "ranges":
            return ranged(dice)
    return bids(dice)


def stable(dice: Random) -> StableSwap:
    """Balances apart by up to a factor of 100."""
    decimals = [dice.choice([6, 8, 18]) for _ in range(dice.randint(2, 4))]
    size, generation = 10 ** dice.uniform(5, 9), dice.choice(list(Generation))
    return StableSwap(
        balances=tuple(int(size * 10 ** dice.uniform(-2, 0) * PLACES[one]) for one in decimals),
        rates=tuple(10 ** (36 - one) for one in decimals),
        amplification=dice.randint(20, 5000) * generation.value,
        fee_e10=dice.choice([1_000_000, 4_000_000, 40_000_000]),
        admin_fee_e10=dice.choice([0, 5 * 10**9, 10**10]),
        generation=generation,
    )


def ranged(dice: Random) -> Concentrated:
    """Up to six ranges, narrow ones, wide ones over several words, and gaps."""
    pips = dice.choice(sorted(TIERS))
    spacing, tick = TIERS[pips], dice.randint(-300_000, 300_000)
    liquidity_net: dict[int, int] = {}
    active, size = 0, 10 ** dice.uniform(14, 22)
    for _ in range(dice.randint(1, 6)):
        lower = (tick // spacing + dice.randint(-400, 400)) * spacing
        upper = lower + dice.choice([1, dice.randint(1, 10), dice.randint(10, 900)]) * spacing
        amount = 2 * int(size * 10 ** dice.uniform(-3, 0))
        liquidity_net[lower] = liquidity_net.get(lower, 0) + amount
        liquidity_net[upper] = liquidity_net.get(upper, 0) - amount
        active += amount if lower <= tick < upper else 0
    return Concentrated.of(
        sqrt_price_x96=dice.randrange(sqrt_ratio_at_tick(tick), sqrt_ratio_at_tick(tick + 1)),
        tick=tick,
        liquidity=active,
        fee_pips=pips,
        tick_spacing=spacing,
        liquidity_net=liquidity_net,
    )


def bids(dice: Random) -> OrderBook:
    """Up to eight levels, some of them used up."""
    size = PLACES[dice.choice([6, 8, 18])]
    levels = dice.randint(1, 8)
    prices = sorted((Fraction(dice.randint(1, 10**9), 10**9) for _ in range(levels)), reverse=True)
    amounts = sorted(dice.randint(1, 10**6) * size // 100 for _ in range(levels))
    return OrderBook(
        prices=tuple(prices), amounts=tuple(amounts), taken=dice.randrange(amounts[-1])
    )


def offered(pool: Pool, i: int, dice: Random) -> int:
    """From a millionth of what is there, and to a little more than all a pool can take."""
    if isinstance(pool, ConstantProduct):
        return int(pool.reserves[i] * 10 ** dice.uniform(-6, 0.5))
    if isinstance(pool, StableSwap):
        return int(pool.balances[i] * 10 ** dice.uniform(-6, -0.3))
    return int(room(pool, i) * dice.choice([10 ** dice.uniform(-6, 0.05), dice.random()]))


def grain(pool: Pool) -> float:
    """Since an earlier sale a reserve may be a unit off: what part of the price that is."""
    if isinstance(pool, ConstantProduct):
        return 2 / min(pool.reserves)
    if isinstance(pool, StableSwap):
        return 2 * max(pool.rates) / 10**18 / min(pool.scaled())
    return 0.0


def room(pool: Pool, j: int) -> float:
    """All of a token that ranges may ever hold or bids be for, in base units: the price and what is
    taken are as fine as a float is there.
    """
    if isinstance(pool, Concentrated):
        return held(pool.ticks, pool.liquidity_net, j)
    if isinstance(pool, OrderBook):
        return pool.amounts[-1] * (float(pool.prices[0]) if j else 1.0)
    return 0.0


@cache
def held(ticks: tuple[int, ...], liquidity_net: tuple[int, ...], j: int) -> float:
    """Liquidity times what its roots are apart, range by range."""
    roots = [sqrt_ratio_at_tick(tick) / Q96 for tick in ticks]
    ends = [root if j else 1 / root for root in roots]
    liquidity = accumulate(liquidity_net)
    return sum(
        there * abs(one - other)
        for there, (one, other) in zip(liquidity, pairwise(ends), strict=False)
    )


def slack(pool: Pool, j: int, amount: int, other: int) -> float:
    """What floats, and base units of both tokens, may do to an amount of token j that is exchanged
    for that much of another.
    """
    part = 1e-12 + grain(pool) + 2 / max(other, 1)
    return max(2.0, part * amount + 1e-15 * room(pool, j))
