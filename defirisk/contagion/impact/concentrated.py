"""Ranges of liquidity in float64. Exact twin: `swaps.concentrated` (Uniswap v3 and forks).

Within a range of liquidity L, a sale of a (without the fee) takes the root r of the price to
r / (1 + a·r / L), and gives a·r² / (1 + a·r / L).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from defirisk.core.depth import Floats, RangesDepth

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class RangesCurve:
    """One direction of a pool. Implements `depth_curve.DepthCurve`."""

    depth: RangesDepth

    @property
    def capacity(self) -> float:
        """All that the ranges can take. More is not sold, and only takes the price to its end."""
        return float(self.depth.sold[-1])

    def sell(self, amount: Floats) -> Floats:
        """Received; what is beyond the capacity brings nothing."""
        place, net, turn = self._within(amount)
        given = self.depth.received[place] + net * self.depth.root[place] ** 2 / turn
        return np.asarray(np.minimum(given, self.depth.received[place + 1]))

    def price_after(self, amount: Floats) -> Floats:
        """The price that a next sale meets. Where a range is just used up that is beyond the gap
        behind it, and where all are, the end: the pool's own price is any in between.
        """
        place, _, turn = self._within(amount)
        root = np.maximum(self.depth.root[place] / turn, self.depth.root[place + 1])
        root = np.where(amount >= self.capacity, self.depth.root[-1], root)
        return np.asarray(np.where(amount <= 0, self.depth.root[0], root) ** 2)

    def amount_to(self, price: Floats) -> Floats:
        """In a gap: what takes the sale to where the gap begins."""
        depth, wanted = self.depth, np.sqrt(np.maximum(price, 0.0))
        # Roots fall, so that they are searched with the signs turned.
        place = np.searchsorted(-depth.root, -wanted, side="left") - 1
        place = np.clip(place, 0, len(depth.liquidity) - 1)
        root = depth.root[place]
        with np.errstate(divide="ignore", invalid="ignore"):
            net = depth.liquidity[place] * (root - wanted) / (root * wanted)
        amount = depth.sold[place] + net / (1 - depth.fee)
        # Not beyond the range's own end, which was summed more exactly.
        amount = np.minimum(amount, depth.sold[place + 1])
        amount = np.where(wanted >= depth.root[0], 0.0, amount)
        amount = np.where(wanted < depth.root[-1], np.inf, amount)
        return np.asarray(np.where(np.isnan(price), np.nan, amount))

    def marginal(self, amount: Floats) -> Floats:
        """What the next one brings: the price less the fee, and nothing when all is sold."""
        after = (1 - self.depth.fee) * self.price_after(amount)
        return np.asarray(np.where(amount >= self.capacity, 0.0, after))

    def amount_at(self, marginal: Floats) -> Floats:
        """The amount after which the next one brings no more than `marginal`."""
        amount = self.amount_to(marginal / (1 - self.depth.fee))
        return np.asarray(np.minimum(amount, self.capacity))

    def _within(self, amount: Floats) -> tuple[Places, Floats, Floats]:
        """The range that a next sale meets, what was sold in it less the fee, and 1 + a·r / L."""
        depth = self.depth
        sold = np.minimum(amount, self.capacity)
        place = np.searchsorted(depth.sold, sold, side="right") - 1
        place = np.clip(place, 0, len(depth.liquidity) - 1)
        net = (sold - depth.sold[place]) * (1 - depth.fee)
        liquidity = depth.liquidity[place]
        turn = 1 + net * depth.root[place] / np.where(liquidity > 0, liquidity, 1.0)
        return place, net, turn
