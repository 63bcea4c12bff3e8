"""How the deployments of a book liquidate, on the book's common axes. Exact still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from defirisk.core.holdings import Holdings
from defirisk.core.liquidation import NO_RULE, Liquidation, Pocket, Rule


def side_by_side(parts: Sequence[tuple[Holdings, Liquidation | None]]) -> Liquidation:
    """One liquidation of all. A deployment whose adapter says nothing has units without a rule."""
    rules: list[Rule] = []
    unit_rule: list[int] = []
    pockets: list[Pocket] = []
    markets = quotes = 0
    for exact, said in parts:
        if said is None:
            unit_rule += [NO_RULE] * len(exact.units)
        else:
            unit_rule += [
                NO_RULE if place == NO_RULE else place + len(rules) for place in said.unit_rule
            ]
            rules += said.rules
            pockets += [
                replace(
                    pocket,
                    market=pocket.market + markets,
                    supply_quote=pocket.supply_quote + quotes,
                    debt_quote=pocket.debt_quote + quotes,
                )
                for pocket in said.pockets
            ]
        markets += len(exact.markets)
        quotes += len(exact.quotes)
    return Liquidation(rules=tuple(rules), unit_rule=tuple(unit_rule), pockets=tuple(pockets))
