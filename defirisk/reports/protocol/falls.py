"""The exact curve of every asset's fall, computed once, the worst asset first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from defirisk.contagion.curve import Curve, curve
from defirisk.core.book import Book, Floats
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

    def first_bad_debt(self) -> float | None:
        """The smallest drop that makes bad debt which is not there today; None: no drop does."""
        return self.curve.smallest_drop(bad_debt_usd=self.bad_debt_usd(0.0) + NOTICED_USD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Falls:
    """Falls that change something, the worst at 40 % first; `unknown` names what was not computed."""

    ranked: tuple[Fall, ...]
    unknown: tuple[str, ...]

    def worst(self, drop: float) -> Fall | None:
        """The fall that makes most debt liquidatable beyond today's, if any does."""
        rising = [fall for fall in self.ranked if _new_debt(fall, drop) > 0]
        return max(rising, key=lambda fall: _new_debt(fall, drop), default=None)

    def first_to_fail(self) -> tuple[Fall, float] | None:
        """The fall that needs the smallest drop to make bad debt, and that drop."""
        found = [
            (fall, drop) for fall in self.ranked if (drop := fall.first_bad_debt()) is not None
        ]
        return min(found, key=lambda pair: pair[1], default=None)


def _new_debt(fall: Fall, drop: float) -> float:
    before, after = fall.curve.at([0.0, drop]).debt_usd
    return float(after - before)


def single_falls(book: Book) -> Falls:
    """The falls of all assets that have a price."""
    ranked: list[Fall] = []
    unknown: list[str] = []
    for asset in range(len(book.assets)):
        name = asset_label(book, asset)
        if np.isnan(book.asset_price[asset]):
            unknown.append(name)
            continue
        try:
            fall = Fall(name=name, curve=curve(book, asset))
        except CheckFailed:
            unknown.append(name)
            continue
        breaks = fall.curve.breaks
        if np.any((breaks >= 0) & (breaks < 1)):
            ranked.append(fall)
    ranked.sort(key=lambda fall: (-_new_debt(fall, GRID[-1]), -_new_debt(fall, 1.0)))
    return Falls(ranked=tuple(ranked), unknown=tuple(unknown))


def points(curve: Curve, column: int, stop: float, limit: int) -> tuple[Floats, Floats]:
    """The polyline of one column of a curve on [0, `stop`], cliffs as two points of the same drop.

    Exact with up to `limit` breaks; beyond, the largest cliffs stay exact and the rest is sampled.
    """
    inside = np.flatnonzero((curve.breaks >= 0) & (curve.breaks < stop))
    if len(inside) > limit:
        inside = _thinned(curve, column, inside, limit)
    x = curve.breaks[inside]

    def value(piece: Floats, drop: Floats) -> Floats:
        index = piece.astype(np.int64)
        return curve.intercept[index, column] + curve.slope[index, column] * drop

    left = value(np.searchsorted(curve.breaks, x, side="left"), x)
    right = value(np.searchsorted(curve.breaks, x, side="right"), x)
    ends = np.array([0.0, stop])
    first, last = value(np.searchsorted(curve.breaks, ends, side="left"), ends)
    xs = np.concatenate([[0.0], np.repeat(x, 2), [stop]])
    ys = np.concatenate([[first], np.column_stack([left, right]).ravel(), [last]])
    return xs, np.maximum(ys, 0.0)


def _thinned(
    curve: Curve, column: int, inside: np.ndarray[tuple[int], np.dtype[np.intp]], limit: int
) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    x = curve.breaks[inside]
    step = np.diff(curve.intercept[:, column])[inside] + np.diff(curve.slope[:, column])[inside] * x
    largest = np.argsort(-np.abs(step), kind="stable")[: limit // 2]
    even = np.linspace(0, len(inside) - 1, limit - limit // 2).astype(np.int64)
    return inside[np.unique(np.concatenate([largest, even]))]
