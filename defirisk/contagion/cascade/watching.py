"""Which units machine code does not look at, since they cannot be liquidated. Kernels.

Nothing here changes a result. In float arithmetic every bound has a margin that is far more than
what rounding makes of the few products and sums behind it.
"""

from __future__ import annotations

import numpy as np
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
from defirisk.core.book import Floats, Ints

GUARD = 1e-6
"""Far more than floats round in one health factor, of which 24 bits are kept."""

LOOSE = 1e-6
"""Far more than they round in what a pool pays."""

FEW = 4.0
"""Base units, or shares, that the cuts of one liquidation are worth, at most."""

AHEAD = 0.95
"""The list is made for falls that are this much deeper than the one so far."""

BITS = 62
"""Assets that share a bit are told apart no more: that costs time, and nothing else."""

UNSEEN, SEEN, MOVED, BARE = range(4)
"""`State.touched`: what machine code knows of a unit. Not looked at yet; looked at, and as it was
then; liquidated since; without anything that could be taken.
"""


def held_assets(units: Units) -> Ints:
    """The assets of every unit, a bit each, shape (N,); no kernel."""
    bits = np.left_shift(1, units.asset[units.quote] % BITS).astype(np.int64)
    if len(bits) == 0:
        return np.zeros(len(units.place), dtype=np.int64)
    return np.bitwise_or.reduceat(bits, units.first[:-1])


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
    """The least that the health factor of a unit that nobody touches is of what it was as the round
    before began: the most that a quote pledged has fallen, over the most that a quote owed has
    risen. 0 where nothing can be said.
    """
    before, low, high = s.watch.worth, inf, 0.0
    for q in range(len(s.worth)):
        if f.pledged[q] == 0 and f.owed[q] == 0:
            continue
        ratio = 1.0
        if s.worth[q] != before[q]:
            ratio = s.worth[q] / before[q] if before[q] > 0 else 0.0
        if not ratio > 0:
            return 0.0
        if f.pledged[q] > 0:
            low = min(low, ratio)
        if f.owed[q] > 0:
            high = max(high, ratio)
    return low / high if high > 0 else 0.0


def renew_watch(f: Facts, s: State) -> float:
    """Begins a round: by how much health factors may have fallen since the first one began.

    Lists the units for that and for falls somewhat deeper, if the list was made for others.
    """
    watch, lane = s.watch, s.watch.lane[0]
    if watch.bound[0] == inf:
        watch.fallen[0] = 1.0
    else:
        watch.fallen[0] *= spread(f, s)
    note_changes(f, s)
    for q in range(len(s.worth)):
        watch.worth[q] = s.worth[q]
    fallen = float(watch.fallen[0])
    if fallen >= watch.bound[0]:
        return fallen
    n = 0
    watch.bound[0] = AHEAD * fallen
    for u in range(len(watch.unit)):
        if not watch.health[lane, u] * watch.bound[0] > 1.0 + GUARD:
            watch.unit[n] = u
            n += 1
            if s.touched[u] == UNSEEN:
                watch.last[u] = watch.health[lane, u]
    watch.listed[0] = n
    return fallen


def note_changes(f: Facts, s: State) -> None:
    """What is not as it was when the round before began."""
    watch = s.watch
    watch.moved[0] = 0
    for q in range(len(s.worth)):
        if s.worth[q] != watch.worth[q] or s.price[q] != watch.price[q]:
            watch.moved[0] |= 1 << (f.units.asset[q] % BITS)
        watch.price[q] = s.price[q]
    for a in range(len(s.usd)):
        if s.usd[a] != watch.usd[a]:
            watch.moved[0] |= 1 << (a % BITS)
        watch.usd[a] = s.usd[a]
        for b in range(len(s.usd)):
            watch.quiet[a, b] = 0
    for v in range(s.pools.shape[0]):
        watch.still[v] = 1
        for column in range(s.pools.shape[1]):
            if s.pools[v, column] != watch.pools[v, column]:
                watch.still[v] = 0
            watch.pools[v, column] = s.pools[v, column]


def nothing_sold(f: Facts, s: State, b: int, a: int) -> bool:
    """Whether every pool between two assets is as it was when the round before began."""
    quiet = s.watch.quiet
    if quiet[b, a] == 0:
        quiet[b, a] = 1
        for r in range(f.routes.first[b, a], f.routes.behind[b, a]):
            hop = f.routes.hops[r]
            if s.watch.still[hop[POOL]] == 0:
                quiet[b, a] = 2
            if hop[NEXT_POOL] >= 0 and s.watch.still[hop[NEXT_POOL]] == 0:
                quiet[b, a] = 2
    return bool(quiet[b, a] == 1)


def refused_again(f: Facts, s: State, u: int) -> bool:
    """Whether what could not be done a round ago is now exactly what it was then."""
    if s.watch.refused[u] == 0:
        return False
    pair, size = s.watch.refused[u] - 1, len(s.usd)
    if s.watch.moved[0] & s.watch.held[u] == 0 and nothing_sold(f, s, pair // size, pair % size):
        return True
    s.watch.refused[u] = 0
    return False


def refuse(f: Facts, s: State, u: int, debt: int, collateral: int) -> None:
    """Notes what could not be done, for a reason that only prices or pools can end."""
    units = f.units
    a, b = units.asset[units.quote[debt]], units.asset[units.quote[collateral]]
    s.watch.refused[u] = 1 + b * len(s.usd) + a


def safe(s: State, u: int, fallen: float) -> bool:
    """Whether a unit cannot be liquidated in this round, by what is known of it."""
    touched = s.touched[u]
    if touched == BARE:
        return True
    return bool(touched != MOVED and s.watch.last[u] * fallen > 1.0 + GUARD)


def remember(s: State, u: int, backing: float, owed: float) -> None:
    """What was seen of a unit that is looked at."""
    s.touched[u] = SEEN
    fallen = s.watch.fallen[0]
    s.watch.last[u] = 0.0
    if owed > 0 and fallen > 0:
        s.watch.last[u] = backing / owed / fallen


def bare(units: Units, amount: Floats, u: int) -> bool:
    """Whether nothing is left that anybody could take, whatever prices do."""
    for h in range(units.first[u], units.first[u + 1]):
        if units.side[h] != DEBT and units.threshold[h] > 0 and amount[h] > 0:
            return False
    return True


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
    cuts = FEW * (1.0 + s.rate[pledge]) * brings
    return bool(most * gain + cuts < s.gas[a])


def forget_watch(f: Facts, s: State, amount: Floats) -> None:
    """Puts back what the last scenario changed of the units that it looked at."""
    for n in range(s.watch.listed[0]):
        u = s.watch.unit[n]
        if s.touched[u] > 0:
            for h in range(f.units.first[u], f.units.first[u + 1]):
                s.amount[h] = amount[h]
        s.touched[u] = 0
        s.seen[u] = 0
        s.watch.refused[u] = 0
    s.watch.listed[0] = 0
    s.watch.bound[0] = inf


KERNELS = (
    weigh_lanes,
    spread,
    note_changes,
    renew_watch,
    nothing_sold,
    refused_again,
    refuse,
    safe,
    remember,
    bare,
    pays_at_most,
    brings_at_most,
    hopeless,
    forget_watch,
)
