"""What an index says now and on average: ChainlinkPriceFeedV3 and the ring it remembers.

Source: CumulativeTwap, CachedTwap and ChainlinkPriceFeedV3 of npm @perp/perp-oracle-contract 0.6.7.
What is cached within a block is the same as what is computed anew.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from defirisk.protocols.perps.perp_curie.rows import PriceObservation

MAX_OBSERVATION = 1_800


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFeed:
    """A price feed at `now`: its latest price (10^`decimals`) since `updated_at`, and its memory,
    oldest entry first. Timestamps rise strictly.
    """

    now: int
    decimals: int
    latest: int
    updated_at: int
    entries: Sequence[PriceObservation]

    def price(self, interval: int) -> int:
        """`getPrice`, in the feed's own decimals. Without enough memory it is the latest price."""
        return (self._mean(interval) or self.latest) if interval else self.latest

    def _mean(self, interval: int) -> int:
        if not self.entries:
            return 0
        newest, target = self.entries[-1], self.now - interval
        current = (
            newest.price_cumulative
            + newest.price * (self.updated_at - newest.timestamp)
            + self.latest * (self.now - self.updated_at)
        )
        then = self._cumulative(target)
        return 0 if then is None else (current - then) // interval

    def _cumulative(self, target: int) -> int | None:
        """The sum by `target`, between two entries in proportion; None before the oldest."""
        at = bisect_right(self.entries, target, key=lambda entry: entry.timestamp) - 1
        if at < 0:
            return None
        before = self.entries[at]
        passed = target - before.timestamp
        if at == len(self.entries) - 1:
            return before.price_cumulative + before.price * passed
        after = self.entries[at + 1]
        grown = after.price_cumulative - before.price_cumulative
        return before.price_cumulative + grown * passed // (after.timestamp - before.timestamp)
