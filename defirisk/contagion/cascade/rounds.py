"""The rounds themselves. Kernels: one source, run by Python and by numba."""

from __future__ import annotations

import math

from numpy import ceil

from defirisk.contagion.cascade import (
    acting,
    execute,
    hope,
    oracles,
    pockets,
    pools,
    routes,
    settle,
    vaults,
    watching,
)
from defirisk.contagion.cascade.acting import settle_round, settle_watched, value_assets
from defirisk.contagion.cascade.execute import note
from defirisk.contagion.cascade.oracles import differs, grown, quotes, step
from defirisk.contagion.cascade.pockets import accrue
from defirisk.contagion.cascade.pools import recover, spot
from defirisk.contagion.cascade.routes import sell_pair
from defirisk.contagion.cascade.state import (
    DEVIATION,
    DONE,
    HALTED,
    IN_POOLS,
    MAX_ROUNDS,
    PROCEEDS,
    RECOVERY,
    ROUND_SECONDS,
    SALE,
    SLICES,
    SOLD,
    UNCOVERED,
    Facts,
    State,
)
from defirisk.contagion.cascade.units import DEBT, WORTH
from defirisk.contagion.cascade.vaults import move_conversions
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
    for n in range(len(f.oracles.rising)):
        told.leaves[f.oracles.rising[n]] += f.oracles.rise[n] * seconds
        earned = earned or seconds > 0
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
    for g in range(len(units.quote_of_kind)):
        s.tariff[g, WORTH] = s.worth[units.quote_of_kind[g]]


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
    grow_shares(s)
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
    for n in range(blocks.feeds, blocks.shares):
        counts = n < blocks.conversions or n >= blocks.means
        if counts and differs(s.told.leaves[n], s.before[n]):
            moved = True
    return moved


def grow_shares(s: State) -> None:
    """By how much fees have raised the root of the product of each pair's reserves."""
    for v in range(len(s.told.share)):
        if s.share_root[v] > 0:
            s.told.share[v] = math.sqrt(s.pools[v, 0] * s.pools[v, 1]) / s.share_root[v]


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
    count = 0
    for r in range(int(assumed[MAX_ROUNDS])):
        quiet = one_round(f, s, assumed, r, bounded)
        count = r + 1
        if quiet:
            s.totals[DONE] = 1.0
            break
    for a in range(len(s.market)):
        s.path[count, a] = s.market[a]
    value_assets(f, s, assumed)
    uncovered(f, s, bounded)
    return count


def uncovered(f: Facts, s: State, bounded: bool) -> None:
    """What units that were liquidatable still owe beyond their collateral, at market prices."""
    for n in range(s.watch.listed[0] if bounded else len(f.units.place)):
        u = s.watch.unit[n] if bounded else n
        if s.seen[u] > 0:
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
    *hope.KERNELS,
    *acting.KERNELS,
    clock,
    sell_round,
    grow_shares,
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
