"""What one liquidation changes. Kernels: one source, run by Python and by numba."""

from __future__ import annotations

from defirisk.contagion.cascade.pockets import (
    book_deficit,
    kept,
    paid_out,
    renew_rates,
    repaid,
    socialise,
)
from defirisk.contagion.cascade.settle import balance
from defirisk.contagion.cascade.state import (
    BAD,
    LIQUIDATED_COLLATERAL,
    LIQUIDATED_DEBT,
    LIQUIDATION,
    LOSS,
    PENALTY,
    PROTOCOL_FEES,
    Facts,
    State,
)
from defirisk.contagion.cascade.units import BAD_DEBT, DEBT, Units
from defirisk.core.book import Floats
from defirisk.core.liquidation import BadDebt

STAYS = int(BadDebt.STAYS)
SOCIALISED = int(BadDebt.SOCIALISED)


def note(
    s: State,
    r: int,
    kind: int,
    unit: int,
    first: int,
    second: int,
    amount: float,
    other: float,
    fee: float,
) -> None:
    """One row of the trace, where one is wanted and has room."""
    n = s.traced[0]
    if n < s.trace.shape[0]:
        s.trace[n, 0] = r
        s.trace[n, 1] = kind
        s.trace[n, 2] = unit
        s.trace[n, 3] = first
        s.trace[n, 4] = second
        s.trace[n, 5] = amount
        s.trace[n, 6] = other
        s.trace[n, 7] = fee
        s.traced[0] = n + 1


def taken_from(amount: Floats, h: int, taken: float, rate: float, held: float) -> float:
    """Takes base units of the asset from a row; what that was in base units of its quote."""
    part = float(amount[h])
    if taken < held:
        part = min(part, taken / rate)
    amount[h] -= part
    return part


def liquidate(
    f: Facts,
    s: State,
    r: int,
    u: int,
    debt: int,
    collateral: int,
    paid: float,
    seized: float,
    fee: float,
) -> None:
    """Repays, seizes, books bad debt and adds it all up."""
    units = f.units
    owing, pledge = units.quote[debt], units.quote[collateral]
    owed = balance(units, s.amount, s.rate, u, debt)
    pledged = balance(units, s.amount, s.rate, u, collateral)
    shares = taken_from(s.amount, debt, paid, s.rate[owing], owed)
    taken_from(s.amount, collateral, seized, s.rate[pledge], pledged)
    k, c = units.pocket[owing], units.pocket[pledge]
    if k >= 0:
        repaid(s.pockets, k, paid, shares)
    if c >= 0 and f.pays_out[pledge] > 0:
        paid_out(s.pockets, c, seized - fee)
        kept(s.pockets, c, fee)
    s.touched[u] = 1
    note(s, r, LIQUIDATION, u, debt, collateral, paid, seized - fee, fee)
    add_up(f, s, u, owing, pledge, paid, seized, fee)
    if units.rules[units.rule[u], BAD_DEBT] != STAYS and not still_pledged(units, s.amount, u):
        write_off(f, s, r, u)
    if k >= 0:
        renew_rates(s.pockets, k)
    if c >= 0 and c != k:
        renew_rates(s.pockets, c)


def add_up(
    f: Facts,
    s: State,
    u: int,
    owing: int,
    pledge: int,
    paid: float,
    seized: float,
    fee: float,
) -> None:
    """The liquidation in USD at the market prices of the round, by deployment and asset."""
    a, b, d = f.units.asset[owing], f.units.asset[pledge], f.units.deployment[u]
    cost, value, charge = paid * s.usd[a], seized * s.usd[b], fee * s.usd[b]
    s.by_deployment[d, LIQUIDATED_DEBT] += cost
    s.by_deployment[d, LIQUIDATED_COLLATERAL] += value
    s.by_deployment[d, PENALTY] += value - cost
    s.by_deployment[d, PROTOCOL_FEES] += charge
    s.by_asset[a, LIQUIDATED_DEBT] += cost
    s.by_asset[b, LIQUIDATED_COLLATERAL] += value
    s.by_asset[b, PENALTY] += value - cost
    s.by_asset[b, PROTOCOL_FEES] += charge


def still_pledged(units: Units, amount: Floats, u: int) -> bool:
    """Whether any collateral that counts is left."""
    for h in range(units.first[u], units.first[u + 1]):
        if units.side[h] != DEBT and units.threshold[h] > 0 and amount[h] > 0:
            return True
    return False


def write_off(f: Facts, s: State, r: int, u: int) -> None:
    """All debts of a unit that has nothing left, as its protocol books them."""
    units = f.units
    for h in range(units.first[u], units.first[u + 1]):
        if units.side[h] == DEBT and s.amount[h] > 0:
            q = units.quote[h]
            left = balance(units, s.amount, s.rate, u, h)
            k, a = units.pocket[q], units.asset[q]
            if k >= 0:
                if units.rules[units.rule[u], BAD_DEBT] == SOCIALISED:
                    socialise(s.pockets, k, left, s.amount[h])
                else:
                    book_deficit(s.pockets, k, left)
                renew_rates(s.pockets, k)
            s.amount[h] = 0.0
            value = left * s.usd[a]
            s.by_deployment[units.deployment[u], BAD] += value
            s.by_asset[a, BAD] += value
            note(s, r, LOSS, u, h, -1, left, 0.0, 0.0)


KERNELS = (note, taken_from, add_up, still_pledged, write_off, liquidate)
