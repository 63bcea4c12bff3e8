"""Prices that are not what they seem: written down once, or read where little money moves them."""

from __future__ import annotations

import math

from defirisk.core.evm import Address
from defirisk.graph import ids
from defirisk.graph.build import Composition
from defirisk.graph.measures import Measure
from defirisk.graph.standing import Row
from defirisk.graph.venues import cheapest_way

HARD_CODED = "hard-coded"


def hard_coded(made: Composition) -> dict[str, float]:
    """Dollars that stand on a price which nothing moves, by market and by oracle."""
    found: dict[str, float] = {}
    for row in made.rows:
        if row.quotes and not row.read and not _own_money(made, row):
            found[row.id] = row.standing_usd
        for oracle in _written(row):
            node = ids.source(made.book, oracle)
            found[node] = found.get(node, 0.0) + row.standing_usd
    return found


def _own_money(made: Composition, row: Row) -> bool:
    """Whether it is what a system of collateralised debt makes, and counts its debts in."""
    makes = made.book.deployments[row.facts.deployment].debt is not None
    return makes and row.facts.borrowed > 0


def _written(row: Row) -> set[str]:
    return {link.address for link in row.chain.all() if link.kind == HARD_CODED}


def thin_pools(made: Composition) -> dict[str, float]:
    """Dollars that stand on a price which a trade in a pool moves, for each dollar that moves it
    by 2 %; infinite where nothing does. Pools that no such price reads, and those of unknown
    depth, are left out.
    """
    found: dict[str, float] = {}
    for address, deep in made.depths.items():
        # Debts stand on the oracle of their collateral where one contract prices both.
        oracles = {row.chain.address for row in made.rows if _follows(row, address)}
        rows = (row for row in made.rows if address in row.contracts())
        dollars = sum(row.standing_usd for row in rows if row.chain.address in oracles)
        depth = cheapest_way(deep)
        if dollars > 0 and not math.isnan(depth):
            found[ids.venue(address)] = dollars / depth if depth > 0 else math.inf
    return found


def _follows(row: Row, pool: Address) -> bool:
    """Whether a trade in the pool may move the price: a share at a fair price reads reserves, and
    yet follows feeds alone. A source that says no more than a number may follow all it asks.
    """
    opaque = (link for link in row.chain.all() if link.address in row.read)
    return pool in row.read or any(inner.address == pool for link in opaque for inner in link.all())


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
        about="Dollars of collateral and debts whose price trades there move, for each dollar "
        "whose sale moves it by 2 %, the cheaper way.",
        compute=thin_pools,
        is_finding=lambda ratio: ratio > 1,
    ),
)
