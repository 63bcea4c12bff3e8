"""What a pool takes and gives, as the few numbers that a float twin of its curve needs.

Each is one direction, one token sold for another, in whole tokens; `core.venue` has the exact
state they are made from. Prices are whole tokens received per whole token sold, the fee left out.
`fee` is a fraction, and `kept` the part of it that stays in what the pool prices by.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductDepth:
    """x * y = k: both reserves."""

    reserve_in: float
    reserve_out: float
    fee: float
    kept: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RangesDepth:
    """K ranges of constant liquidity, in the order in which a sale goes through them.

    `root` (K + 1,) are square roots of prices at their ends, falling; `liquidity` (K,) is in the
    root of the product of both tokens. `sold` and `received` (K + 1,) are what it takes to get to
    each end, fee included, and what that gives: rising, equal across a gap.
    """

    root: Floats
    liquidity: Floats
    sold: Floats
    received: Floats
    fee: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StableDepth:
    """The invariant of StableSwap.

    `scaled` (N,) are balances times rates; `place_in` and `place_out` say which two trade, and
    `rate_in`, `rate_out` what whole tokens are multiplied with. `ann` is A times N. `fee` is taken
    of what is received.
    """

    scaled: Floats
    place_in: int
    place_out: int
    rate_in: float
    rate_out: float
    ann: float
    invariant: float
    fee: float
    kept: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelsDepth:
    """A table of bids: `prices` (K,) fall, and `sold` and `received` (K + 1,) are what it takes to
    use up the levels before each, and what that gives: both rise from 0.
    """

    prices: Floats
    sold: Floats
    received: Floats


Depth = ProductDepth | RangesDepth | StableDepth | LevelsDepth
