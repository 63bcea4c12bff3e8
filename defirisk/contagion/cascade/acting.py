"""Step 2 and 3 of a round: who can be liquidated, and who is. Kernels.

One source, run by Python and by numba.
"""

from __future__ import annotations

from numpy import ceil, floor, inf

from defirisk.contagion.cascade.execute import liquidate
from defirisk.contagion.cascade.hope import hopeless_still, weigh_hope
from defirisk.contagion.cascade.pockets import CASH
from defirisk.contagion.cascade.routes import best_route
from defirisk.contagion.cascade.settle import plan, weighed
from defirisk.contagion.cascade.state import (
    ACCOUNTS,
    CAPACITY,
    GAS,
    GAS_USD,
    LIQUIDATIONS,
    REFUSED,
    SEIZED,
    SPENT,
    UNKNOWN,
    Facts,
    State,
)
from defirisk.contagion.cascade.watching import (
    FAR,
    LIQUIDATED,
    NEAR,
    ahead_of_rows,
    ahead_of_unit,
    bare,
    clear,
    never,
    refuse,
    refused_again,
    remember,
    remember_left,
    renew_watch,
    to_visit,
)
from defirisk.core.book import Floats


def value_assets(f: Facts, s: State, assumed: Floats) -> None:
    """What base units are worth at the market prices of this moment."""
    for a in range(len(s.market)):
        s.usd[a] = s.market[a] / f.asset_scale[a]
        s.gas[a] = inf
        if s.market[a] > 0:
            s.gas[a] = ceil(assumed[GAS_USD] / s.market[a] * f.asset_scale[a])
        for b in range(len(s.market)):
            s.known[a, b] = 0


def settle_round(f: Facts, s: State, assumed: Floats, r: int) -> int:
    """Steps 2 and 3; how many liquidations there were. Looks at every unit."""
    count, capacity = 0, float(assumed[CAPACITY])
    for u in range(len(f.units.place)):
        paid = settle_unit(f, s, assumed, r, u, capacity, False)
        if paid > 0:
            capacity -= paid
            count += 1
    return count


def settle_watched(f: Facts, s: State, assumed: Floats, r: int) -> int:
    """As `settle_round`, without those of whom it is known beforehand: the same, only sooner."""
    count, capacity = 0, float(assumed[CAPACITY])
    fallen = renew_watch(f, s)
    visit, size = s.watch.visit, to_visit(s, fallen)
    for n in range(size):
        if n + FAR < size:
            ahead_of_unit(f, s, visit[n + FAR])
        if n + NEAR < size:
            ahead_of_rows(f, s, visit[n + NEAR])
        u = visit[n]
        if refused_again(f, s, u) or hopeless_still(f, s, assumed, u):
            continue
        paid = settle_unit(f, s, assumed, r, u, capacity, True)
        if paid > 0:
            capacity -= paid
            count += 1
    return count


def settle_unit(
    f: Facts, s: State, assumed: Floats, r: int, u: int, capacity: float, bounded: bool
) -> float:
    """Screens a unit and liquidates it if the protocol allows and it pays; USD repaid, else 0."""
    backing, owed, debt, collateral, due, pledged = weighed(f.units, s.amount, s.tariff, u)
    if bounded:
        remember(s, u, backing, owed)
    if not backing < owed:
        if bounded and owed == 0 and clear(f.units, s.amount, u):
            never(s, u)
        return 0.0
    if s.seen[u] == 0:
        s.seen[u] = 1
        s.by_deployment[f.units.deployment[u], ACCOUNTS] += 1
    paid = 0.0
    if debt >= 0 and collateral >= 0:
        paid = attempt(f, s, assumed, r, u, capacity, debt, collateral, backing, owed)
        if bounded and paid == 0:
            refuse(f, s, u, debt, collateral)
            weigh_hope(f, s, assumed, u, debt, collateral, due, pledged)
    elif bounded and bare(f.units, s.amount, u):
        never(s, u)
    if paid > 0:
        s.seen[u] = LIQUIDATED
        if bounded:
            remember_left(f, s, u, debt, collateral, (backing, owed, due, pledged))
    else:
        s.totals[REFUSED] += 1
    return paid


def attempt(
    f: Facts,
    s: State,
    assumed: Floats,
    r: int,
    u: int,
    capacity: float,
    debt: int,
    collateral: int,
    backing: float,
    total: float,
) -> float:
    """Liquidates a unit if the protocol allows and it pays; USD repaid, 0 where it does not, -1
    where only cash is missing, the market's or the keepers'.
    """
    units = f.units
    paid, seized, fee = plan(
        units, s.amount, s.price, s.rate, f.fee, u, debt, collateral, backing, total
    )
    if not paid > 0 or not seized > fee:
        return 0.0
    owing, pledge = units.quote[debt], units.quote[collateral]
    a, b = units.asset[owing], units.asset[pledge]
    k = units.pocket[pledge]
    if k >= 0 and f.pays_out[pledge] > 0 and s.pockets[k, CASH] < seized - fee:
        return -1.0
    cost = paid * s.usd[a]
    if not cost <= capacity:
        return -1.0
    if not worth_of(f, s, assumed, b, a, seized - fee) >= paid + s.gas[a]:
        return 0.0
    liquidate(f, s, r, u, debt, collateral, paid, seized, fee)
    s.seized[b, a] += seized - fee
    s.selling[b] = 1
    s.totals[LIQUIDATIONS] += 1
    s.totals[SEIZED] += (seized - fee) * s.usd[b]
    s.totals[SPENT] += cost
    s.totals[GAS] += assumed[GAS_USD]
    return float(cost)


def worth_of(f: Facts, s: State, assumed: Floats, b: int, a: int, amount: float) -> float:
    """Base units of asset `a` that `amount` of asset `b` brings now; 0 where nobody buys it."""
    if a == b:
        return amount
    route, brought = best_route(f.pools, f.routes, s.pools, b, a, amount)
    if route >= 0 or f.routes.behind[b, a] > f.routes.first[b, a]:
        return brought
    if assumed[UNKNOWN] > 0:
        return elsewhere(s, b, a, amount)
    return 0.0


def elsewhere(s: State, b: int, a: int, amount: float) -> float:
    """What it is worth at the market prices of the round."""
    return float(floor(amount * s.usd[b] / s.usd[a]))


KERNELS = (
    value_assets,
    elsewhere,
    worth_of,
    attempt,
    settle_unit,
    settle_round,
    settle_watched,
)
