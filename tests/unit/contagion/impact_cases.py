"""Exact pools beside their float curves, in whole tokens."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from hypothesis import strategies as st

from defirisk.contagion.impact.depth_curve import DepthCurve, curve
from defirisk.core.depth import Floats
from defirisk.core.venue import Pool, Venue, VenueKind
from defirisk.store.venue_frames import depth
from defirisk.swaps.concentrated import Concentrated
from defirisk.swaps.constant_product import ConstantProduct
from defirisk.swaps.order_book import OrderBook
from defirisk.swaps.stableswap import StableSwap

TOKENS = ("0x" + "0a" * 20, "0x" + "0b" * 20, "0x" + "0c" * 20, "0x" + "0d" * 20)
DECIMALS = st.sampled_from([6, 8, 18])


def venue(pool: Pool, decimals: tuple[int, ...]) -> Venue:
    """The pool as an adapter would hand it on."""
    kind: VenueKind = "constant-product"
    if isinstance(pool, Concentrated):
        kind = "concentrated"
    elif isinstance(pool, StableSwap):
        kind = "stableswap"
    elif isinstance(pool, OrderBook):
        kind = "depth"
    return Venue(
        address="0x" + "ff" * 20,
        deployment="test",
        label="A/B",
        kind=kind,
        tokens=TOKENS[: len(decimals)],
        decimals=decimals,
        pool=pool,
    )


@dataclass(frozen=True)
class Twins:
    """One direction of a pool, exact and in floats."""

    pool: Pool
    i: int
    j: int
    decimals: tuple[int, ...]

    @property
    def curve(self) -> DepthCurve:
        """The float twin."""
        made = depth(venue(self.pool, self.decimals), TOKENS[self.i], TOKENS[self.j])
        return curve(made)

    @property
    def unit_in(self) -> int:
        """Base units of what is sold per whole token."""
        return int(10 ** self.decimals[self.i])

    @property
    def unit_out(self) -> int:
        """Base units of what is received per whole token."""
        return int(10 ** self.decimals[self.j])

    @property
    def shift(self) -> float:
        """What turns a price in base units into one in whole tokens."""
        return self.unit_in / self.unit_out

    def exact(self, amounts_raw: list[int]) -> tuple[Floats, Floats, Floats]:
        """Sold, received and price after, in whole tokens."""
        sales = [self.pool.sell(self.i, self.j, amount) for amount in amounts_raw]
        return (
            np.array([sale.sold / self.unit_in for sale in sales]),
            np.array([sale.received / self.unit_out for sale in sales]),
            np.array([float(sale.pool.price(self.i, self.j)) * self.shift for sale in sales]),
        )


@st.composite
def twins(draw: st.DrawFn, pools: st.SearchStrategy[ConstantProduct | Concentrated]) -> Twins:
    """A two-token pool in either direction, with any decimals."""
    i = draw(st.integers(0, 1))
    return Twins(draw(pools), i, 1 - i, (draw(DECIMALS), draw(DECIMALS)))


def ways(count: int) -> list[tuple[int, int]]:
    """Every direction of a pool."""
    pairs = list(combinations(range(count), 2))
    return pairs + [(j, i) for i, j in pairs]
