"""The exact curve of every asset's fall, computed once, the worst asset first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from defirisk.contagion.curve import Curve, curve
from defirisk.contagion.reverse import movable
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.errors import CheckFailed
from defirisk.reports.labels import asset_label

GRID = (0.1, 0.2, 0.3, 0.4)
"""The falls that the text speaks of."""
NOTICED_USD = 1.0
"""Bad debt below this is rounding of tokens and prices, not a loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """One asset falls, with all that follows it; `name` is its label."""

    name: str
    curve: Curve

    def debt_usd(self, drop: float) -> float:
        """Liquidatable debt at this drop."""
        return float(self.curve.at([drop]).debt_usd[0])

    def bad_debt_usd(self, drop: float) -> float:
        """The part of it that collateral does not cover."""
        return float(self.curve.at([drop]).bad_debt_usd[0])

    def accounts(self, drop: float) -> int:
        """Liquidatable accounts at this drop."""
        return int(self.curve.at([drop]).accounts[0])

    def new_debt_usd(self, drop: float) -> float:
        """Debt that is liquidatable at this drop beyond today's; negative where a fall heals."""
        return self.debt_usd(drop) - self.debt_usd(0.0)

    def first_bad_debt(self) -> float | None:
        """The smallest drop that makes bad debt which is not there today; None: no drop does."""
        return self.curve.smallest_drop(bad_debt_usd=self.bad_debt_usd(0.0) + NOTICED_USD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Falls:
    """Falls that change something, the worst at 40 % first.

    `today` is any fall at all (its drop of 0 is today); `unknown` names assets without a curve.
    """

    today: Fall | None
    ranked: tuple[Fall, ...]
    unknown: tuple[str, ...]

    def worst(self, drop: float) -> Fall | None:
        """The fall that makes most debt liquidatable beyond today's, if any does."""
        rising = [fall for fall in self.ranked if fall.new_debt_usd(drop) > 0]
        return max(rising, key=lambda fall: fall.new_debt_usd(drop), default=None)

    def first_to_fail(self) -> tuple[Fall, float] | None:
        """The fall that needs the smallest drop to make bad debt, and that drop."""
        found = [(fall, fall.first_bad_debt()) for fall in self.ranked]
        failing = [(fall, drop) for fall, drop in found if drop is not None]
        return min(failing, key=lambda pair: pair[1], default=None)


def single_falls(book: Book) -> Falls:
    """The falls of all assets that have a price and can move."""
    found: list[Fall] = []
    unknown: list[str] = []
    for asset in movable(book):
        name = asset_label(book, asset)
        if np.isnan(book.asset_price[asset]):
            unknown.append(name)
            continue
        try:
            found.append(Fall(name=name, curve=curve(book, asset)))
        except CheckFailed:
            unknown.append(name)
    ranked = [fall for fall in found if _matters(fall.curve)]
    ranked.sort(key=lambda fall: (-fall.new_debt_usd(GRID[-1]), -fall.new_debt_usd(1.0)))
    today = found[0] if found else None
    return Falls(today=today, ranked=tuple(ranked), unknown=tuple(unknown))


def _matters(curve: Curve) -> bool:
    return bool(np.any((curve.breaks >= 0) & (curve.breaks < 1)))


def points(curve: Curve, column: int, stop: float, limit: int) -> tuple[Floats, Floats]:
    """The polyline of one column of a curve on [0, `stop`], cliffs as two points of the same drop.

    Exact with up to `limit` breaks; beyond, the largest cliffs stay exact and the rest is sampled.
    """
    inside = np.flatnonzero((curve.breaks >= 0) & (curve.breaks < stop))
    if len(inside) > limit:
        inside = _thinned(curve, column, inside, limit)
    x = curve.breaks[inside]

    left, right = _value(curve, column, x, "left"), _value(curve, column, x, "right")
    first, last = _value(curve, column, np.array([0.0, stop]), "left")
    xs = np.concatenate([[0.0], np.repeat(x, 2), [stop]])
    ys = np.concatenate([[first], np.column_stack([left, right]).ravel(), [last]])
    return xs, np.maximum(ys, 0.0)


def _value(curve: Curve, column: int, drop: Floats, side: Literal["left", "right"]) -> Floats:
    """At these drops ("left"), or just beyond them ("right")."""
    piece = np.searchsorted(curve.breaks, drop, side=side)
    value = curve.intercept[piece, column] + curve.slope[piece, column] * drop
    return np.asarray(value, dtype=np.float64)


def _thinned(curve: Curve, column: int, inside: Ints, limit: int) -> Ints:
    x = curve.breaks[inside]
    step = _value(curve, column, x, "right") - _value(curve, column, x, "left")
    largest = np.argsort(-np.abs(step), kind="stable")[: limit // 2]
    even = np.linspace(0, len(inside) - 1, limit - limit // 2).astype(np.int64)
    return np.asarray(inside[np.unique(np.concatenate([largest, even]))], dtype=np.int64)
