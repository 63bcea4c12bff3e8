"""Which units machine code does not look at, since they cannot be liquidated. Kernels.

Nothing here changes a result. In float arithmetic every bound has a margin that is far more than
what rounding makes of the few products and sums behind it.
"""

from __future__ import annotations

import numpy as np
from numpy import inf

from defirisk.contagion.cascade.ahead import ahead
from defirisk.contagion.cascade.routes import (
    NEXT_POOL,
    POOL,
)
from defirisk.contagion.cascade.state import LANES, Facts, State, Watch
from defirisk.contagion.cascade.units import (
    DEBT,
    THRESHOLD,
    WORTH,
    Units,
)
from defirisk.core.book import Floats, Ints

GUARD = 1e-6
"""Far more than floats round in one health factor, of which 24 bits are kept."""

AHEAD = 0.95
"""The list is made for falls that are this much deeper than the one so far."""

FAR, NEAR = 12, 6
"""So many units beforehand, what is known of one and its rows are asked for."""

LIQUIDATED = 2
"""`State.seen`."""

TINY = 1e-30
"""More than is lost where floats of 24 bits become too small to have so many."""

ADDED = 1e-12
"""More than floats round in the sums of one unit, relative to the largest of them."""

BITS = 62
"""Assets that share a bit are told apart no more: that costs time, and nothing else."""

UNSEEN, SEEN = range(2)
"""`State.touched`: whether a unit was looked at."""


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
                threshold = units.threshold[units.kind[h]]
                for k in range(LANES):
                    backing[k] += held * worth[q, k] * threshold
        for k in range(LANES):
            watch.health[k, u] = backing[k] / owed[k] if owed[k] > 0 else inf


def spread(f: Facts, s: State) -> tuple[float, float, float]:
    """The least that the health factor of a unit that nobody touches is of what it was as the round
    before began: the most that a quote pledged has fallen, over the most that a quote owed has
    risen. Then the most that two quotes of one side have moved apart, and that one has risen.
    0 and infinity where nothing can be said.
    """
    before, low, high, least, most = s.watch.worth, inf, 0.0, inf, 0.0
    for q in range(len(s.worth)):
        if f.pledged[q] == 0 and f.owed[q] == 0:
            continue
        ratio = 1.0
        if s.worth[q] != before[q]:
            ratio = s.worth[q] / before[q] if before[q] > 0 else 0.0
        if not ratio > 0:
            return 0.0, inf, inf
        if f.pledged[q] > 0:
            low, most = min(low, ratio), max(most, ratio)
        if f.owed[q] > 0:
            high, least = max(high, ratio), min(least, ratio)
    if not high > 0 or not most > 0:
        return 0.0, inf, inf
    return low / high, max(high / least, most / low), max(high, most)


def renew_watch(f: Facts, s: State) -> float:
    """Begins a round: by how much health factors may have fallen since the first one began.

    Lists the units for that and for falls somewhat deeper, if the list was made for others.
    """
    watch, lane = s.watch, s.watch.lane[0]
    if watch.bound[0] == inf:
        watch.fallen[0] = 1.0
        watch.drift[0] = 1.0
        watch.risen[0] = 1.0
    else:
        fell, drifted, rose = spread(f, s)
        watch.fallen[0] *= fell
        watch.drift[0] *= drifted
        watch.risen[0] *= rose
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


def ahead_of_unit(f: Facts, s: State, u: int) -> None:
    """A unit will be visited: first what is known of it."""
    ahead(s.watch.held, u)
    ahead(f.units.first, u)


def ahead_of_rows(f: Facts, s: State, u: int) -> None:
    """Then its rows, or as many as lie in two lines of memory."""
    h = f.units.first[u]
    last = min(h + 6, f.units.first[u + 1] - 1)
    ahead(s.amount, h)
    ahead(s.amount, last)
    ahead(f.units.kind, h)
    ahead(f.units.kind, last)


def to_visit(s: State, fallen: float) -> int:
    """How many of the units listed may be liquidatable in this round, by what is known of them;
    lists these. Every unit is written, and the next one over it where it need not be visited: which
    these are cannot be foreseen, and a jump that was not foreseen costs more than writing.
    """
    watch, size = s.watch, 0
    for n in range(watch.listed[0]):
        u = watch.unit[n]
        watch.visit[size] = u
        size += 0 if watch.last[u] * fallen > 1.0 + GUARD else 1
    return size


def remember(s: State, u: int, backing: float, owed: float) -> None:
    """Health of a unit: what backs its debt, at least, and what is owed, at most."""
    s.touched[u] = SEEN
    scaled = owed * s.watch.fallen[0]
    s.watch.last[u] = backing / scaled if scaled > TINY else 0.0


def remember_left(
    f: Facts, s: State, u: int, debt: int, pledge: int, before: tuple[float, float, float, float]
) -> None:
    """What a liquidation left of a unit, so that it need not be looked at again for that. `before`:
    what backed its debt, what was owed, and what these two rows were worth. A write-off only makes
    the unit safer than this says.
    """
    backing, owed, due, pledged = before
    one, other = f.units.kind[debt], f.units.kind[pledge]
    threshold = s.tariff[other, THRESHOLD]
    gone = (pledged - s.amount[pledge] * s.tariff[other, WORTH]) * threshold
    paid = due - s.amount[debt] * s.tariff[one, WORTH]
    remember(s, u, backing * (1.0 - ADDED) - gone, owed * (1.0 + ADDED) - paid)
    s.watch.lead[u] = 0.0


def never(s: State, u: int) -> None:
    """There is nothing that could be taken of a unit, or nothing owed, whatever prices do."""
    s.watch.last[u] = inf


def bare(units: Units, amount: Floats, u: int) -> bool:
    """Whether nothing is left that anybody could take, whatever prices do."""
    for h in range(units.first[u], units.first[u + 1]):
        if units.threshold[units.kind[h]] > 0 and amount[h] > 0:
            return False
    return True


def clear(units: Units, amount: Floats, u: int) -> bool:
    """Whether nothing is owed any more, whatever prices do."""
    for h in range(units.first[u], units.first[u + 1]):
        if units.side[h] == DEBT and amount[h] > 0:
            return False
    return True


def forget_watch(f: Facts, s: State, amount: Floats) -> None:
    """Puts back what the last scenario changed of the units that it looked at."""
    for n in range(s.watch.listed[0]):
        u = s.watch.unit[n]
        if s.seen[u] == LIQUIDATED:
            for h in range(f.units.first[u], f.units.first[u + 1]):
                s.amount[h] = amount[h]
        if s.seen[u] > 0:
            s.watch.refused[u] = 0
            s.watch.lead[u] = 0.0
        s.touched[u] = 0
        s.seen[u] = 0
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
    ahead_of_unit,
    ahead_of_rows,
    to_visit,
    remember,
    remember_left,
    never,
    bare,
    clear,
    forget_watch,
)
