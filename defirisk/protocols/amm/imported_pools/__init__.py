"""Pools that the user imported: no contracts, no logs, nothing to compare with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from defirisk.core.adapter import Kind, Snapshot
from defirisk.core.imported import ImportedAdapter
from defirisk.core.row import Row
from defirisk.core.venue import Pool, Venue, VenueKind
from defirisk.protocols.amm.imported_pools.rows import (
    ROWS,
    ImportedDepth,
    ImportedPool,
    ImportedReserve,
    ImportedTick,
)
from defirisk.swaps.concentrated import Concentrated
from defirisk.swaps.constant_product import ConstantProduct
from defirisk.swaps.order_book import OrderBook
from defirisk.swaps.stableswap import FEE_DENOMINATOR, Generation, StableSwap
from defirisk.swaps.swap_math import PIPS
from defirisk.swaps.tick_math import tick_at_sqrt_ratio

KINDS: Mapping[str, VenueKind] = {
    "constant-product": "constant-product",
    "uniswap-v3": "concentrated",
    "stableswap": "stableswap",
    "depth": "depth",
}
"""What a file calls a kind of pool, to what it is."""


class ImportedPools(ImportedAdapter):
    """The adapter."""

    name = "imported-pools"
    kind: Kind = "amm"
    source = "files of the user (defirisk import pools)"
    rows: tuple[type[Row], ...] = ROWS

    def venues(self, snapshot: Snapshot) -> Iterable[Venue]:
        """The pools of the file."""
        # A venue is a deployment, so these rows are all its own.
        for row in snapshot.rows.all(ImportedPool):
            reserves = list(snapshot.rows.all(ImportedReserve))
            yield Venue(
                address=row.venue,
                deployment=snapshot.deployment.name,
                label=row.venue,
                grade="imported",
                kind=KINDS[row.kind],
                tokens=tuple(reserve.asset for reserve in reserves),
                decimals=tuple(reserve.decimals for reserve in reserves),
                pool=pool_of(
                    row,
                    reserves,
                    list(snapshot.rows.all(ImportedTick)),
                    list(snapshot.rows.all(ImportedDepth)),
                ),
            )


def pool_of(
    row: ImportedPool,
    reserves: Sequence[ImportedReserve],
    ticks: Sequence[ImportedTick],
    levels: Sequence[ImportedDepth],
) -> Pool:
    """The pool that rows state. Errors: `UsageError` where they are not those of a real pool."""
    fee = number(row.fee)
    match row.kind:
        case "constant-product":
            first, second = (reserve.reserve_raw for reserve in reserves)
            return ConstantProduct((first, second), fee, fee_leaves=number(row.admin_fee) == 1)
        case "stableswap":
            generation = Generation[row.generation.upper()]
            return StableSwap(
                balances=tuple(reserve.reserve_raw for reserve in reserves),
                rates=tuple(10 ** (36 - reserve.decimals) for reserve in reserves),
                amplification=int(number(row.amplification) * generation.value),
                fee_e10=int(fee * FEE_DENOMINATOR),
                admin_fee_e10=int(number(row.admin_fee) * FEE_DENOMINATOR),
                generation=generation,
            )
        case "uniswap-v3":
            return Concentrated.of(
                sqrt_price_x96=row.sqrt_price_x96,
                tick=tick_at_sqrt_ratio(row.sqrt_price_x96),
                liquidity=row.liquidity,
                fee_pips=int(fee * PIPS),
                tick_spacing=row.tick_spacing,
                liquidity_net={tick.tick: tick.liquidity_net for tick in ticks},
                known=(row.ticks_from, row.ticks_to),
            )
    scale = Fraction(10 ** reserves[1].decimals, 10 ** reserves[0].decimals)
    return OrderBook(
        prices=tuple(number(level.price) * scale for level in levels),
        amounts=tuple(level.cumulative_raw for level in levels),
    )


def number(text: str) -> Fraction:
    """The exact value of the decimal text that an import has let pass."""
    return Fraction(Decimal(text))


ADAPTER = ImportedPools()
