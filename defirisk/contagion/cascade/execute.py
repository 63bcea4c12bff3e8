"""What one liquidation changes. Kernels: one source, run by Python and by numba."""

from __future__ import annotations

from numpy import ceil, floor

from defirisk.contagion.cascade.pockets import (
    SUPPLIED,
    SUPPLY_GROWTH,
    book_deficit,
    kept,
    outdate_rates,
    paid_out,
    repaid,
    socialise,
)
from defirisk.contagion.cascade.settle import DOWN, UP, WHOLE_POSITION, balance, left_over
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
from defirisk.contagion.cascade.units import (
    BAD_DEBT,
    COLLATERAL_ROUNDING,
    DEBT,
    DEBT_ROUNDING,
    IN_SHARES,
    MECHANISM,
    VALUE_GRAIN,
    Units,
)
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


def repay(units: Units, amount: Floats, rate: Floats, u: int, h: int, paid: float) -> float:
    """Takes what is repaid from a debt; what that was in base units of its quote.

    Where a balance is rounded up, whole units are burned, rounded down, but of a whole position as
    many as it took; where it is rounded to the nearest, so is what is burned; else the balance left
    is stored anew.
    """
    rule, before = units.rules[units.rule[u]], float(amount[h])
    owed, one = balance(units, amount, rate, u, h), float(rate[units.quote[h]])
    if paid >= owed:
        amount[h] = 0.0
    elif rule[DEBT_ROUNDING] == DOWN:
        amount[h] = (owed - paid) / one
    elif rule[MECHANISM] == WHOLE_POSITION:
        amount[h] = max(before - ceil((paid - left_over(one)) / one), 0.0)
    else:
        burned = paid / one
        burned = floor(burned) if rule[DEBT_ROUNDING] == UP else floor(burned + 0.5)
        amount[h] = max(before - burned, 0.0)
    return before - float(amount[h])


def seize(
    units: Units, amount: Floats, rate: Floats, u: int, h: int, seized: float, fee: float
) -> None:
    """Takes what is seized from a collateral: the keeper's and the protocol's part, each rounded as
    the protocol burns and moves its shares.
    """
    rule = units.rules[units.rule[u]]
    pledged, one = balance(units, amount, rate, u, h), float(rate[units.quote[h]])
    if seized >= pledged:
        amount[h] = 0.0
    elif rule[IN_SHARES] > 0:
        amount[h] = max(amount[h] - floor(seized / one + 0.5), 0.0)
    elif one == 1.0:
        amount[h] = max(amount[h] - seized, 0.0)
    elif rule[COLLATERAL_ROUNDING] == DOWN:
        amount[h] = max(amount[h] - ceil((seized - fee) / one) - ceil(fee / one), 0.0)
    else:
        gone = floor((seized - fee) / one + 0.5) + floor(fee / one + 0.5)
        amount[h] = max(amount[h] - gone, 0.0)


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
    shares = repay(units, s.amount, s.rate, u, debt, paid)
    seize(units, s.amount, s.rate, u, collateral, seized, fee)
    k, c = units.pocket[owing], units.pocket[pledge]
    if k >= 0:
        repaid(s.pockets, k, paid, shares)
        renew_share(f, s, u, owing, k)
    if c >= 0 and f.pays_out[pledge] > 0:
        paid_out(s.pockets, c, seized - fee)
        if units.rules[units.rule[u], IN_SHARES] > 0:
            keep_shares(f, s, pledge, c, seized, fee)
        else:
            kept(s.pockets, c, fee)
    note(s, r, LIQUIDATION, u, debt, collateral, paid, seized - fee, fee)
    add_up(f, s, u, owing, pledge, paid, seized, fee)
    if units.rules[units.rule[u], BAD_DEBT] != STAYS and not still_pledged(
        units, s.amount, s.worth, u
    ):
        write_off(f, s, r, u)
    if k >= 0:
        outdate_rates(s.pockets, k)
    if c >= 0 and c != k:
        outdate_rates(s.pockets, c)
    if k >= 0:
        renew_share(f, s, u, owing, k)


def renew_share(f: Facts, s: State, u: int, owing: int, k: int) -> None:
    """Repaying rounds up: a share of what is owed is worth less from then on."""
    units = f.units
    if units.rules[units.rule[u], MECHANISM] == WHOLE_POSITION:
        s.rate[owing] = units.rate[owing] * s.pockets[k, units.growth[owing]]


def keep_shares(f: Facts, s: State, pledge: int, c: int, seized: float, fee: float) -> None:
    """The protocol's part of shares, in whole base units; what redeeming and keeping cut off stays
    with the other lenders.
    """
    share = float(s.rate[pledge])
    part = floor(floor(seized / share + 0.5) * f.fee[pledge])
    reserved = floor(part * share)
    kept(s.pockets, c, reserved)
    left = float(s.pockets[c, SUPPLIED])
    if left > fee - reserved:
        s.pockets[c, SUPPLY_GROWTH] *= left / (left - (fee - reserved))
        s.rate[pledge] = f.units.rate[pledge] * s.pockets[c, SUPPLY_GROWTH]


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


def still_pledged(units: Units, amount: Floats, worth: Floats, u: int) -> bool:
    """Whether any collateral is left that counts, and is worth something to the protocol."""
    grain = units.rules[units.rule[u], VALUE_GRAIN]
    for h in range(units.first[u], units.first[u + 1]):
        counts = units.threshold[units.kind[h]] > 0 and amount[h] > 0
        if counts and amount[h] * worth[units.quote[h]] >= grain:
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
                outdate_rates(s.pockets, k)
            s.amount[h] = 0.0
            value = left * s.usd[a]
            s.by_deployment[units.deployment[u], BAD] += value
            s.by_asset[a, BAD] += value
            note(s, r, LOSS, u, h, -1, left, 0.0, 0.0)


KERNELS = (
    note,
    repay,
    seize,
    keep_shares,
    add_up,
    still_pledged,
    write_off,
    renew_share,
    liquidate,
)
