"""Prices that are not what they seem: written down once, or read where little money moves them."""

from __future__ import annotations

import math

from defirisk.graph import ids
from defirisk.graph.build import Composition
from defirisk.graph.measures import Measure
from defirisk.graph.measures.dependence import venue_dependence
from defirisk.graph.standing import Row
from defirisk.graph.venues import cheapest_way

HARD_CODED = "hard-coded"


def hard_coded(made: Composition) -> dict[str, float]:
    """Dollars that stand on a price which nothing moves, by market and by oracle."""
    found: dict[str, float] = {}
    for row in made.rows:
        if row.quotes and not row.read:
            found[row.id] = row.standing_usd
        for oracle in _written(row):
            node = ids.source(made.book, oracle)
            found[node] = found.get(node, 0.0) + row.standing_usd
    return found


def _written(row: Row) -> set[str]:
    return {link.address for link in row.chain.all() if link.kind == HARD_CODED}


def thin_pools(made: Composition) -> dict[str, float]:
    """Dollars that stand on a pool's price for each dollar that moves it by 2 %; infinite where
    nothing does. Pools that no price reads, and those of unknown depth, are left out.
    """
    found: dict[str, float] = {}
    standing = venue_dependence(made)
    for address, deep in made.depths.items():
        depth, dollars = cheapest_way(deep), standing[ids.venue(address)]
        if dollars > 0 and not math.isnan(depth):
            found[ids.venue(address)] = dollars / depth if depth > 0 else math.inf
    return found


MEASURES = (
    Measure(
        name="hard_coded",
        title="Standing on a hard-coded price",
        unit="usd",
        about="Collateral and debts whose price was written into a contract: it stays what it is, "
        "whatever the market pays.",
        compute=hard_coded,
        is_finding=lambda _: True,
    ),
    Measure(
        name="thin_pools",
        title="Standing on a pool, over its depth",
        unit="ratio",
        about="Dollars of collateral and debts for each dollar whose sale moves the price by 2 %, "
        "the cheaper way.",
        compute=thin_pools,
        is_finding=lambda ratio: ratio > 1,
    ),
)
