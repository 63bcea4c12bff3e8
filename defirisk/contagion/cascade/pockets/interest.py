"""What accrues with time. Kernels.

Sources: `ReserveLogic` and `MathUtils` of @aave-dao/aave-v3-origin 3.6.0 and @aave/core-v3 1.19.3;
`CToken.accrueInterest` of @thenextblock/hardhat-compound 0.0.14; `Morpho._accrueInterest` of
@morpho-org/morpho-blue 1.0.0.
"""

from __future__ import annotations

from numpy import floor

from defirisk.contagion.cascade.pockets.columns import (
    BORROW_RATE,
    BORROWED,
    DEBT_GROWTH,
    DEBT_SHARES,
    ELAPSED,
    FIRST_DEBT_SHARE,
    FIRST_SUPPLY_SHARE,
    MODEL,
    OUTDATED,
    RESERVE_FACTOR,
    RESERVES,
    STORED_BORROWED,
    STORED_DEBT_GROWTH,
    STORED_SUPPLIED,
    STORED_SUPPLY_GROWTH,
    STORED_SUPPLY_SHARES,
    SUPPLIED,
    SUPPLY_GROWTH,
    SUPPLY_RATE,
    SUPPLY_SHARES,
)
from defirisk.contagion.cascade.pockets.rates import block_rates, index_rates, share_rates
from defirisk.core.book import Floats
from defirisk.core.liquidation import Model

KINKED_SECONDS = float(Model.KINKED_SECONDS)
KINKED_BLOCKS = float(Model.KINKED_BLOCKS)
LINEAR = float(Model.LINEAR)
SECONDS_PER_YEAR = 31_536_000.0
WAD, RAY = 1e18, 1e27
VIRTUAL_ASSETS, VIRTUAL_SHARES = 1.0, 1e6


def compounded(model: float, rate: float, seconds: float) -> float:
    """Growth of a debt at a yearly rate, by Aave's expansions of (1 + rate per second)^seconds and
    of e^(rate times years).

    The first cuts powers of the rate per second to a ray, which at low rates is nearly all of them.
    """
    if model == KINKED_SECONDS:
        square: float = floor(rate * rate * RAY / SECONDS_PER_YEAR / SECONDS_PER_YEAR)
        cube: float = floor(floor(square * rate + 0.5) / SECONDS_PER_YEAR)
        pairs = seconds * (seconds - 1.0) / 2.0
        triples = pairs * max(seconds - 2.0, 0.0) / 3.0
        return 1.0 + (rate * seconds / SECONDS_PER_YEAR + (pairs * square + triples * cube) / RAY)
    x = rate * seconds / SECONDS_PER_YEAR
    return 1.0 + (x + x * (x / 2.0 + x * x / 6.0))


def accrue_by_index(p: Floats) -> None:
    """Aave: both sides at the rates in force since the last update."""
    income = 1.0 + p[SUPPLY_RATE] * p[ELAPSED] / SECONDS_PER_YEAR
    debt = compounded(p[MODEL], p[BORROW_RATE], p[ELAPSED])
    p[SUPPLY_GROWTH] = p[STORED_SUPPLY_GROWTH] * income
    p[SUPPLIED] = p[STORED_SUPPLIED] * income
    p[DEBT_GROWTH] = p[STORED_DEBT_GROWTH] * debt
    p[BORROWED] = p[STORED_BORROWED] * debt


def accrue_by_shares(p: Floats) -> None:
    """Morpho: the totals, and the fee in new shares bought at the price without it."""
    x = p[BORROW_RATE] * p[ELAPSED] / WAD
    interest = floor(p[STORED_BORROWED] * (x + x * (x / 2.0 + x * x / 6.0)))
    p[BORROWED] = p[STORED_BORROWED] + interest
    p[SUPPLIED] = p[STORED_SUPPLIED] + interest
    fee = floor(interest * p[RESERVE_FACTOR])
    worth = p[SUPPLIED] - fee + VIRTUAL_ASSETS
    shares = floor(fee * (p[STORED_SUPPLY_SHARES] + VIRTUAL_SHARES) / worth)
    p[SUPPLY_SHARES] = p[STORED_SUPPLY_SHARES] + shares
    share_growths(p)


def share_growths(p: Floats) -> None:
    """Morpho: what a share is worth, over what it was at the book's block."""
    debt = (p[BORROWED] + VIRTUAL_ASSETS) / (p[DEBT_SHARES] + VIRTUAL_SHARES)
    supply = (p[SUPPLIED] + VIRTUAL_ASSETS) / (p[SUPPLY_SHARES] + VIRTUAL_SHARES)
    p[DEBT_GROWTH] = debt / p[FIRST_DEBT_SHARE]
    p[SUPPLY_GROWTH] = supply / p[FIRST_SUPPLY_SHARE]


def accrue_blocks(p: Floats) -> None:
    """Compound v2: simple interest since the last accrual, at the rate of this moment's totals."""
    block_rates(p)
    factor = p[BORROW_RATE] * p[ELAPSED] / WAD
    interest = floor(factor * p[BORROWED])
    reserved = floor(p[RESERVE_FACTOR] * interest)
    owned = p[SUPPLIED]
    p[BORROWED] += interest
    p[RESERVES] += reserved
    p[SUPPLIED] += interest - reserved
    p[DEBT_GROWTH] += p[DEBT_GROWTH] * factor
    if owned > 0.0:
        p[SUPPLY_GROWTH] += p[SUPPLY_GROWTH] * ((interest - reserved) / owned)
    p[ELAPSED] = 0.0


def rates_of(p: Floats) -> None:
    """The rates that follow from the totals as they are stored."""
    p[OUTDATED] = 0.0
    if p[MODEL] == KINKED_BLOCKS:
        block_rates(p)
    elif p[MODEL] == LINEAR:
        share_rates(p)
    else:
        index_rates(p)


def accrue(pockets: Floats, k: int, seconds: float, blocks: float) -> None:
    """The interest of this much more time, and of what had elapsed at the book's block."""
    p = pockets[k]
    if p[OUTDATED] > 0.0:
        rates_of(p)
    if p[MODEL] == KINKED_BLOCKS:
        p[ELAPSED] += blocks
        accrue_blocks(p)
        return
    p[ELAPSED] += seconds
    if p[MODEL] == LINEAR:
        accrue_by_shares(p)
    else:
        accrue_by_index(p)


KERNELS = (
    compounded,
    accrue_by_index,
    share_growths,
    accrue_by_shares,
    accrue_blocks,
    rates_of,
    accrue,
)
