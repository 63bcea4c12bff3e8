"""x * y = k in float64. Exact twin: `swaps.constant_product` (Uniswap v2 and forks)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from defirisk.core.depth import Floats, ProductDepth


@dataclass(frozen=True, slots=True)
class ProductCurve:
    """One direction of a pair. Implements `depth_curve.DepthCurve`."""

    depth: ProductDepth

    @property
    def capacity(self) -> float:
        """A pair takes any amount, for less and less; an empty one takes none."""
        return np.inf if self.depth.reserve_in else 0.0

    @property
    def _priced(self) -> float:
        """The part of an amount that is priced."""
        return 1 - self.depth.fee

    @property
    def _stays(self) -> float:
        """The part of an amount that is in the reserve afterwards."""
        return self._priced + self.depth.kept * self.depth.fee

    def sell(self, amount: Floats) -> Floats:
        """Received."""
        with np.errstate(divide="ignore", invalid="ignore"):
            share = 1 / (1 + self.depth.reserve_in / (self._priced * amount))
        return np.asarray(self.depth.reserve_out * np.where(amount == 0, 0.0, share))

    def price_after(self, amount: Floats) -> Floats:
        """The ratio of the reserves after the sale."""
        x, y = self.depth.reserve_in, self.depth.reserve_out
        if x == 0:
            return np.full_like(amount, np.nan)
        return np.asarray(y / (1 + self._priced * amount / x) / (x + self._stays * amount))

    def amount_to(self, price: Floats) -> Floats:
        """The positive root of (x + a·priced)(x + a·stays) = x·y / price, without cancellation."""
        x, y = self.depth.reserve_in, self.depth.reserve_out
        both, product = self._priced + self._stays, self._priced * self._stays
        with np.errstate(divide="ignore", invalid="ignore"):
            room = np.maximum(y / price - x, 0.0)
            root = both + np.sqrt(both**2 + 4 * product * room / x)
            amount = 2 * room / root
        return np.where(price <= 0, np.inf, amount) if x else np.zeros_like(price)

    def marginal(self, amount: Floats) -> Floats:
        """What the next one brings in the same sale."""
        x, y = self.depth.reserve_in, self.depth.reserve_out
        if x == 0:
            return np.zeros_like(amount)
        return np.asarray(self._priced * y / x / (1 + self._priced * amount / x) ** 2)

    def amount_at(self, marginal: Floats) -> Floats:
        """The amount after which the next one brings no more than `marginal`."""
        x, y = self.depth.reserve_in, self.depth.reserve_out
        if x == 0:
            return np.zeros_like(marginal)
        with np.errstate(divide="ignore"):
            times = np.sqrt(self._priced * y / x / np.maximum(marginal, 0.0))
        return np.asarray(x * np.maximum(times - 1, 0.0) / self._priced)
