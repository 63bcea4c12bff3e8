"""What an interaction with a market changes. Kernels."""

from __future__ import annotations

from defirisk.contagion.cascade.pockets.columns import (
    BORROWED,
    CASH,
    DEBT_GROWTH,
    DEBT_SHARES,
    DEFICIT,
    ELAPSED,
    MODEL,
    OUTDATED,
    RESERVES,
    STORED_BORROWED,
    STORED_DEBT_GROWTH,
    STORED_SUPPLIED,
    STORED_SUPPLY_GROWTH,
    STORED_SUPPLY_SHARES,
    SUPPLIED,
    SUPPLY_GROWTH,
    SUPPLY_SHARES,
)
from defirisk.contagion.cascade.pockets.interest import (
    KINKED_BLOCKS,
    LINEAR,
    rates_of,
    share_growths,
)
from defirisk.core.book import Floats


def store(p: Floats) -> None:
    """What an interaction writes: interest from now on is on these totals.

    Not the blocks of Compound v2 that nobody accrued yet: they go on elapsing.
    """
    if p[MODEL] == LINEAR:
        share_growths(p)
    if p[MODEL] != KINKED_BLOCKS:
        p[ELAPSED] = 0.0
    p[STORED_BORROWED] = p[BORROWED]
    p[STORED_SUPPLIED] = p[SUPPLIED]
    p[STORED_SUPPLY_GROWTH] = p[SUPPLY_GROWTH]
    p[STORED_DEBT_GROWTH] = p[DEBT_GROWTH]
    p[STORED_SUPPLY_SHARES] = p[SUPPLY_SHARES]


def renew_rates(pockets: Floats, k: int) -> None:
    """The rates that follow from the totals as they are; what has accrued is stored before."""
    p = pockets[k]
    store(p)
    rates_of(p)


def outdate_rates(pockets: Floats, k: int) -> None:
    """As `renew_rates`, but once for all that happens at one moment: before time goes on.

    Where a model may revert, a rate depends on which totals it saw last: not there.
    """
    p = pockets[k]
    store(p)
    if p[MODEL] == KINKED_BLOCKS:
        rates_of(p)
    else:
        p[OUTDATED] = 1.0


def repaid(pockets: Floats, k: int, amount: float, shares: float) -> None:
    """A keeper pays `amount` base units of the asset, for `shares` of the quote's base units."""
    p = pockets[k]
    p[CASH] += amount
    p[BORROWED] = max(p[BORROWED] - amount, 0.0)
    p[DEBT_SHARES] = max(p[DEBT_SHARES] - shares, 0.0)
    store(p)


def paid_out(pockets: Floats, k: int, amount: float) -> None:
    """The market pays seized collateral out of its cash."""
    p = pockets[k]
    p[CASH] -= amount
    p[SUPPLIED] = max(p[SUPPLIED] - amount, 0.0)
    store(p)


def kept(pockets: Floats, k: int, amount: float) -> None:
    """The protocol keeps its part of what was seized: reserves in Compound v2. Aave's treasury gets
    it as a lender, so that no total changes.
    """
    p = pockets[k]
    if p[MODEL] == KINKED_BLOCKS:
        p[RESERVES] += amount
        p[SUPPLIED] -= amount
        store(p)


def book_deficit(pockets: Floats, k: int, amount: float) -> None:
    """Aave: a debt is gone, and what nobody owes any more is a deficit."""
    p = pockets[k]
    p[BORROWED] = max(p[BORROWED] - amount, 0.0)
    p[DEFICIT] += amount
    store(p)


def socialise(pockets: Floats, k: int, bad_debt_assets: float, bad_debt_shares: float) -> None:
    """Morpho: lenders lose the debt at once."""
    p = pockets[k]
    lost = min(bad_debt_assets, p[BORROWED])
    p[BORROWED] -= lost
    p[SUPPLIED] -= lost
    p[DEBT_SHARES] = max(p[DEBT_SHARES] - bad_debt_shares, 0.0)
    store(p)


KERNELS = (store, renew_rates, outdate_rates, repaid, paid_out, kept, book_deficit, socialise)
