"""Curve's StableSwap in float64. Exact twin: `swaps.stableswap` (plain pools).

With D fixed, the invariant is quadratic in what is received, so a sale is a closed form; only the
D that the fee leaves behind needs Newton's method.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from defirisk.contagion.impact.falling import amount_where
from defirisk.core.depth import Floats, StableDepth

ITERATIONS = 255
LARGEST = 1e100
"""Beyond this an amount is as good as infinite, and its square is still a float."""


@dataclass(frozen=True, slots=True)
class StableCurve:
    """One direction of a pool. Implements `depth_curve.DepthCurve`."""

    depth: StableDepth

    @property
    def capacity(self) -> float:
        """A pool takes any amount, for less and less."""
        return np.inf

    def sell(self, amount: Floats) -> Floats:
        """Received."""
        return self._gross(self._scaled(amount)) * (1 - self.depth.fee) / self.depth.rate_out

    def price_after(self, amount: Floats) -> Floats:
        """The slope of the invariant after the sale, with what of the fee stays in the pool."""
        depth, sold = self.depth, self._scaled(amount)
        balance_in = depth.scaled[depth.place_in] + sold
        kept = self._gross(sold) * depth.fee * depth.kept
        balance_out = self._left(balance_in) + kept
        invariant = self._invariant(balance_in, balance_out)
        return self._slope(balance_in, balance_out, invariant)

    def amount_to(self, price: Floats) -> Floats:
        """By search: the price falls with every sale."""
        return amount_where(self.price_after, price)

    def marginal(self, amount: Floats) -> Floats:
        """What the next one brings in the same sale."""
        balance_in = self.depth.scaled[self.depth.place_in] + self._scaled(amount)
        invariant = np.full_like(balance_in, self.depth.invariant)
        slope = self._slope(balance_in, self._left(balance_in), invariant)
        return (1 - self.depth.fee) * slope

    def amount_at(self, marginal: Floats) -> Floats:
        """The amount after which the next one brings no more than `marginal`: Newton's method on
        the logarithms of slope and balance, kept between what is too little and what is too much.
        """
        depth = self.depth
        start = depth.scaled[depth.place_in]
        with np.errstate(divide="ignore", invalid="ignore"):
            wanted = np.log(marginal / (1 - depth.fee) * (depth.rate_out / depth.rate_in))
        low = np.full_like(wanted, np.log(start))
        inside = (self._steepness(low)[0] > wanted) & np.isfinite(wanted)
        high = low + 1.0
        while (more := inside & (self._steepness(high)[0] > wanted)).any():
            low[more], high[more] = high[more], high[more] + 1.0
        at = (low + high) / 2
        for _ in range(ITERATIONS):
            slope, change = self._steepness(at)
            below = slope > wanted
            low, high = np.where(below, at, low), np.where(below, high, at)
            step = (slope - wanted) / change
            after = np.where((at - step > low) & (at - step < high), at - step, (low + high) / 2)
            moved = np.abs(after - at) > 1e-15 * np.abs(after)
            at = after
            if not (moved & inside).any():
                break
        amount = np.where(inside, start * np.expm1(at - np.log(start)) / depth.rate_in, 0.0)
        return np.where(np.isnan(marginal), np.nan, np.where(marginal <= 0, np.inf, amount))

    def _steepness(self, log_in: Floats) -> tuple[Floats, Floats]:
        """The logarithm of the slope in 18 decimals, and its change per logarithm of the balance,
        along a D that stays.
        """
        x = np.exp(log_in)
        y = self._left(x)
        curved = self._curved(x, y, np.full_like(x, self.depth.invariant))
        top, bottom = self.depth.ann + curved / x, self.depth.ann + curved / y
        slope = top / bottom
        drift = curved * (slope / y - 1 / x)
        change = (drift - curved / x) / x / top - (drift + curved * slope / y) / y / bottom
        return np.log(slope), change * x

    def _scaled(self, amount: Floats) -> Floats:
        return np.minimum(amount * self.depth.rate_in, LARGEST)

    def _curved(self, balance_in: Floats, balance_out: Floats, invariant: Floats) -> Floats:
        """D^(n+1) / (n^n · product of balances)."""
        depth, count = self.depth, len(self.depth.scaled)
        value = invariant * (invariant / (count * balance_in)) * (invariant / (count * balance_out))
        for place, balance in enumerate(depth.scaled):
            if place not in (depth.place_in, depth.place_out):
                value = value * (invariant / (count * balance))
        return value

    def _gross(self, sold: Floats) -> Floats:
        """What leaves the pool before the fee: the smaller root of z² - b·z + c = 0."""
        depth = self.depth
        x, y = depth.scaled[depth.place_in], depth.scaled[depth.place_out]
        k = self._curved(np.asarray(x), np.asarray(y), np.asarray(depth.invariant)) / depth.ann
        b = sold + y + k
        c = sold * y * (1 + k / (x + sold))
        # b² - 4c, written so that its large parts do not cancel.
        rest = (sold - y) ** 2 + k**2 + 2 * k * (sold + y * ((x - sold) / (x + sold)))
        return np.asarray(2 * c / (b + np.sqrt(np.maximum(rest, 0.0))))

    def _left(self, balance_in: Floats) -> Floats:
        """The other balance that belongs to D, exact too where almost nothing is left."""
        depth, count = self.depth, len(self.depth.scaled)
        invariant = depth.invariant
        other = depth.scaled.sum() - depth.scaled[depth.place_in] - depth.scaled[depth.place_out]
        curved = invariant * (invariant / (count * balance_in)) * invariant / (count * depth.ann)
        for place, balance in enumerate(depth.scaled):
            if place not in (depth.place_in, depth.place_out):
                curved = curved * (invariant / (count * balance))
        linear = balance_in - invariant + (other + invariant / depth.ann)
        root = np.sqrt(linear**2 + 4 * curved)
        with np.errstate(divide="ignore", invalid="ignore"):
            small = 2 * curved / (linear + root)
        return np.asarray(np.where(linear > 0, small, (root - linear) / 2))

    def _invariant(self, balance_in: Floats, balance_out: Floats) -> Floats:
        """Newton's method from the D before the sale, which is close."""
        depth, count = self.depth, len(self.depth.scaled)
        other = depth.scaled.sum() - depth.scaled[depth.place_in] - depth.scaled[depth.place_out]
        total = balance_in + balance_out + other
        invariant = np.full_like(balance_in, depth.invariant)
        for _ in range(ITERATIONS):
            product = self._curved(balance_in, balance_out, invariant)
            top = (depth.ann * total + count * product) * invariant
            after = top / ((depth.ann - 1) * invariant + (count + 1) * product)
            done = np.abs(after - invariant) <= 4e-16 * after
            invariant = after
            if np.all(done | np.isnan(after)):
                break
        return invariant

    def _slope(self, balance_in: Floats, balance_out: Floats, invariant: Floats) -> Floats:
        depth = self.depth
        curved = self._curved(balance_in, balance_out, invariant)
        slope = (depth.ann + curved / balance_in) / (depth.ann + curved / balance_out)
        return np.asarray(slope * (depth.rate_in / depth.rate_out))
