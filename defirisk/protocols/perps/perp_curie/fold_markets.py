"""Logs of markets, their pools and their price feeds: funding growth and the index's memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from defirisk.core.adapter import Log
from defirisk.core.row import Key, Row, State
from defirisk.protocols.perps.perp_curie.arithmetic import price_of, root_of_mean
from defirisk.protocols.perps.perp_curie.funding import SHORTEST_MEAN, growth, window
from defirisk.protocols.perps.perp_curie.index_price import MAX_OBSERVATION
from defirisk.protocols.perps.perp_curie.rows import (
    ALL,
    OPEN,
    PAUSED,
    Config,
    Market,
    PoolState,
    PriceFeed,
    PriceObservation,
)

NOT_FREEZED = 0


def touches(log: Log) -> list[tuple[type[Row], Key]]:
    """A market with the configuration, or a price feed; the latter's row says which entry."""
    match log.event:
        case "ChainlinkPriceUpdated":
            return [(PriceFeed, (log.contract.address,))]
        case "FundingUpdated":
            return [(Market, (log.args["baseToken"],)), (Config, (ALL,))]
        case "PoolAdded":
            return [(Market, (log.args["baseToken"],))]
        case "StatusUpdated":
            return [(Market, (log.contract.address,))]
        case "Initialize" | "Swap":
            return [(Market, (log.contract.subject,))]
        case _:
            return [(PoolState, (log.contract.address,))]


def fold(log: Log, state: State) -> None:
    """Applies a log to the rows it touches."""
    _FOLDS[log.event](log, state)


def _pool_added(log: Log, state: State) -> None:
    market = state.get(Market, log.args["baseToken"])
    state.put(replace(market, pool=log.args["pool"], uniswap_fee=log.args["feeRatio"]))


def _initialized(log: Log, state: State) -> None:
    market = state.get(Market, log.contract.subject)
    state.put(replace(market, sqrt_price_x96=log.args["sqrtPriceX96"]))


def _swapped(log: Log, state: State) -> None:
    market = state.get(Market, log.contract.subject)
    first = market.first_traded_timestamp or log.timestamp
    price = log.args["sqrtPriceX96"]
    state.put(replace(market, sqrt_price_x96=price, first_traded_timestamp=first))


def _provided(log: Log, state: State) -> None:
    pool, amount = state.get(PoolState, log.contract.address), log.args["amount"]
    change = amount if log.event == "Mint" else -amount
    state.put(replace(pool, liquidity=pool.liquidity + change))


def _remembers(log: Log, state: State) -> None:
    pool = state.get(PoolState, log.contract.address)
    state.put(replace(pool, observation_cardinality_next=log.args["observationCardinalityNextNew"]))


def _taxed(log: Log, state: State) -> None:
    pool = state.get(PoolState, log.contract.address)
    shares = log.args["feeProtocol0New"] + (log.args["feeProtocol1New"] << 4)
    state.put(replace(pool, fee_protocol=shares))


def _status(log: Log, state: State) -> None:
    market, status = state.get(Market, log.contract.address), log.args["status"]
    paused = log.timestamp if status == PAUSED else market.paused_timestamp
    state.put(replace(market, status=status, paused_timestamp=paused))


def _funding(log: Log, state: State) -> None:
    """Exchange.settleFunding: once per block, and once more after the market was paused."""
    market, config = state.get(Market, log.args["baseToken"]), state.get(Config, ALL)
    now = log.timestamp if market.status == OPEN else market.paused_timestamp
    settled = replace(market, last_settled_timestamp=now)
    if market.last_settled_timestamp not in (0, now):
        mean = log.args["marketTwap"]
        root = _mean_root(market, config, mean, now)
        added = growth(
            root or 0,
            log.args["indexTwap"],
            config.max_funding_rate,
            now - market.last_settled_timestamp,
        )
        settled = replace(
            settled,
            tw_premium_x96=market.tw_premium_x96 + added,
            growth_known=market.growth_known and root is not None,
        )
    state.put(settled)


def _mean_root(market: Market, config: Config, mean: int, now: int) -> int | None:
    """The square-root price behind what the event states to 1e18."""
    if window(market, config, now) < SHORTEST_MEAN:
        spot = market.sqrt_price_x96
        return spot if price_of(spot) == mean else None
    return root_of_mean(mean)


def _price(log: Log, state: State) -> None:
    """ChainlinkPriceFeedV3 takes over what its aggregator says, then CumulativeTwap._update."""
    reason = log.args["freezedReason"]
    feed = replace(state.get(PriceFeed, log.contract.address), freezed_reason=reason)
    if reason != NOT_FREEZED:
        state.put(feed)
        return
    price, timestamp = log.args["price"], log.args["timestamp"]
    feed = replace(feed, last_valid_price=price, last_valid_timestamp=timestamp)
    last, total = None, 0
    if feed.observation_index >= 0:
        last = state.get(PriceObservation, feed.price_feed, feed.observation_index)
        total = last.price_cumulative + last.price * (timestamp - last.timestamp)
    if last is None or last.price != price:
        here = feed.next_observation_index
        entry = PriceObservation(
            price_feed=feed.price_feed,
            index=here,
            price=price,
            price_cumulative=total,
            timestamp=timestamp,
        )
        state.put(entry)
        following = (here + 1) % MAX_OBSERVATION
        feed = replace(feed, observation_index=here, next_observation_index=following)
    state.put(feed)


_FOLDS: dict[str, Callable[[Log, State], None]] = {
    "PoolAdded": _pool_added,
    "Initialize": _initialized,
    "Swap": _swapped,
    "Mint": _provided,
    "Burn": _provided,
    "IncreaseObservationCardinalityNext": _remembers,
    "SetFeeProtocol": _taxed,
    "StatusUpdated": _status,
    "FundingUpdated": _funding,
    "ChainlinkPriceUpdated": _price,
}
