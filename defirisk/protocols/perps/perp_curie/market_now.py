"""A market of Perp Curie at one block: what its pool and its index say, the mark, the funding."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from defirisk.core.errors import CheckFailed
from defirisk.core.venue import Venue
from defirisk.protocols.perps.perp_curie.arithmetic import median_of_three, price_of, toward_zero
from defirisk.protocols.perps.perp_curie.funding import SHORTEST_MEAN, growth, premium_x96, window
from defirisk.protocols.perps.perp_curie.index_now import Index
from defirisk.protocols.perps.perp_curie.rows import (
    CLOSED,
    OPEN,
    Config,
    Market,
    PausedPrice,
    PoolState,
)
from defirisk.swaps.tick_math import MAX_TICK, MIN_TICK, sqrt_ratio_at_tick

MARK_WINDOW = 15
"""Seconds of the shortest mean in the mark price (AccountBalance._getMarkPrice)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Legs:
    """The three prices (1e18) of which the mark is the median, and what the third is made of."""

    recent: int
    market: int
    index: int
    premium_market: int
    premium_index: int

    @property
    def with_premium(self) -> int:
        """The index and what the market was above it on average."""
        return self.index + self.premium_market - self.premium_index

    @property
    def median(self) -> int:
        """The mark price."""
        return median_of_three(self.recent, self.market, self.with_premium)


@dataclass(frozen=True)
class MarketNow:
    """One market at a block. Prices are None where a source is unknown or says nothing."""

    market: Market
    config: Config
    timestamp: int
    venue: Venue | None
    pool: PoolState
    index: Index | None
    paused: PausedPrice

    @property
    def root(self) -> int:
        """The pool's square-root price."""
        return self.market.sqrt_price_x96

    def mean_root(self, interval: int, ago: int = 0) -> int | None:
        """UniswapV3Broker.getSqrtMarketTwapX96From; None where the pool does not remember."""
        if interval < SHORTEST_MEAN:
            return self.root
        if self.venue is None or self.venue.history is None:
            return None
        end = self.timestamp - ago
        try:
            after, _ = self.venue.history.accumulated(end)
            before, _ = self.venue.history.accumulated(end - interval)
        except CheckFailed:
            return None
        tick = toward_zero(after - before, interval)
        return sqrt_ratio_at_tick(tick) if MIN_TICK <= tick <= MAX_TICK else None

    @cached_property
    def legs(self) -> Legs | None:
        """Of an open market."""
        config, index = self.config, self.index
        windows = (MARK_WINDOW, config.market_twap_interval, config.premium_interval)
        roots = [self.mean_root(seconds) for seconds in windows]
        if index is None or roots[0] is None or roots[1] is None or roots[2] is None:
            return None
        return Legs(
            recent=price_of(roots[0]),
            market=price_of(roots[1]),
            index=index.price(0),
            premium_market=price_of(roots[2]),
            premium_index=index.price(config.premium_interval),
        )

    @cached_property
    def mark(self) -> int | None:
        """AccountBalance._getReferencePrice: the price at which positions count, 1e18."""
        if self.market.status == OPEN:
            return None if self.legs is None else self.legs.median
        closed = self.market.status == CLOSED
        price = self.paused.closed_price if closed else self.paused.paused_index_price
        return price or None

    @cached_property
    def means(self) -> tuple[int, int] | None:
        """The market's mean (a square-root price) and that of the index (1e18) that funding
        compares.
        """
        seconds = window(self.market, self.config, self.funded_until)
        root = self.mean_root(seconds, self.timestamp - self.funded_until)
        if self.market.status != OPEN:
            return None if root is None else (root, self.paused.paused_index_price)
        return None if root is None or self.index is None else (root, self.index.price(seconds))

    @property
    def funded_until(self) -> int:
        """Funding ends where a market is paused."""
        return self.timestamp if self.market.status == OPEN else self.market.paused_timestamp

    @cached_property
    def tw_premium_x96(self) -> int | None:
        """Exchange's growth, as a view says it at this block."""
        market = self.market
        if not market.growth_known:
            return None
        seconds = self.funded_until - market.last_settled_timestamp
        if seconds == 0 or market.last_settled_timestamp == 0:
            return market.tw_premium_x96
        if self.means is None:
            return None
        return market.tw_premium_x96 + growth(*self.means, self.config.max_funding_rate, seconds)

    @property
    def premium_x96(self) -> int | None:
        """What a base token pays per day at present."""
        return (
            None if self.means is None else premium_x96(*self.means, self.config.max_funding_rate)
        )
