"""Which units machine code does not look at, since they cannot be liquidated. Kernels.

Nothing here changes a result. In float arithmetic every bound has a margin that is far more than
what rounding makes of the few products and sums behind it.
"""

from __future__ import annotations

from numpy import inf

from defirisk.contagion.cascade.pools import spot
from defirisk.contagion.cascade.pools.columns import FEE, KIND, LEAVES, PRODUCT, WHOLE, Pools
from defirisk.contagion.cascade.routes import (
    BOUGHT,
    NEXT_BOUGHT,
    NEXT_POOL,
    NEXT_SOLD,
    POOL,
    SOLD,
)
from defirisk.contagion.cascade.settle import CLOSE_FACTOR, HEALTH_CLOSE_FACTOR
from defirisk.contagion.cascade.state import LANES, UNKNOWN, Facts, State, Watch
from defirisk.contagion.cascade.units import CLOSE, DEBT, MECHANISM, Units
from defirisk.core.book import Floats

GUARD = 1e-9
"""Far more than floats round in one health factor."""

LOOSE = 1e-6
"""Far more than they round in what a pool pays."""

FEW = 4.0
"""Base units that the cuts of one liquidation are worth, at most."""

AHEAD = 0.95
"""The list is made for spreads that are this much lower than today's."""


def weigh_lanes(units: Units, amount: Floats, watch: Watch) -> None:
    """Health factors of all units as the first round begins, in LANES scenarios at once."""
    backing, owed, worth = watch.backing, watch.owed, watch.first_worth
    for u in range(len(watch.unit)):
        for k in range(LANES):
            backing[k] = 0.0
            owed[k] = 0.0
        for h in range(units.first[u], units.first[u + 1]):
            held, q = amount[h], units.quote[h]
            if units.side[h] == DEBT:
                for k in range(LANES):
                    owed[k] += held * worth[q, k]
            else:
                threshold = units.threshold[h]
                for k in range(LANES):
                    backing[k] += held * worth[q, k] * threshold
        for k in range(LANES):
            watch.health[k, u] = backing[k] / owed[k] if owed[k] > 0 else inf


def spread(f: Facts, s: State) -> float:
    """The least that an untouched unit's health factor is of what it was as the first round began:
    the most that a quote pledged has fallen, over the most that a quote owed has risen. 0 where
    nothing can be said.
    """
    lane, low, high = s.watch.lane[0], inf, 0.0
    for q in range(len(s.worth)):
        first = s.watch.first_worth[q, lane]
        ratio = s.worth[q] / first if first > 0 else 1.0
        if first == 0 and s.worth[q] == 0:
            ratio = 1.0
        elif not (ratio > 0 and first > 0):
            return 0.0
        if f.pledged[q] > 0:
            low = min(low, ratio)
        if f.owed[q] > 0:
            high = max(high, ratio)
    return low / high if high > 0 else 0.0


def renew_watch(s: State, least: float) -> None:
    """Lists the units for this spread and somewhat lower ones, if the list was made for others."""
    watch = s.watch
    if least >= watch.bound[0]:
        return
    watch.bound[0] = AHEAD * least
    lane, n = watch.lane[0], 0
    for u in range(len(watch.unit)):
        if not watch.health[lane, u] * watch.bound[0] > 1.0 + GUARD:
            watch.unit[n] = u
            n += 1
    watch.listed[0] = n


def safe(s: State, u: int, least: float) -> bool:
    """Whether a unit cannot be liquidated in this round, by what is known of it."""
    if s.touched[u] > 0:
        return bool(s.touched[u] == 2)
    return bool(s.watch.health[s.watch.lane[0], u] * least > 1.0 + GUARD)


def pays_at_most(p: Pools, state: Floats, v: int, i: int, j: int) -> float:
    """What a pool pays for a base unit at most: its price at the margin, as more is sold for less.
    The fee is taken off where that is simple.
    """
    price = spot(p, state, v, i, j)
    if p.facts[v, KIND] == PRODUCT and p.numbers[v, LEAVES] == 0.0:
        price *= 1.0 - p.numbers[v, FEE] / p.numbers[v, WHOLE]
    return price


def brings_at_most(f: Facts, s: State, assumed: Floats, b: int, a: int) -> float:
    """Base units of asset `a` for one of asset `b` by any way, with a margin."""
    if s.known[b, a] == 1:
        return float(s.best[b, a])
    most = 0.0
    if a == b:
        most = 1.0
    elif assumed[UNKNOWN] > 0:
        most = s.usd[b] / s.usd[a]
    for r in range(f.routes.first[b, a], f.routes.behind[b, a]):
        hop = f.routes.hops[r]
        paid = pays_at_most(f.pools, s.pools, hop[POOL], hop[SOLD], hop[BOUGHT])
        if hop[NEXT_POOL] >= 0:
            paid *= pays_at_most(f.pools, s.pools, hop[NEXT_POOL], hop[NEXT_SOLD], hop[NEXT_BOUGHT])
        if not paid <= most:
            most = paid
    s.best[b, a] = most * (1.0 + LOOSE)
    s.known[b, a] = 1
    return float(s.best[b, a])


def hopeless(
    f: Facts, s: State, assumed: Floats, u: int, debt: int, collateral: int, value: float
) -> bool:
    """Whether no keeper can earn his gas, whatever the rule allows him of this debt, worth `value`.

    What he repays brings at most `gain` times as much before gas.
    """
    units = f.units
    owing, pledge = units.quote[debt], units.quote[collateral]
    a, b = units.asset[owing], units.asset[pledge]
    bonus, part = units.bonus[collateral], f.fee[pledge]
    rule = units.rules[units.rule[u]]
    most = value / s.price[owing] * (1.0 + LOOSE) + FEW
    net = bonus
    if rule[MECHANISM] == CLOSE_FACTOR:
        most *= rule[CLOSE]
        net = bonus * (1.0 - part)
    elif rule[MECHANISM] == HEALTH_CLOSE_FACTOR:
        net = bonus - (bonus - 1.0) * part
    brings = brings_at_most(f, s, assumed, b, a)
    gain = s.price[owing] / s.price[pledge] * net * brings * (1.0 + LOOSE) - 1.0
    if gain < 0.0:
        gain = 0.0
    return bool(most * gain + FEW * brings < s.gas[a])


def forget_watch(f: Facts, s: State, amount: Floats) -> None:
    """Puts back what the last scenario changed of the units that it looked at."""
    for n in range(s.watch.listed[0]):
        u = s.watch.unit[n]
        if s.touched[u] > 0:
            for h in range(f.units.first[u], f.units.first[u + 1]):
                s.amount[h] = amount[h]
        s.touched[u] = 0
        s.seen[u] = 0
    s.watch.listed[0] = 0
    s.watch.bound[0] = inf


KERNELS = (
    weigh_lanes,
    spread,
    renew_watch,
    safe,
    pays_at_most,
    brings_at_most,
    hopeless,
    forget_watch,
)
