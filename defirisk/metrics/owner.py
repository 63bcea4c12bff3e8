"""One owner over all deployments: loans, perpetuals and troves of the same account together.

Unit: USD at market prices; exposures in whole tokens. NaN policy: holdings of unknown price are
left out of USD and counted in `unpriced`; tokens need no price.
Source: our own definition.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from defirisk.contagion.valuation import holding_values, sums
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.holdings import Side

DUST = 1e-12
"""What is left of amounts that cancel, relative to them: floats round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What an owner has in one deployment. Of perpetuals, `debt_usd` is only what is owed beyond
    what backs them: what was paid for a position is no loan.
    """

    deployment: int
    units: int
    equity_usd: float
    debt_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What an owner gains per unit of an asset's price, in tokens, and in all; below 0 it is owed
    or sold short. `deployments` are those in which the owner has or owes it.
    """

    asset: int
    tokens: float
    usd: float
    deployments: tuple[int, ...]

    @property
    def shared(self) -> bool:
        """Whether one fall of its price meets the owner in several places."""
        return len(self.deployments) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """An owner: parts by deployment, exposures by size. `equity_usd` may be below 0."""

    owner: str
    parts: tuple[Part, ...]
    exposures: tuple[Exposure, ...]
    equity_usd: float
    debt_usd: float
    unpriced: int


def owners(
    book: Book, perpetuals: Collection[int] | None = None, *, least_deployments: int = 2
) -> tuple[Whole, ...]:
    """Owners who have or owe something in at least so many deployments, in the book's order.

    `perpetuals` are the deployments whose debts are not loans: by default those that state so.
    """
    if perpetuals is None:
        perpetuals = [d for d, facts in enumerate(book.deployments) if facts.perps_of is not None]
    held = book.holding_amount > 0
    owner, where = book.unit_owner[book.holding_unit], book.unit_deployment[book.holding_unit]
    size = len(book.deployments)
    places = np.unique(owner[held] * size + where[held])
    count = np.bincount(places // max(size, 1), minlength=len(book.owners))
    chosen = np.flatnonzero(count >= max(least_deployments, 1))
    values, rows = _signed(book), np.argsort(owner, kind="stable")
    first, stop = (np.searchsorted(owner[rows], chosen, side=side) for side in ("left", "right"))
    return tuple(
        _whole(book, int(o), rows[a:b][held[rows[a:b]]], values, perpetuals)
        for o, a, b in zip(chosen, first, stop, strict=True)
    )


def _signed(book: Book) -> Floats:
    """Market values in USD (H,), below 0 where they are owed."""
    values = holding_values(book)
    return np.asarray(np.where(book.holding_side == Side.DEBT, -values, values), dtype=np.float64)


def _whole(
    book: Book, owner: int, rows: Ints, values: Floats, perpetuals: Collection[int]
) -> Whole:
    parts = tuple(
        _part(
            book,
            int(d),
            rows[book.unit_deployment[book.holding_unit[rows]] == d],
            values,
            perpetuals,
        )
        for d in np.unique(book.unit_deployment[book.holding_unit[rows]])
    )
    return Whole(
        owner=book.owners[owner],
        parts=parts,
        exposures=_exposures(book, rows),
        equity_usd=sum(part.equity_usd for part in parts),
        debt_usd=sum(part.debt_usd for part in parts),
        unpriced=int(np.isnan(values[rows]).sum()),
    )


def _part(
    book: Book, deployment: int, rows: Ints, values: Floats, perpetuals: Collection[int]
) -> Part:
    worth = np.nan_to_num(values[rows])
    units, place = np.unique(book.holding_unit[rows], return_inverse=True)
    if deployment in perpetuals:
        debt = -np.minimum(sums(place, worth, len(units)), 0).sum()
    else:
        debt = -worth[worth < 0].sum()
    return Part(
        deployment=deployment,
        units=len(units),
        equity_usd=float(worth.sum()),
        debt_usd=float(debt) + 0.0,
    )


def _exposures(book: Book, rows: Ints) -> tuple[Exposure, ...]:
    quote = book.holding_quote[rows]
    sign = np.where(book.holding_side[rows] == Side.DEBT, -1.0, 1.0)
    tokens = sign * book.holding_amount[rows] * book.quote_rate[quote]
    assets, place = np.unique(book.quote_asset[quote], return_inverse=True)
    net, gross = (sums(place, amounts, len(assets)) for amounts in (tokens, np.abs(tokens)))
    net[np.abs(net) <= DUST * gross] = 0.0
    usd = net * book.asset_price[assets]
    where = book.unit_deployment[book.holding_unit[rows]]
    found = [
        Exposure(
            asset=int(asset),
            tokens=float(net[k]),
            usd=float(usd[k]),
            deployments=tuple(int(d) for d in np.unique(where[place == k])),
        )
        for k, asset in enumerate(assets)
    ]
    return tuple(sorted(found, key=lambda one: (-np.nan_to_num(abs(one.usd)), one.asset)))
