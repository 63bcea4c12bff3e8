"""Several venues at once: side by side by best price, and one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import elementwise

from defirisk.contagion.impact.depth_curve import DepthCurve
from defirisk.contagion.impact.falling import amount_where
from defirisk.core.depth import Floats

HALVINGS = 1000


@dataclass(frozen=True, slots=True)
class Route:
    """A sale split over venues so that the next token brings the same everywhere, fees taken:
    no other split brings more. The venues sell the same token for the same other one, and are
    different pools. Implements `depth_curve.DepthCurve`.
    """

    curves: tuple[DepthCurve, ...]

    @property
    def capacity(self) -> float:
        """All that the venues can take together."""
        return sum(curve.capacity for curve in self.curves)

    def split(self, amount: Floats) -> Floats:
        """What each venue is sold, shape (K, *amount.shape). Adds up to `amount`, or to the
        capacity where that is less.
        """
        amount = np.minimum(np.asarray(amount, dtype=np.float64), self.capacity)
        capacities = np.array([curve.capacity for curve in self.curves])
        parts: Floats = np.multiply.outer(capacities, np.ones_like(amount))
        parts[:, amount == 0] = 0.0
        parts[:, np.isnan(amount)] = np.nan
        inside = (amount > 0) & (amount < self.capacity)
        if inside.any():
            parts[:, inside] = self._equalised(amount[inside])
        return parts

    def sell(self, amount: Floats) -> Floats:
        """Received from all venues."""
        parts = self.split(amount)
        received = [curve.sell(part) for curve, part in zip(self.curves, parts, strict=True)]
        return np.asarray(np.sum(received, axis=0))

    def price_after(self, amount: Floats) -> Floats:
        """The best price that is left at any venue, its fee left out."""
        return self._best_price(self.split(amount))

    def amount_to(self, price: Floats) -> Floats:
        """What has to be sold until no venue pays more than `price`.

        Searched over how many times less than at first the next token brings: every such number
        is one split, so that none has to be searched for.
        """
        first = self.marginal(np.zeros(1))[0]

        def best_price(less: Floats) -> Floats:
            with np.errstate(divide="ignore"):
                return self._best_price([curve.amount_at(first / less) for curve in self.curves])

        less = amount_where(best_price, price)
        with np.errstate(divide="ignore"):
            return np.where(np.isinf(less), np.inf, self.amount_at(first / less))

    def marginal(self, amount: Floats) -> Floats:
        """What the next token brings at the best venue."""
        parts = self.split(amount)
        brings = [curve.marginal(part) for curve, part in zip(self.curves, parts, strict=True)]
        return np.asarray(np.max(brings, axis=0))

    def amount_at(self, marginal: Floats) -> Floats:
        """The amount after which the next token brings no more than `marginal` anywhere."""
        return np.asarray(np.sum([curve.amount_at(marginal) for curve in self.curves], axis=0))

    def _best_price(self, parts: Sequence[Floats] | Floats) -> Floats:
        prices = [curve.price_after(part) for curve, part in zip(self.curves, parts, strict=True)]
        return np.asarray(np.fmax.reduce(prices))

    def _equalised(self, amount: Floats) -> Floats:
        """The split at the common marginal that adds up to `amount` (S,), shape (K, S)."""
        first = self.curves[self._best_first()].marginal(np.zeros(1))[0]
        high = np.full_like(amount, first)
        low = high / 2
        for _ in range(HALVINGS):
            short = self.amount_at(low) < amount
            if not short.any():
                break
            low[short] /= 2

        def missing(marginal: Floats, wanted: Floats) -> Floats:
            return wanted - self.amount_at(marginal)

        found = elementwise.find_root(missing, (low, high), args=(amount,))
        parts = self._between(*found.bracket, amount)
        # Too little to move any price by a float's last place goes where the first token would.
        parts[self._best_first(), parts.sum(axis=0) == 0] = 1.0
        return self._adding_up(parts, amount)

    def _between(self, one: Floats, other: Floats, amount: Floats) -> Floats:
        """Between the two marginals that the search ends with: only what is bid for at a single
        price, as in a table of depth, takes very different amounts at them, and gets the rest.
        """
        few, many = (
            np.array([curve.amount_at(marginal) for curve in self.curves])
            for marginal in (np.maximum(one, other), np.minimum(one, other))
        )
        apart, rest = (many - few).sum(axis=0), amount - few.sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.clip(np.where(apart > 0, rest / apart, 0.0), 0.0, 1.0)
        return np.asarray(few + share * (many - few))

    def _adding_up(self, parts: Floats, amount: Floats) -> Floats:
        """The parts, scaled to add up; venues that are full stay so, to the last place."""
        capacities = np.array([[curve.capacity] for curve in self.curves])
        full = np.where(parts == capacities, parts, 0.0)
        rest, wanted = (parts - full).sum(axis=0), amount - full.sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled = full + (parts - full) * (wanted / rest)
        even = parts * (amount / parts.sum(axis=0))
        return np.asarray(np.where((rest > 0) & (wanted > 0), scaled, even))

    def _best_first(self) -> int:
        """The venue at which the first token brings most."""
        return int(np.argmax([curve.marginal(np.zeros(1))[0] for curve in self.curves]))


@dataclass(frozen=True, slots=True)
class Path:
    """One sale after the other: what the first gives is sold at the second. They are different
    pools. Implements `depth_curve.DepthCurve`.
    """

    first: DepthCurve
    second: DepthCurve

    @property
    def capacity(self) -> float:
        """What the first can take, and no more than fills the second."""
        if not np.isfinite(self.second.capacity):
            return self.first.capacity
        most = np.array([self.first.capacity])
        if self.first.sell(most)[0] <= self.second.capacity:
            return self.first.capacity

        def scarcity(amount: Floats) -> Floats:
            with np.errstate(divide="ignore"):
                return np.asarray(1 / self.first.sell(amount))

        return float(amount_where(scarcity, np.array([1 / self.second.capacity]))[0])

    def sell(self, amount: Floats) -> Floats:
        """Received at the end."""
        return self.second.sell(self.first.sell(amount))

    def price_after(self, amount: Floats) -> Floats:
        """The product of both prices, fees left out."""
        return self.first.price_after(amount) * self.second.price_after(self.first.sell(amount))

    def amount_to(self, price: Floats) -> Floats:
        """By search: both prices fall."""
        return amount_where(self.price_after, price)

    def marginal(self, amount: Floats) -> Floats:
        """The product of both."""
        return self.first.marginal(amount) * self.second.marginal(self.first.sell(amount))

    def amount_at(self, marginal: Floats) -> Floats:
        """By search, up to the capacity."""
        return np.minimum(amount_where(self.marginal, marginal), self.capacity)
