"""How much stands on each oracle and each pool: collateral and debts that it prices.

What a price is made of is depended on as much as the price itself, so dollars are counted once
under each contract behind them, and must not be added up over contracts.
"""

from __future__ import annotations

from collections.abc import Iterator

from defirisk.core.evm import Address
from defirisk.graph import ids
from defirisk.graph.build import Composition
from defirisk.graph.measures import Measure
from defirisk.graph.standing import Row

SHARED = 5


def _reached(made: Composition) -> Iterator[tuple[Row, Address]]:
    for row in made.rows:
        for address in row.contracts():
            yield row, address


def oracle_dependence(made: Composition) -> dict[str, float]:
    """Dollars by oracle; tokens whose rate is read are oracles, too."""
    found: dict[str, float] = {}
    for row, address in _reached(made):
        if address not in made.book.sources.venues:
            node = ids.source(made.book, address)
            found[node] = found.get(node, 0.0) + row.standing_usd
    return found


def shared_oracles(made: Composition) -> dict[str, float]:
    """The markets that stand on an oracle; both assets of an isolated market are one."""
    found: dict[str, set[tuple[int, str, int | None]]] = {}
    for row, address in _reached(made):
        if address not in made.book.sources.venues:
            facts = row.facts
            # All assets of an Aave or Compound market share its name: there each is one.
            whole = facts.market == made.book.deployments[facts.deployment].name
            place = (facts.deployment, facts.market, facts.asset if whole else None)
            found.setdefault(ids.source(made.book, address), set()).add(place)
    return {node: float(len(places)) for node, places in found.items()}


def venue_dependence(made: Composition) -> dict[str, float]:
    """Dollars whose price is read from a pool, by pool; 0 of a pool that nobody asks."""
    found = {ids.venue(address): 0.0 for address in made.book.sources.venues}
    for row, address in _reached(made):
        if address in made.book.sources.venues:
            found[ids.venue(address)] += row.standing_usd
    return found


MEASURES = (
    Measure(
        name="oracle_dependence",
        title="Standing on an oracle",
        unit="usd",
        about="Collateral and debts whose price asks it, directly or through others.",
        compute=oracle_dependence,
    ),
    Measure(
        name="shared_oracles",
        title="Markets on one oracle",
        unit="count",
        about="If it lies or stops, all of them are hit at once.",
        compute=shared_oracles,
        is_finding=lambda count: count >= SHARED,
    ),
    Measure(
        name="venue_dependence",
        title="Standing on a pool's price",
        unit="usd",
        about="Collateral and debts whose price is read from the pool, directly or through others.",
        compute=venue_dependence,
    ),
)
