"""Units that can be liquidated, but by which no keeper can earn his gas: machine code does not try.

Nothing here changes a result, as in `watching`. Kernels.
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
from defirisk.contagion.cascade.state import UNKNOWN, Facts, State
from defirisk.contagion.cascade.units import CLOSE, MECHANISM, NO_THRESHOLD, THRESHOLD, WORTH
from defirisk.contagion.cascade.watching import GUARD, TINY
from defirisk.core.book import Floats

LOOSE = 1e-6
"""Far more than they round in what a pool pays."""

FEW = 4.0
"""Base units, or shares, that the cuts of one liquidation are worth, at most."""


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


def hopeless(f: Facts, s: State, assumed: Floats, u: int, debt: int, pledge: int) -> bool:
    """Whether no keeper can earn his gas by these kinds of debt and collateral, whatever the rule
    allows him: for P repaid, he receives Y <= e n (P + d) + c base units, with e the exchange of
    the oracles, n what the bonus leaves him, d and c what is cut of debt and of collateral. They
    bring r Y at most, so he earns less than r Y - (Y - c) / (e n) + d: less than r c + d where
    g = e n r - 1 is not above 0, else than g Y / (e n) + r c + d. And Y / (e n) is at most the
    unit's stake, but for cuts.
    """
    units, watch = f.units, s.watch
    owing, pledged = units.quote_of_kind[debt], units.quote_of_kind[pledge]
    a, b = units.asset[owing], units.asset[pledged]
    bonus, part = units.bonus[pledge], f.fee[pledged]
    mechanism, net = units.rules[units.rule[u], MECHANISM], bonus
    if mechanism == CLOSE_FACTOR:
        net = bonus * (1.0 - part)
    elif mechanism == HEALTH_CLOSE_FACTOR:
        net = bonus - (bonus - 1.0) * part
    stake = watch.stake[u] * watch.risen[0] / s.price[owing] * (1.0 + LOOSE) + FEW
    brings = brings_at_most(f, s, assumed, b, a)
    gain = s.price[owing] / s.price[pledged] * net * brings * (1.0 + LOOSE) - 1.0
    if gain < 0.0:
        gain = 0.0
    cuts = FEW * (1.0 + (1.0 + s.rate[pledged]) * brings)
    return bool(stake * gain + cuts < s.gas[a])


def weigh_hope(
    f: Facts,
    s: State,
    assumed: Floats,
    u: int,
    debt: int,
    collateral: int,
    due: float,
    worth: float,
) -> None:
    """Keeps of a refused unit what tells in the rounds to come that it is hopeless, of these rows
    and what they are worth: its stake, what the rule allows of the debt or all of the collateral
    pays for, grows by no more than prices rise, and which rows have most value stays so until
    prices have moved apart by more than the next ones are behind. Nothing is kept of who is not.
    """
    units, watch = f.units, s.watch
    rule, kind = units.rules[units.rule[u]], units.kind[collateral]
    stake = min(due, worth / units.bonus[kind])
    if rule[MECHANISM] == CLOSE_FACTOR:
        stake = min(due * rule[CLOSE], worth / units.bonus[kind])
    watch.debt[u] = units.kind[debt]
    watch.pledge[u] = kind
    watch.stake[u] = stake / watch.risen[0] + TINY
    watch.lead[u] = 0.0
    if not hopeless(f, s, assumed, u, units.kind[debt], kind):
        return
    behind = 0.0
    for h in range(units.first[u], units.first[u + 1]):
        other = units.kind[h]
        value, most = s.amount[h] * s.tariff[other, WORTH], worth
        if s.tariff[other, THRESHOLD] == NO_THRESHOLD:
            most = due
        if h != debt and h != collateral and s.tariff[other, THRESHOLD] != 0.0:
            behind = max(behind, value / most)
    watch.lead[u] = watch.drift[0] / behind if behind > 0 else inf


def hopeless_still(f: Facts, s: State, assumed: Floats, u: int) -> bool:
    """Whether a unit is hopeless by what was known of it when it was looked at."""
    watch = s.watch
    if not watch.lead[u] > watch.drift[0] * (1.0 + GUARD):
        return False
    return hopeless(f, s, assumed, u, watch.debt[u], watch.pledge[u])


KERNELS = (pays_at_most, brings_at_most, hopeless, weigh_hope, hopeless_still)
