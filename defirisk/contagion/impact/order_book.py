"""A table of bids in float64. Exact twin: `swaps.order_book`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from defirisk.core.depth import Floats, LevelsDepth


@dataclass(frozen=True, slots=True)
class LevelsCurve:
    """One direction of a book. Implements `depth_curve.DepthCurve`.

    Where a level is just used up, the price is the next one's; behind the last it is 0: nobody
    bids there. There is no fee, so that a sale's next token brings the price.
    """

    depth: LevelsDepth

    @property
    def capacity(self) -> float:
        """All that is bid for. More is not sold."""
        return float(self.depth.sold[-1])

    def sell(self, amount: Floats) -> Floats:
        """Received: a line from level to level."""
        return np.asarray(np.interp(amount, self.depth.sold, self.depth.received))

    def price_after(self, amount: Floats) -> Floats:
        """The best price that is left."""
        prices = np.append(self.depth.prices, 0.0)
        price = prices[np.searchsorted(self.depth.sold[1:], amount, side="right")]
        return np.asarray(np.where(np.isnan(amount), np.nan, price))

    def amount_to(self, price: Floats) -> Floats:
        """All levels that are better than `price`."""
        amount = self.depth.sold[self._better(price)]
        return np.asarray(
            np.where(np.isnan(price), np.nan, np.where(np.asarray(price) < 0, np.inf, amount))
        )

    def marginal(self, amount: Floats) -> Floats:
        """What the next one brings."""
        return self.price_after(amount)

    def amount_at(self, marginal: Floats) -> Floats:
        """All levels that bring more than `marginal`."""
        amount = self.depth.sold[self._better(marginal)]
        return np.asarray(np.where(np.isnan(marginal), np.nan, amount))

    def _better(self, price: Floats) -> npt.NDArray[np.intp]:
        """How many levels pay more."""
        return np.asarray(np.searchsorted(-self.depth.prices, -np.asarray(price), side="left"))
