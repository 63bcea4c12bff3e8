"""Funding: how much a base token pays per second, and what an account owes of it.

Source: Exchange._getFundingGrowthGlobalAndTwaps, _getDeltaTwapX96 and Funding of npm
@perp/curie-contract 2.8.4.
"""

from __future__ import annotations

from defirisk.protocols.perps.perp_curie.arithmetic import of_ratio, price_x96, toward_zero
from defirisk.protocols.perps.perp_curie.rows import WAD, Config, Market
from defirisk.swaps.tick_math import Q96

PERIOD = 86_400
SHORTEST_MEAN = 10
"""Seconds below which UniswapV3Broker takes the pool's price instead of a mean."""


def window(market: Market, config: Config, now: int) -> int:
    """The seconds over which funding compares means: none before the first trade."""
    if market.first_traded_timestamp == 0:
        return 0
    return min(config.twap_interval, now - market.first_traded_timestamp)


def premium_x96(market_root: int, index: int, max_funding_rate: int) -> int:
    """The market's mean over the index' mean (1e18), within the largest rate; Q96 dollars."""
    index_x96 = index * Q96 // WAD
    most = of_ratio(index_x96, max_funding_rate)
    return max(-most, min(most, price_x96(market_root) - index_x96))


def growth(market_root: int, index: int, max_funding_rate: int, seconds: int) -> int:
    """What a base token owes for so many seconds, times the funding period; Q96 dollars."""
    return premium_x96(market_root, index, max_funding_rate) * seconds


def payment(base_balance: int, grown_x96: int) -> int:
    """What an account without orders pays (above 0) since it was settled last; 1e18."""
    return toward_zero(toward_zero(base_balance * grown_x96, Q96), PERIOD)
