"""What every way to sell one token for another can be asked, and the curve of a venue's depth."""

from __future__ import annotations

from typing import Protocol, assert_never

from defirisk.contagion.impact.concentrated import RangesCurve
from defirisk.contagion.impact.constant_product import ProductCurve
from defirisk.contagion.impact.order_book import LevelsCurve
from defirisk.contagion.impact.stableswap import StableCurve
from defirisk.core.depth import Depth, Floats, LevelsDepth, ProductDepth, RangesDepth, StableDepth


class DepthCurve(Protocol):
    """One direction, in whole tokens. Amounts and prices are arrays of any shape, (S,) as a rule;
    answers have the same shape. Amounts are not negative; NaN stays NaN. All of it is one sale
    that begins at the state the curve was made from.
    """

    @property
    def capacity(self) -> float:
        """The most that can be sold: inf for most curves."""

    def sell(self, amount: Floats) -> Floats:
        """What is received for `amount`, fee taken."""

    def price_after(self, amount: Floats) -> Floats:
        """Tokens received per token sold at the margin after the sale, the fee left out. NaN of
        an empty pool.
        """

    def amount_to(self, price: Floats) -> Floats:
        """What has to be sold to bring the price down to `price`: inverts `price_after`.

        0 where it is there already, inf where it never gets there.
        """

    def marginal(self, amount: Floats) -> Floats:
        """What the next token would bring in the same sale, fee taken; 0 where none can be sold.

        Not `price_after` less the fee where the fee stays in the pool: that is for the next sale.
        """

    def amount_at(self, marginal: Floats) -> Floats:
        """The amount after which the next token brings no more than `marginal`."""


def curve(depth: Depth) -> DepthCurve:
    """The curve of one venue."""
    match depth:
        case ProductDepth():
            return ProductCurve(depth)
        case RangesDepth():
            return RangesCurve(depth)
        case StableDepth():
            return StableCurve(depth)
        case LevelsDepth():
            return LevelsCurve(depth)
        case other:
            assert_never(other)
