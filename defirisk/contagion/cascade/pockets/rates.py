"""The rates that follow from a market's totals. Kernels."""

from __future__ import annotations

from numpy import floor

from defirisk.contagion.cascade.pockets.columns import (
    BASE,
    BORROW_RATE,
    BORROWED,
    CASH,
    DEFICIT,
    KINK,
    RESERVE_FACTOR,
    RESERVES,
    SLOPE1,
    SLOPE2,
    STORED_BORROWED,
    STORED_SUPPLIED,
    SUPPLY_RATE,
)
from defirisk.core.book import Floats


def kinked(p: Floats, used: float) -> float:
    """A yearly rate with two slopes."""
    rate: float = p[BASE] + p[SLOPE1] * min(used, p[KINK])
    if used > p[KINK]:
        rate += p[SLOPE2] * (used - p[KINK])
    return rate


def index_rates(p: Floats) -> None:
    """Aave: `calculateInterestRates`. Bad debt thins out what lenders get."""
    if p[BORROWED] <= 0.0:
        p[BORROW_RATE] = p[BASE]
        p[SUPPLY_RATE] = 0.0
        return
    whole = p[CASH] + p[BORROWED]
    p[BORROW_RATE] = kinked(p, p[BORROWED] / whole)
    used = p[BORROWED] / (whole + p[DEFICIT])
    p[SUPPLY_RATE] = p[BORROW_RATE] * used * (1.0 - p[RESERVE_FACTOR])


def block_rates(p: Floats) -> None:
    """Compound v2: `getBorrowRate`, cut to 1e-18. Where the model reverts, nothing changes."""
    used = 0.0
    if p[BORROWED] > 0.0:
        lent_and_held = p[CASH] + p[BORROWED] - p[RESERVES]
        if lent_and_held <= 0.0:
            return
        used = p[BORROWED] / lent_and_held
    rate = p[BASE] + floor(min(used, p[KINK]) * p[SLOPE1])
    if used > p[KINK]:
        rate += floor((used - p[KINK]) * p[SLOPE2])
    p[BORROW_RATE] = rate
    p[SUPPLY_RATE] = used * rate * (1.0 - p[RESERVE_FACTOR])


def share_rates(p: Floats) -> None:
    """Morpho: the rate that the model states for the totals as stored, cut to 1e-18."""
    used = p[STORED_BORROWED] / p[STORED_SUPPLIED] if p[STORED_SUPPLIED] > 0.0 else 0.0
    p[BORROW_RATE] = p[BASE] + floor(p[SLOPE1] * used)
    p[SUPPLY_RATE] = p[BORROW_RATE] * used * (1.0 - p[RESERVE_FACTOR])


KERNELS = (kinked, index_rates, block_rates, share_rates)
