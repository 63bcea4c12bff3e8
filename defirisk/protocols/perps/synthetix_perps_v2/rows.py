"""The state of Perps V2: what markets, their settings and the rates behind them store."""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import Row, Wide

UNIT = 10**18
"""The scale of amounts, prices and ratios (`SafeDecimalMath.UNIT`); in names, `_wad`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedAddress(Row, table="synthetix_perps_v2_names", key=("name",)):
    """A contract of the system, by the name under which the AddressResolver knows it."""

    name: str
    address: str = ZERO_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Market(Row, table="synthetix_perps_v2_markets", key=("market",)):
    """One market, by the address of its proxy. Sizes are of the base asset, `_wad` 1e18.

    `listed` while the FuturesMarketManager has it. `funding_wad` is the last entry of the funding
    sequence, at `funding_index`: sUSD per base unit since the market began, with the sign of what
    longs receive. `funding_rate_wad` is per day, at `funding_last_recomputed_ts`.
    """

    market: str
    market_key: str = ""
    base_asset: str = ""
    listed: bool = False
    market_size_wad: Wide = 0
    market_skew_wad: Wide = 0
    entry_debt_correction_wad: Wide = 0
    funding_index: int = 0
    funding_wad: Wide = 0
    funding_rate_wad: Wide = 0
    funding_last_recomputed_ts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketCode(Row, table="synthetix_perps_v2_market_codes", key=("market",)):
    """Whether a market is a proxy that routes to its parts, as those of Perps V2 are.

    The manager also lists markets of the generation before, which are none.
    """

    market: str
    routed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Position(Row, table="synthetix_perps_v2_positions", key=("market", "account")):
    """What one account has in one market (`PerpsV2MarketState.positions`).

    `funding_wad` is the entry of the funding sequence at `last_funding_index`. `flagger` is who
    flagged it for liquidation, the zero address while nobody did.
    """

    market: str
    account: str
    position_id: int = 0
    last_funding_index: int = 0
    margin_wad: Wide = 0
    last_price_wad: Wide = 0
    size_wad: Wide = 0
    funding_wad: Wide = 0
    flagger: str = ZERO_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayedOrder(Row, table="synthetix_perps_v2_delayed_orders", key=("market", "account")):
    """An order to be carried out later; a size of 0 where there is none."""

    market: str
    account: str
    size_delta_wad: Wide = 0
    is_offchain: bool = False
    target_round_id: Wide = 0
    intention_time_ts: int = 0
    executable_at_ts: int = 0
    keeper_deposit_wad: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter(Row, table="synthetix_perps_v2_parameters", key=("market_key", "parameter")):
    """A setting in the contract's own name. An empty market key: of all markets."""

    market_key: str
    parameter: str
    value_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregator(
    Row, table="synthetix_perps_v2_aggregators", key=("exchange_rates", "currency_key")
):
    """The feed that an ExchangeRates asks for the rate of an asset."""

    exchange_rates: str
    currency_key: str
    feed: str = ZERO_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension(Row, table="synthetix_perps_v2_suspensions", key=("section", "subject")):
    """Whether a part of the system, a synth or a market is suspended. `subject` is its key."""

    section: str
    subject: str
    suspended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRead(Row, table="synthetix_perps_v2_rates_read", key=("feed",)):
    """What the CircuitBreaker thinks of a feed, read where a run ended.

    `last_value_wad` is the rate that somebody traded at last: no log states it.
    """

    feed: str
    last_value_wad: Wide = 0
    circuit_broken: bool = False


ROWS = (
    NamedAddress,
    Market,
    MarketCode,
    Position,
    DelayedOrder,
    Parameter,
    Aggregator,
    Suspension,
    RateRead,
)
