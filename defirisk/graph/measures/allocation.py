"""Vaults that lent to markets which cannot pay all of it back."""

from __future__ import annotations

import math

from defirisk.graph import ids
from defirisk.graph.allocations import placed
from defirisk.graph.build import Composition
from defirisk.graph.measures import Measure
from defirisk.graph.measures.markets import asset_liability_ratio

NOTICED = 1e-4
"""A hundredth of a percent: less is what interest since the last block comes to."""


def bad_allocations(made: Composition) -> dict[str, float]:
    """The part of a vault's assets that is lost, were every market to be settled at market prices.

    What a market lacks falls on all who lent to it pro rata. Vaults that lend nothing, or whose
    worth is unknown, are left out.
    """
    found: dict[str, float] = {}
    ratios = asset_liability_ratio(made)
    for token, claim in made.book.sources.claims.items():
        worth = made.claims.worth(claim)
        if not claim.allocations or not worth > 0:
            continue
        lost = sum(
            one.value_usd * (1 - min(ratios.get(one.row.id, 1.0), 1.0))
            for one in placed(claim, made.rows, made.claims)
            if one.row is not None
        )
        if not math.isnan(lost):
            found[ids.vault(token)] = lost / worth
    return found


MEASURES = (
    Measure(
        name="bad_allocations",
        title="Lost by vaults where they lent",
        unit="percent",
        about="Of its assets, what the markets that it lent to cannot pay back at market prices.",
        compute=bad_allocations,
        is_finding=lambda part: part > NOTICED,
    ),
)
