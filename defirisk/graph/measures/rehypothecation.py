"""How many dollars of claims stand on one dollar of an asset that is really there.

Claims are deposits in markets, shares of vaults and shares of pools, each counted where it is a
claim on the asset through any number of wrappers. What is there is the cash of the asset's own
markets, what vaults hold and have not lent on, and what lies in pools. 1: nothing was lent on.
Source: the pledged-collateral multiplier of the literature on rehypothecation, of balances instead
of flows: dollars do not say whose they were.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from defirisk.core.claim import Claim
from defirisk.core.evm import Address
from defirisk.graph import ids
from defirisk.graph.allocations import placed
from defirisk.graph.build import Composition
from defirisk.graph.claims import bases
from defirisk.graph.measures import Measure

Part = tuple[Address, float]


def rehypothecation(made: Composition) -> dict[str, float]:
    """By base asset; those of which nothing is there, or whose price is unknown, are left out."""
    direct = made.claims.direct
    on: dict[Address, float] = {}
    under: dict[Address, float] = {}
    for token, dollars in _claimed(made):
        for base, weight in bases(direct, token).items():
            on[base] = on.get(base, 0.0) + dollars * weight
    for token, dollars in _underneath(made):
        if token not in direct:
            under[token] = under.get(token, 0.0) + dollars
    return {
        ids.asset(base): claims / under[base]
        for base, claims in on.items()
        if under.get(base, 0.0) > 0
    }


def _claimed(made: Composition) -> Iterator[Part]:
    for row in made.rows:
        if not math.isnan(row.supplied_usd):
            yield made.book.assets[row.facts.asset].address, row.supplied_usd
    for claim, worth in _vaults_and_pools(made):
        yield claim.token, worth


def _underneath(made: Composition) -> Iterator[Part]:
    for row in made.rows:
        cash = row.facts.cash * float(made.book.asset_price[row.facts.asset])
        if not math.isnan(cash):
            yield made.book.assets[row.facts.asset].address, cash
    for claim, worth in _vaults_and_pools(made):
        if claim.kind == "vault":
            lent = sum(one.value_usd for one in placed(claim, made.rows, made.claims))
            yield claim.underlying, max(worth - lent, 0.0)
        else:
            for token, weight in made.claims.direct[claim.token].items():
                yield token, worth * weight


def _vaults_and_pools(made: Composition) -> Iterator[tuple[Claim, float]]:
    """aTokens and cTokens are the deposits of markets, which are counted as such."""
    for claim in made.book.sources.claims.values():
        worth = made.claims.worth(claim)
        known = claim.token in made.claims.direct and not math.isnan(worth)
        if known and claim.kind in ("vault", "lp"):
            yield claim, worth


MEASURES = (
    Measure(
        name="rehypothecation",
        title="Claims over what is there",
        unit="ratio",
        about="Dollars of deposits and shares that are claims on it, directly or through wrappers, "
        "for each dollar of it that lies in a market, a vault or a pool.",
        compute=rehypothecation,
    ),
)
