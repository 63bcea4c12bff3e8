"""Owners through whom trouble spreads: those who loop, and those who owe in several deployments.

A cluster stands for its largest member in a loop, and for all of its members in what they owe.
"""

from __future__ import annotations

from defirisk.graph.build import Composition
from defirisk.graph.measures import Measure

LEVERED = 5.0
"""Collateral over equity from which a loop is told: a fifth of its price undoes it."""


def loops(made: Composition) -> dict[str, float]:
    """The highest leverage of an owner's loops, of those with anything left of their own."""
    found: dict[str, float] = {}
    for loop in made.loops:
        if loop.equity_usd > 0:
            node = made.owners.node_of[loop.owner]
            found[node] = max(found.get(node, 0.0), loop.assets_usd / loop.equity_usd)
    return found


def sunk_loops(made: Composition) -> dict[str, float]:
    """What owners of loops owe beyond all that they pledged, of those who owe more."""
    sunk = {loop.unit: loop for loop in made.loops if loop.equity_usd <= 0}
    found: dict[str, float] = {}
    for loop in sunk.values():
        node = made.owners.node_of[loop.owner]
        found[node] = found.get(node, 0.0) - loop.equity_usd
    return found


def shared_borrowers(made: Composition) -> dict[str, float]:
    """Dollars that an owner owes in all deployments, of owners with debts in more than one."""
    found: dict[str, float] = {}
    for owner, owed in made.shared.items():
        node = made.owners.node_of[owner]
        found[node] = found.get(node, 0.0) + owed
    return found


MEASURES = (
    Measure(
        name="loops",
        title="Leverage of loops",
        unit="ratio",
        about="Collateral over equity of a position whose collateral is a claim on the asset that "
        "it owes: borrowed, wrapped and pledged again.",
        compute=loops,
        is_finding=lambda leverage: leverage >= LEVERED,
    ),
    Measure(
        name="sunk_loops",
        title="Loops that owe more than they have",
        unit="usd",
        about="What is owed beyond all collateral, at market prices, where the collateral is a "
        "claim on the asset that is owed.",
        compute=sunk_loops,
        is_finding=lambda _: True,
    ),
    Measure(
        name="shared_borrowers",
        title="Owed in several deployments",
        unit="usd",
        about="All debts of owners who owe in more than one deployment: through them, a "
        "liquidation in one protocol makes trouble in another one.",
        compute=shared_borrowers,
    ),
)
