"""Who can be liquidated, in the protocol's own integers."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Protocol


class LiquidationCheck(Protocol):
    """Whether the contract would allow a liquidation of `unit`.

    `prices` scales the oracle price of quotes, by their place in `Holdings.quotes`.
    """

    def __call__(self, unit: str, prices: Mapping[int, Fraction]) -> bool: ...
