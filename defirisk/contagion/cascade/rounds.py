"""The rounds themselves. Kernels: one source, run by Python and by numba."""

from __future__ import annotations

from numpy import ceil, floor, inf

from defirisk.contagion.cascade import (
    execute,
    oracles,
    pockets,
    pools,
    routes,
    settle,
    vaults,
    watching,
)
from defirisk.contagion.cascade.execute import liquidate, note
from defirisk.contagion.cascade.oracles import differs, grown, quotes, step
from defirisk.contagion.cascade.pockets import CASH, accrue
from defirisk.contagion.cascade.pools import recover, spot
from defirisk.contagion.cascade.routes import best_route, sell_pair
from defirisk.contagion.cascade.settle import plan, weighed
from defirisk.contagion.cascade.state import (
    ACCOUNTS,
    CAPACITY,
    DEVIATION,
    DONE,
    GAS,
    GAS_USD,
    HALTED,
    IN_POOLS,
    LIQUIDATIONS,
    MAX_ROUNDS,
    PROCEEDS,
    RECOVERY,
    REFUSED,
    ROUND_SECONDS,
    SALE,
    SEIZED,
    SLICES,
    SOLD,
    SPENT,
    UNCOVERED,
    UNKNOWN,
    Facts,
    State,
)
from defirisk.contagion.cascade.units import DEBT
from defirisk.contagion.cascade.vaults import move_conversions
from defirisk.contagion.cascade.watching import (
    BARE,
    MOVED,
    bare,
    hopeless,
    refuse,
    refused_again,
    remember,
    renew_watch,
    safe,
)
from defirisk.core.book import Floats


def clock(f: Facts, s: State, seconds: float, blocks: float) -> None:
    """Step 1: interest, and what it makes of rates and of oracle prices per base unit."""
    for k in range(s.pockets.shape[0]):
        accrue(s.pockets, k, seconds, blocks)
    units, told = f.units, s.told
    move_conversions(f.vaults, s.pockets, s.conversion)
    first, earned = f.oracles.blocks.conversions, False
    for c in range(len(s.conversion)):
        value = told.opening[first + c] * s.conversion[c]
        earned = earned or value != told.leaves[first + c]
        told.leaves[first + c] = value
    for q in range(len(s.rate)):
        k = units.pocket[q]
        growth = s.pockets[k, units.growth[q]] if k >= 0 else 1.0
        s.growth[q] = growth
        s.rate[q] = units.rate[q] * growth
    if earned:
        quotes(f.oracles, told, s.growth, s.quote)
    else:
        grown(told, s.growth, s.quote)
    for q in range(len(s.rate)):
        s.worth[q] = s.quote[q] / units.scale[q]
        s.price[q] = s.worth[q] / s.rate[q] if s.rate[q] > 0 else 0.0


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
    for n in range(s.watch.listed[0]):
        u = s.watch.unit[n]
        if safe(s, u, fallen) or refused_again(f, s, u):
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
    backing, owed, debt, collateral, value = weighed(f.units, s.amount, s.worth, u)
    if bounded:
        remember(s, u, backing, owed)
    if not backing < owed:
        return 0.0
    if s.seen[u] == 0:
        s.seen[u] = 1
        s.by_deployment[f.units.deployment[u], ACCOUNTS] += 1
    paid = 0.0
    if debt >= 0 and collateral >= 0:
        if bounded and hopeless(f, s, assumed, u, debt, collateral, value):
            refuse(f, s, u, debt, collateral)
            return 0.0
        paid = attempt(f, s, assumed, r, u, capacity, debt, collateral, backing, owed)
        if bounded and paid == 0:
            refuse(f, s, u, debt, collateral)
    elif bounded and bare(f.units, s.amount, u):
        s.touched[u] = BARE
    if paid > 0:
        s.touched[u] = MOVED
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


def sell_round(f: Facts, s: State, assumed: Floats, r: int) -> None:
    """Step 4: pair by pair. What the pools do not take is sold elsewhere at the market price."""
    size = s.seized.shape[0]
    for b in range(size):
        if s.selling[b] == 0:
            continue
        s.selling[b] = 0
        for a in range(size):
            amount = s.seized[b, a]
            if not amount > 0:
                continue
            s.seized[b, a] = 0.0
            sold, brought = 0.0, 0.0
            if a != b:
                sold, brought = sell_pair(f.pools, f.routes, s.pools, b, a, amount, assumed[SLICES])
            value = sold * s.usd[b]
            s.totals[SOLD] += value
            s.by_asset[b, IN_POOLS] += value
            s.totals[PROCEEDS] += brought * s.usd[a] + (amount - sold) * s.usd[b]
            note(s, r, SALE, -1, b, a, sold, brought, 0.0)


def prices_and_oracles(f: Facts, s: State, assumed: Floats, r: int, seconds: float) -> bool:
    """Steps 5 and 6; whether any oracle moved. What vaults earn goes on, and is no move."""
    pairs = f.oracles
    for p in range(len(pairs.pair_venue)):
        s.spot_factor[p] = 1.0
        if pairs.pair_venue[p] >= 0 and s.opening_spot[p] > 0:
            s.spot_factor[p] = spot_of(f, s, p) / s.opening_spot[p]
    move_conversions(f.vaults, s.pockets, s.conversion)
    for n in range(len(s.before)):
        s.before[n] = s.told.leaves[n]
    step(
        pairs,
        s.told,
        r,
        s.spot_factor,
        seconds,
        assumed[DEVIATION],
        s.conversion,
        s.growth,
        s.market,
        s.quote,
    )
    blocks, moved = pairs.blocks, False
    for n in range(blocks.feeds, blocks.constants):
        counts = n < blocks.conversions or n >= blocks.means
        if counts and differs(s.told.leaves[n], s.before[n]):
            moved = True
    return moved


def spot_of(f: Facts, s: State, p: int) -> float:
    """What a pair's pool says now, in base units."""
    pairs = f.oracles
    return spot(f.pools, s.pools, pairs.pair_venue[p], pairs.pair_token[p], pairs.pair_other[p])


def recover_pools(f: Facts, s: State, part: float) -> None:
    """Step 7."""
    for v in range(s.pools.shape[0]):
        recover(f.pools, s.pools, s.opening_pools, v, part)


def passing(assumed: Floats, r: int) -> tuple[float, float]:
    """Seconds and blocks from the round before to round r."""
    seconds, blocks = float(assumed[ROUND_SECONDS]), 1.0
    if seconds == 0:
        blocks = 0.0
    elif r == 0:
        blocks += ceil(assumed[HALTED] / seconds)
        seconds += assumed[HALTED]
    return seconds, blocks


def one_round(f: Facts, s: State, assumed: Floats, r: int, bounded: bool) -> bool:
    """A whole round; whether nothing happened in it. `bounded`: by what `watching` knows of s."""
    for a in range(len(s.market)):
        s.path[r, a] = s.market[a]
    seconds, blocks = passing(assumed, r)
    clock(f, s, seconds, blocks)
    value_assets(f, s, assumed)
    count = settle_watched(f, s, assumed, r) if bounded else settle_round(f, s, assumed, r)
    sell_round(f, s, assumed, r)
    moved = prices_and_oracles(f, s, assumed, r, seconds)
    if assumed[RECOVERY] > 0:
        recover_pools(f, s, assumed[RECOVERY])
    return count == 0 and not moved


def play(f: Facts, s: State, assumed: Floats, bounded: bool) -> int:
    """All rounds; how many there were. The last row of the path are the prices at the end."""
    r = 0
    while r < assumed[MAX_ROUNDS] and s.totals[DONE] == 0.0:
        quiet = one_round(f, s, assumed, r, bounded)
        r += 1
        if quiet:
            s.totals[DONE] = 1.0
    for a in range(len(s.market)):
        s.path[r, a] = s.market[a]
    value_assets(f, s, assumed)
    uncovered(f, s, bounded)
    return r


def uncovered(f: Facts, s: State, bounded: bool) -> None:
    """What units that were liquidatable still owe beyond their collateral, at market prices."""
    for n in range(s.watch.listed[0] if bounded else len(f.units.place)):
        u = s.watch.unit[n] if bounded else n
        if s.seen[u] == 1:
            uncovered_of(f, s, u)


def uncovered_of(f: Facts, s: State, u: int) -> None:
    """Likewise, of one unit."""
    units, pledged, owed = f.units, 0.0, 0.0
    for h in range(units.first[u], units.first[u + 1]):
        value = at_market(f, s, h)
        if units.side[h] == DEBT:
            owed += value
        else:
            pledged += value
    if owed > pledged:
        s.by_deployment[units.deployment[u], UNCOVERED] += owed - pledged
        for h in range(units.first[u], units.first[u + 1]):
            if units.side[h] == DEBT:
                part = at_market(f, s, h) / owed
                s.by_asset[units.asset[units.quote[h]], UNCOVERED] += (owed - pledged) * part


def at_market(f: Facts, s: State, h: int) -> float:
    """What a row is worth in USD."""
    q = f.units.quote[h]
    return float(s.amount[h] * s.rate[q] * s.usd[f.units.asset[q]])


KERNELS = (
    *settle.KERNELS,
    *pockets.KERNELS,
    *execute.KERNELS,
    *pools.KERNELS,
    *routes.KERNELS,
    *oracles.KERNELS,
    *vaults.KERNELS,
    *watching.KERNELS,
    clock,
    value_assets,
    elsewhere,
    worth_of,
    attempt,
    settle_unit,
    settle_round,
    settle_watched,
    sell_round,
    spot_of,
    prices_and_oracles,
    recover_pools,
    passing,
    one_round,
    at_market,
    uncovered_of,
    uncovered,
    play,
)
"""The kernels of the whole cascade, callees before callers."""
