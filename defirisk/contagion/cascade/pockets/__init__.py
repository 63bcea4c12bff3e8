"""Interest, and what a liquidation does to a market's totals.

A pocket is what one market holds of one asset (`core.liquidation.Pocket`). Its row has the totals
as they are now, and as the protocol stored them last: as in the contracts, interest is always that
of the whole time since then, never compounded round by round. Whoever interacts with a market
stores it. Only Compound v2, which decides on what is stored, is accrued by keepers every round.

Kernels: one source, run by Python and by numba.
"""

from defirisk.contagion.cascade.pockets import events, interest, rates
from defirisk.contagion.cascade.pockets.columns import (
    BORROWED,
    CASH,
    DEBT_GROWTH,
    DEFICIT,
    RESERVES,
    SUPPLIED,
    SUPPLY_GROWTH,
)
from defirisk.contagion.cascade.pockets.events import (
    book_deficit,
    kept,
    outdate_rates,
    paid_out,
    renew_rates,
    repaid,
    socialise,
)
from defirisk.contagion.cascade.pockets.interest import accrue
from defirisk.contagion.cascade.pockets.table import (
    growth_of_quote,
    pocket_of_quote,
    pocket_table,
)

KERNELS = (*rates.KERNELS, *interest.KERNELS, *events.KERNELS)

__all__ = [
    "BORROWED",
    "CASH",
    "DEBT_GROWTH",
    "DEFICIT",
    "KERNELS",
    "RESERVES",
    "SUPPLIED",
    "SUPPLY_GROWTH",
    "accrue",
    "book_deficit",
    "growth_of_quote",
    "kept",
    "outdate_rates",
    "paid_out",
    "pocket_of_quote",
    "pocket_table",
    "renew_rates",
    "repaid",
    "socialise",
]
