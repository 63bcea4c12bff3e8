"""What pools remember of their prices, and what they have accumulated by any second.

Two points in time are compared by it: the mean over them is the difference over the seconds.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

from defirisk.core.errors import CheckFailed

UINT32 = 1 << 32
UINT160 = 1 << 160
UINT256 = 1 << 256
INT56 = 1 << 56


@dataclass(frozen=True, slots=True)
class CumulativePrices:
    """price0CumulativeLast, price1CumulativeLast, blockTimestampLast and the reserves of a pair.

    Sources: UniswapV2Pair._update (@uniswap/v2-core 1.0.1) and
    UniswapV2OracleLibrary.currentCumulativePrices (@uniswap/v2-periphery 1.1.0-beta.0).
    """

    price0_cumulative: int
    price1_cumulative: int
    timestamp: int
    reserves: tuple[int, int]

    def accumulated(self, timestamp: int) -> tuple[int, int]:
        """Both sums of UQ112x112 prices times seconds, modulo 2**256, as they are at `timestamp`.

        Prices are base units of the other token per base unit. An empty pair adds nothing.
        """
        elapsed = (timestamp - self.timestamp) % UINT32
        if elapsed == 0 or 0 in self.reserves:
            return self.price0_cumulative, self.price1_cumulative
        first, second = self.reserves
        return (
            (self.price0_cumulative + (second << 112) // first * elapsed) % UINT256,
            (self.price1_cumulative + (first << 112) // second * elapsed) % UINT256,
        )


class Observation(NamedTuple):
    """An entry of a v3 pool's ring of observations. `timestamp` is modulo 2**32."""

    timestamp: int
    tick_cumulative: int
    seconds_per_liquidity_x128: int

    def later(self, timestamp: int, tick: int, liquidity: int) -> Observation:
        """What the next entry is, where this tick and liquidity lasted until then (transform)."""
        elapsed = (timestamp - self.timestamp) % UINT32
        per_liquidity = (elapsed << 128) // max(liquidity, 1)
        return Observation(
            timestamp % UINT32,
            _int56(self.tick_cumulative + tick * elapsed),
            (self.seconds_per_liquidity_x128 + per_liquidity) % UINT160,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """The initialised observations of a v3 pool, oldest first, and its state at `now`.

    Source: Oracle.observeSingle of @uniswap/v3-core 1.0.1.
    """

    now: int
    tick: int
    liquidity: int
    entries: tuple[Observation, ...]

    def accumulated(self, timestamp: int) -> tuple[int, int]:
        """The tick and the seconds per unit of liquidity (Q128), times seconds, by `timestamp`.

        Between two observations they are interpolated. Errors: `CheckFailed` where the pool does
        not remember that far back (it reverts with OLD), or the time is after `now`.
        """
        if not self.entries:
            raise CheckFailed("the pool has no observations: it was never initialised")
        if timestamp > self.now:
            raise CheckFailed(f"{timestamp} is after the block, whose time is {self.now}")
        ago = self.now - timestamp
        ages = [(self.now - entry.timestamp) % UINT32 for entry in self.entries]
        if ago > ages[0]:
            raise CheckFailed(f"the pool remembers {ages[0]} seconds, not {ago}")
        at = bisect_right(ages, -ago, key=lambda age: -age) - 1
        before = self.entries[at]
        if ages[at] == ago:
            return before[1:]
        if at == len(self.entries) - 1:
            return before.later(timestamp, self.tick, self.liquidity)[1:]
        return _between(before, self.entries[at + 1], ages[at] - ago)


def _between(before: Observation, after: Observation, passed: int) -> tuple[int, int]:
    """`passed` seconds after the first of two observations."""
    whole = (after.timestamp - before.timestamp) % UINT32
    ticks = _int56(after.tick_cumulative - before.tick_cumulative)
    mean = abs(ticks) // whole * (1 if ticks >= 0 else -1)  # Solidity cuts towards zero
    liquid = (after.seconds_per_liquidity_x128 - before.seconds_per_liquidity_x128) % UINT160
    return (
        _int56(before.tick_cumulative + mean * passed),
        (before.seconds_per_liquidity_x128 + liquid * passed // whole) % UINT160,
    )


def _int56(value: int) -> int:
    """A value as 56 bits with sign."""
    return (value + INT56 // 2) % INT56 - INT56 // 2
