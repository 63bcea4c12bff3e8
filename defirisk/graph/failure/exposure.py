"""Who has money in markets that take what fails as collateral, or a claim on it.

Exposure is what stands there, not what is lost: all of a market that takes nothing else; of a
market with other collateral what is owed against it. Unit: USD at today's market prices, and
fractions. NaN policy: a value that needs an unknown price is NaN, a share of an unknown whole too.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from defirisk.contagion.failure.settle import row_of_quote
from defirisk.contagion.valuation import Positions, indicator, positions, times
from defirisk.core.backing import backing
from defirisk.core.book import Book, Floats
from defirisk.core.evm import Address
from defirisk.graph import ids
from defirisk.graph.build import Composition
from defirisk.graph.failure.subjects import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposedMarket:
    """A market, by its place in the book. `share` is of its deposits."""

    row: int
    exposed_usd: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposedVault:
    """A vault. `elsewhere_usd` is what it lent to other markets: its depositors carry a loss of
    what fails although those markets have none, which makes it a bridge.
    """

    token: Address
    exposed_usd: float
    share: float
    total_usd: float
    elsewhere_usd: float

    @property
    def is_bridge(self) -> bool:
        """Whether it has money both in what is exposed and in what is not."""
        return self.exposed_usd > 0 and self.elsewhere_usd > 0


def exposed_parts(book: Book, tokens: Collection[Address], held: Positions | None = None) -> Floats:
    """Of the deposits of each market, the part that is lent against these tokens, (M,).

    `held` are the `positions` of the book, to be made once where much is asked.
    """
    rows = held or positions(book)
    mine = np.array([asset.address in tokens for asset in book.assets], dtype=np.bool_)
    oracle = np.nan_to_num(book.quote_price)
    pledged = times(rows.collateral, oracle)
    of_mine = times(rows.collateral, oracle * mine[book.quote_asset])
    amount = times(rows.collateral, np.ones(len(oracle)))
    of_mine_amount = times(rows.collateral, mine[book.quote_asset].astype(np.float64))
    # Where the oracle calls it worthless, it still is what the debt was given for.
    worthless = np.divide(of_mine_amount, amount, out=np.zeros_like(amount), where=amount > 0)
    share = np.divide(of_mine, pledged, out=worthless, where=pledged > 0)
    owed = times(rows.debt.T.tocsr(), share) * book.quote_rate
    row, count = row_of_quote(book), len(book.markets)
    by_row = times(indicator(np.where(row >= 0, row, count), count + 1), owed)[:-1]
    supplied = np.array([facts.supplied for facts in book.markets], dtype=np.float64)
    part = np.divide(by_row, supplied, out=np.where(by_row > 0, 1.0, 0.0), where=supplied > 0)
    part = np.clip(part, 0, 1)
    for only in _only(book, mine):
        part[only] = 1.0
    return np.asarray(part, dtype=np.float64)


def _only(book: Book, mine: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[int]:
    """Markets to lend to in which nothing else backs a debt: those of one place together."""
    places: dict[tuple[int, str], list[int]] = {}
    for m, facts in enumerate(book.markets):
        places.setdefault((facts.deployment, facts.market), []).append(m)
    found: list[int] = []
    for rows in places.values():
        backs = [m for m in rows if book.markets[m].liquidation_threshold > 0]
        if backs and all(mine[book.markets[m].asset] for m in backs):
            found += [m for m in rows if m not in backs]
    return found


def exposed_markets(
    made: Composition, subject: Subject, held: Positions | None = None
) -> tuple[ExposedMarket, ...]:
    """Markets with lenders who are exposed, the largest first, unknown ones before all."""
    parts = exposed_parts(made.book, subject.tokens, held)
    parts[list(subject.rows)] = 1.0
    found = [
        ExposedMarket(
            row=m, exposed_usd=made.rows[m].supplied_usd * float(parts[m]), share=float(parts[m])
        )
        for m in np.flatnonzero(parts).tolist()
        if made.rows[m].facts.supplied > 0
    ]
    return tuple(sorted(found, key=lambda one: -_rank(one.exposed_usd)))


def exposed_vaults(
    made: Composition, subject: Subject, held: Positions | None = None
) -> tuple[ExposedVault, ...]:
    """Vaults that are exposed, through vaults that they hold shares of too, likewise sorted."""
    parts = exposed_parts(made.book, subject.tokens, held)
    parts[list(subject.rows)] = 1.0
    lent = backing(made.book)
    found = []
    for token, claim in made.book.sources.claims.items():
        if claim.kind != "vault" or ids.vault(token) == subject.node:
            continue
        share = _share(made, token, subject.tokens, lent, parts, frozenset())
        worth = made.claims.worth(claim)
        exposed = 0.0 if share == 0 or worth == 0 else share * worth
        if exposed != 0:  # NaN too
            placed = sum(one.assets_raw for one in claim.allocations)
            whole = placed / claim.total_assets_raw if claim.total_assets_raw else 0.0
            found.append(
                ExposedVault(
                    token=token,
                    exposed_usd=exposed,
                    share=share,
                    total_usd=worth,
                    elsewhere_usd=_positive((whole - share) * worth),
                )
            )
    return tuple(sorted(found, key=lambda one: -_rank(one.exposed_usd)))


def _share(
    made: Composition,
    token: Address,
    tokens: Collection[Address],
    lent: dict[Address, dict[int, Fraction]],
    parts: Floats,
    above: frozenset[Address],
) -> float:
    """The exposed part of a claim. Two vaults that hold each other's shares end the walk."""
    if token in tokens:
        return 1.0
    claim = made.book.sources.claims.get(token)
    if claim is None or token in above:
        return 0.0
    inside = lent.get(token, {})
    share = sum(float(part) * float(parts[m]) for m, part in inside.items())
    kept = max(1 - sum(float(part) for part in inside.values()), 0.0)
    if claim.underlying and kept:
        share += kept * _share(made, claim.underlying, tokens, lent, parts, above | {token})
    return share


def _rank(value: float) -> float:
    return math.inf if math.isnan(value) else value


def _positive(value: float) -> float:
    """Rounding of a whole that is lent to what fails leaves no bridge."""
    return 0.0 if value < 0.005 else value
