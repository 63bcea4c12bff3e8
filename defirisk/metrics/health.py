"""How far accounts are from liquidation.

Unit: health factors are ratios from 0 up, infinite without debt; distances are fractions up to 1;
USD at market prices. NaN policy: units with an unknown price stand apart, in the last bucket, and
their USD values are NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from defirisk.contagion.valuation import Bools, holding_values, sums, unit_collateral, unit_debt
from defirisk.core.book import Book, Floats
from defirisk.core.holdings import Side

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
    1 would be a fall to zero. `account` is the unit's owner, `market` where its first holding is.
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
            market=book.quote_market[book.holding_quote[np.searchsorted(book.holding_unit, i)]],
            health_factor=float(health[i]),
            distance=distance(float(health[i])),
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
