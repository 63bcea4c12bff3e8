"""How far accounts are from liquidation.

Unit: health factors are ratios from 0 up, infinite without debt; distances are fractions up to 1;
USD at market prices. NaN policy: units with an unknown price stand apart, in the last bucket, and
their USD values are NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from defirisk.contagion.valuation import (
    Bools,
    holding_values,
    positions,
    sums,
    times,
    unit_collateral,
    unit_debt,
)
from defirisk.core.book import Book, Floats
from defirisk.core.holdings import Side

HIGHEST_RISE, FINE = 1000.0, 1e-12
"""Up to which rise, and how finely, the distance of what needs margin is sought."""
BOUNDS = (0.0, 1.0, 1.05, 1.1, 1.25, 1.5, 2.0, 5.0, np.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Accounts whose health factor is in [`low`, `high`); both infinite without debt, NaN unknown.

    `collateral_usd` is what backs debts, or could.
    """

    label: str
    low: float
    high: float
    accounts: int
    debt_usd: float
    collateral_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """A unit and the uniform fall of all its collateral prices that would make it liquidatable.

    `distance` is 1 - 1 / health factor with debt prices unchanged: below 0 it is liquidatable now,
    1 would be a fall to zero. Requirements on what falls shrink with it, and units of account do
    not fall; NaN where no fall is enough. Whether a system is in recovery mode is taken as it is.
    `account` is the unit's owner, `market` where its first holding is.
    `main_*` are indices of the largest assets by market value, None where there is none.
    """

    unit: int
    account: str
    deployment: int
    market: str
    health_factor: float
    distance: float
    debt_usd: float
    collateral_usd: float
    main_collateral: int | None
    main_debt: int | None


def distribution(book: Book, health: Floats, units: Bools | None = None) -> tuple[Bucket, ...]:
    """Accounts, debt and collateral by health factor, shape (N,), as `health_factors` gives it.

    `units` (N,) restricts it, for example to one deployment.
    """
    chosen = np.ones(len(book.units), dtype=np.bool_) if units is None else units
    debt, collateral = unit_debt(book), unit_collateral(book)

    def bucket(label: str, low: float, high: float, inside: Bools) -> Bucket:
        own = inside & chosen
        return Bucket(
            label=label,
            low=low,
            high=high,
            accounts=int(own.sum()),
            debt_usd=float(debt[own].sum()),
            collateral_usd=float(collateral[own].sum()),
        )

    ranges = [
        bucket(_label(low, high), low, high, (health >= low) & (health < high))
        for low, high in pairwise(BOUNDS)
    ]
    without_debt = bucket("no debt", np.inf, np.inf, np.isposinf(health))
    return (*ranges, without_debt, bucket("unpriced", np.nan, np.nan, np.isnan(health)))


def closest(
    book: Book, health: Floats, count: int = 20, *, min_debt_usd: float = 0.0
) -> tuple[Distance, ...]:
    """The `count` units with debt that are closest to liquidation (or deepest in it), in order.

    Units that owe less than `min_debt_usd` or whose health factor is unknown are left out.
    """
    debt, collateral = unit_debt(book), unit_collateral(book)
    candidates = np.flatnonzero(np.isfinite(health) & (debt >= min_debt_usd))
    chosen = candidates[np.argsort(health[candidates], kind="stable")][:count]
    values = holding_values(book)
    return tuple(
        Distance(
            unit=int(i),
            account=book.owners[book.unit_owner[i]],
            deployment=int(book.unit_deployment[i]),
            market=_market(book, int(i)),
            health_factor=float(health[i]),
            distance=_distance(book, int(i), float(health[i])),
            debt_usd=float(debt[i]),
            collateral_usd=float(collateral[i]),
            main_collateral=_main_asset(book, values, int(i), Side.COLLATERAL),
            main_debt=_main_asset(book, values, int(i), Side.DEBT),
        )
        for i in chosen
    )


def distance(health: float) -> float:
    """The uniform fall of all collateral prices at which the health factor is 1."""
    return 1 - 1 / health if health > 0 else -np.inf


def _market(book: Book, unit: int) -> str:
    """Of its first holding; of its first requirement where it has no holding."""
    for units, quotes in (
        (book.holding_unit, book.holding_quote),
        (book.requirements.unit, book.requirements.quote),
    ):
        first, stop = np.searchsorted(units, [unit, unit + 1])
        if first < stop:
            return book.quote_market[int(quotes[first])]
    return ""


def _distance(book: Book, unit: int, health: float) -> float:
    """As `distance`, where nothing else than collateral and debt counts; else sought by halves."""
    rows = positions(book, np.array([unit]))
    backs = np.zeros(len(book.quote_asset), dtype=np.bool_)
    backs[rows.collateral.indices] = True
    fixed = np.array([asset.unit for asset in book.assets], dtype=np.bool_)[book.quote_asset]
    first, stop = np.searchsorted(book.requirements.unit, [unit, unit + 1])
    if first == stop and not (backs & fixed).any():
        return distance(health)

    def spare(fall: float) -> float:
        prices = np.where(backs & ~fixed, 1 - fall, 1.0) * book.quote_price
        known = np.nan_to_num(prices)[:, None]
        kept = times(rows.required, known) + rows.limited.value(known)
        owed = times(rows.debt, np.nan_to_num(book.quote_price)[:, None])
        return float((times(rows.backing, known) - owed - kept)[0, 0])

    low, high = (0.0, 1.0) if spare(0.0) >= 0 else (-HIGHEST_RISE, 0.0)
    if spare(low) < 0 or spare(high) >= 0:
        return np.nan if low == 0 else -np.inf
    while high - low > FINE:
        middle = (low + high) / 2
        low, high = (middle, high) if spare(middle) >= 0 else (low, middle)
    return high


def _main_asset(book: Book, values: Floats, unit: int, side: Side) -> int | None:
    first, stop = np.searchsorted(book.holding_unit, [unit, unit + 1])
    own = first + np.flatnonzero(book.holding_side[first:stop] == side)
    if not len(own):
        return None
    by_asset = sums(book.quote_asset[book.holding_quote[own]], values[own], len(book.assets))
    return int(np.argmax(by_asset))


def _label(low: float, high: float) -> str:
    if low == 0:
        return f"< {high:g}"
    return f"> {low:g}" if np.isinf(high) else f"{low:g} - {high:g}"
