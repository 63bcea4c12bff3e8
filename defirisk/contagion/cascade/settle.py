"""Step 3: what a keeper repays and takes of one unit, by its protocol's rule.

Kernels: one source, run by Python and by numba. Sources: `LiquidationLogic` of
@aave-dao/aave-v3-origin 3.6.0 and @aave/core-v3 1.19.3; `liquidateCalculateSeizeTokens` and
`CToken` of @thenextblock/hardhat-compound 0.0.14; `Morpho.liquidate` of @morpho-org/morpho-blue
1.0.0.
"""

from __future__ import annotations

from numpy import ceil, floor

from defirisk.contagion.cascade.units import (
    ALL_DEBTS,
    CLOSE,
    COLLATERAL_ROUNDING,
    DEBT,
    DEBT_ROUNDING,
    FULL_BELOW,
    FULL_HEALTH,
    IN_SHARES,
    LEFTOVER,
    MECHANISM,
    NO_THRESHOLD,
    THRESHOLD,
    VALUE_GRAIN,
    WORTH,
    Units,
)
from defirisk.core.book import Floats
from defirisk.core.liquidation import Mechanism, Rounding

CLOSE_FACTOR = int(Mechanism.CLOSE_FACTOR)
HEALTH_CLOSE_FACTOR = int(Mechanism.HEALTH_CLOSE_FACTOR)
WHOLE_POSITION = int(Mechanism.WHOLE_POSITION)
DOWN = float(Rounding.DOWN)
UP = float(Rounding.UP)
SHARES = 1e18
"""Parts to which a ratio of shares is cut."""


def rounded(value: float, direction: float) -> float:
    """To whole base units: down, up, or to the nearest."""
    if direction == DOWN:
        return float(floor(value))
    if direction == UP:
        return float(ceil(value))
    return float(floor(value + 0.5))


def margin(units: Units, amount: Floats, worth: Floats, u: int) -> tuple[float, float]:
    """Collateral times threshold, and debt, in the unit of account. `worth` (Q,) is the oracle's
    price of one base unit of the quote.
    """
    backing, owed = 0.0, 0.0
    for h in range(units.first[u], units.first[u + 1]):
        value = amount[h] * worth[units.quote[h]]
        if units.side[h] == DEBT:
            owed += value
        else:
            backing += value * units.threshold[units.kind[h]]
    return backing, owed


def balance(units: Units, amount: Floats, rate: Floats, u: int, h: int) -> float:
    """What the contract calls the balance of a row, in base units of the asset."""
    column = DEBT_ROUNDING if units.side[h] == DEBT else COLLATERAL_ROUNDING
    return rounded(amount[h] * rate[units.quote[h]], units.rules[units.rule[u], column])


def weighed(
    units: Units, amount: Floats, tariff: Floats, u: int
) -> tuple[float, float, int, int, float, float]:
    """Collateral times threshold, and debt, in the unit of account; and what a keeper chooses: the
    debt and the collateral of most value, the first of equal ones, -1 where there is none; last
    what these two are worth. `tariff`: see `State`.
    """
    backing, owed = 0.0, 0.0
    debt, collateral = -1, -1
    most_owed, most_pledged = 0.0, 0.0
    for h in range(units.first[u], units.first[u + 1]):
        kind = units.kind[h]
        value, threshold = amount[h] * tariff[kind, WORTH], tariff[kind, THRESHOLD]
        is_debt = threshold == NO_THRESHOLD
        owed += value if is_debt else 0.0
        backing += 0.0 if is_debt else value * threshold
        if is_debt and value > most_owed:
            debt, most_owed = h, value
        if threshold > 0 and value > most_pledged:
            collateral, most_pledged = h, value
    return backing, owed, debt, collateral, most_owed, most_pledged


def plan(
    units: Units,
    amount: Floats,
    price: Floats,
    rate: Floats,
    fee: Floats,
    u: int,
    debt: int,
    collateral: int,
    backing: float,
    total: float,
) -> tuple[float, float, float]:
    """(repaid, seized, of it the protocol's) in base units of the assets.

    Everything is 0 where the protocol would refuse. `price` (Q,) is the oracle's of one base unit
    of the quote's asset; `fee` (Q,) is the protocol's part, see `core.liquidation.Pocket`. The
    rest is what `weighed` said.
    """
    rule = units.rules[units.rule[u]]
    owed = balance(units, amount, rate, u, debt)
    pledged = balance(units, amount, rate, u, collateral)
    of_debt, of_collateral = price[units.quote[debt]], price[units.quote[collateral]]
    exchange = of_debt / of_collateral
    bonus, part = units.bonus[units.kind[collateral]], fee[units.quote[collateral]]
    if rule[MECHANISM] == WHOLE_POSITION:
        repaid, seized = _whole(amount[debt], rate[units.quote[debt]], pledged, exchange, bonus)
        return repaid, seized, 0.0
    if rule[MECHANISM] == CLOSE_FACTOR:
        repaid = floor(owed * rule[CLOSE])
        if rule[IN_SHARES] > 0:
            share = rate[units.quote[collateral]]
            return _shares(repaid, amount[collateral], exchange * bonus / share, share, part)
        repaid, seized = _with_bonus(repaid, pledged, exchange, bonus, rule[DEBT_ROUNDING])
        return repaid, seized, floor(seized * part)
    allowed = owed
    small = owed * of_debt < rule[FULL_BELOW] or pledged * of_collateral < rule[FULL_BELOW]
    if not small and backing > total * rule[FULL_HEALTH]:
        if rule[ALL_DEBTS] > 0:
            allowed = min(owed, part_of_all(units, amount, price, rate, u, of_debt))
        else:
            allowed = floor(owed * rule[CLOSE] + 0.5)
    repaid, seized = _with_bonus(allowed, pledged, exchange, bonus, rule[DEBT_ROUNDING])
    repaid, seized = _without_dust(
        repaid, seized, owed, pledged, of_debt, of_collateral, bonus, rule[LEFTOVER]
    )
    taken = floor((seized - floor(seized / bonus + 0.5)) * part + 0.5)
    return repaid, seized, taken


def _with_bonus(
    repaid: float, pledged: float, exchange: float, bonus: float, rounding: float
) -> tuple[float, float]:
    """What that much debt takes of the collateral; less of both where there is not enough of it.
    `exchange` is base units of collateral worth one of debt. `rounding` is that of debts: what all
    of the collateral pays for is rounded to the nearest where they are, else up.
    """
    seized = floor(floor(repaid * exchange) * bonus + 0.5)
    if seized > pledged:
        direction = rounding if rounding != DOWN else UP
        return rounded(floor(pledged / exchange) / bonus, direction), pledged
    return repaid, seized


def part_of_all(
    units: Units, amount: Floats, price: Floats, rate: Floats, u: int, of_debt: float
) -> float:
    """The close factor's part of all debts, in base units of one of them: every value is rounded
    up, and their part to the nearest, in the protocol's own unit of value.
    """
    rule, total = units.rules[units.rule[u]], 0.0
    grain = rule[VALUE_GRAIN] if rule[VALUE_GRAIN] > 0 else of_debt
    for h in range(units.first[u], units.first[u + 1]):
        if units.side[h] == DEBT:
            value = balance(units, amount, rate, u, h) * price[units.quote[h]]
            total += ceil(value / grain)
    return float(floor(floor(total * rule[CLOSE] + 0.5) * grain / of_debt))


def _shares(
    repaid: float, held: float, ratio: float, share: float, part: float
) -> tuple[float, float, float]:
    """What that much debt takes of the collateral's shares, and the most that all of them pay for.
    `ratio` is shares for one base unit of the debt, `share` what one is worth of the collateral's
    asset: the protocol's part is whole shares, and the keeper's is redeemed.
    """
    ratio = floor(ratio * SHARES)
    taken = floor(ratio * repaid / SHARES)
    if taken > held:
        repaid = ceil((held + 1.0) * SHARES / ratio) - 1.0
        taken = min(held, floor(ratio * repaid / SHARES))
    seized = taken * share
    return repaid, seized, seized - floor((taken - floor(taken * part)) * share)


def _without_dust(
    repaid: float,
    seized: float,
    owed: float,
    pledged: float,
    of_debt: float,
    of_collateral: float,
    bonus: float,
    leftover: float,
) -> tuple[float, float]:
    """Less of both where otherwise too little of either were left, nothing where that cannot be."""
    if leftover == 0 or repaid >= owed or seized >= pledged:
        return repaid, seized
    if (owed - repaid) * of_debt < leftover:
        repaid = owed - ceil(leftover / of_debt)
        seized = floor(floor(repaid * (of_debt / of_collateral)) * bonus + 0.5)
    if (pledged - seized) * of_collateral < leftover:
        seized = pledged - ceil(leftover / of_collateral)
        # The most that takes no more than that: both are whole base units.
        base = floor((seized + 0.5) / bonus)
        if floor(base * bonus + 0.5) > seized:
            base -= 1.0
        repaid = ceil((base + 1.0) * (of_collateral / of_debt)) - 1.0
        seized = floor(floor(repaid * (of_debt / of_collateral)) * bonus + 0.5)
    if repaid <= 0 or seized <= 0:
        return 0.0, 0.0
    return repaid, seized


def _whole(
    shares: float, share: float, pledged: float, exchange: float, bonus: float
) -> tuple[float, float]:
    """All shares of the debt, or as many as all the collateral pays for."""
    seized = floor(floor(floor(shares * share) * bonus) * exchange)
    if seized <= pledged:
        return ceil(shares * share), seized
    return ceil(ceil(pledged / exchange) / bonus) + left_over(share), pledged


def left_over(share: float) -> float:
    """What shares of a debt cost beyond what they are for, in base units: as many are burned as are
    worth that, at what they are worth, both rounded up. Shares are far smaller than base units, so
    that something is over unless a whole number of them makes one.
    """
    if not share > 0.0:
        return 0.0
    return 0.0 if 1.0 / share == floor(1.0 / share) else 1.0


KERNELS = (
    rounded,
    margin,
    weighed,
    balance,
    part_of_all,
    _with_bonus,
    _shares,
    _without_dust,
    left_over,
    _whole,
    plan,
)
