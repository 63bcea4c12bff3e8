"""The state of a Morpho Blue singleton: its markets, positions, and what their oracles are made of.

Names are the contract's own. `_raw` are base units of the token, or shares; `_wad` is 1e18.
"""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import Row, Wide


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Row, table="morpho_blue_settings", key=("morpho",)):
    """What holds for all markets. Fee shares go to `fee_recipient` without a log of their own."""

    morpho: str
    fee_recipient: str = ZERO_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Market(Row, table="morpho_blue_markets", key=("market_id",)):
    """`MarketParams` and `Market` of one id, as of its last interaction (`last_update_ts`).

    `prev_borrow_rate_wad` is the rate per second that the last AccrueInterest stated.
    """

    market_id: str
    created_block: int = 0
    loan_token: str = ZERO_ADDRESS
    collateral_token: str = ZERO_ADDRESS
    oracle: str = ZERO_ADDRESS
    irm: str = ZERO_ADDRESS
    lltv_wad: Wide = 0
    total_supply_assets_raw: Wide = 0
    total_supply_shares_raw: Wide = 0
    total_borrow_assets_raw: Wide = 0
    total_borrow_shares_raw: Wide = 0
    last_update_ts: int = 0
    fee_wad: Wide = 0
    prev_borrow_rate_wad: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Position(Row, table="morpho_blue_positions", key=("market_id", "account")):
    """`Position` of one account in one market."""

    market_id: str
    account: str
    supply_shares_raw: Wide = 0
    borrow_shares_raw: Wide = 0
    collateral_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle(Row, table="morpho_blue_oracles", key=("oracle",)):
    """What an oracle says it is made of: immutables, read where a run ends.

    `scale_factor` is 0 where it is not of the kind of Morpho's own oracles over Chainlink feeds.
    """

    oracle: str
    base_vault: str = ZERO_ADDRESS
    quote_vault: str = ZERO_ADDRESS
    base_feed_1: str = ZERO_ADDRESS
    base_feed_2: str = ZERO_ADDRESS
    quote_feed_1: str = ZERO_ADDRESS
    quote_feed_2: str = ZERO_ADDRESS
    scale_factor: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OracleVaults(Row, table="morpho_blue_oracle_vaults", key=("oracle",)):
    """Of how many shares of each vault an oracle asks the worth: immutables, 1 without a vault."""

    oracle: str
    base_sample_raw: Wide = 0
    quote_sample_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OraclePrice(Row, table="morpho_blue_prices", key=("oracle",)):
    """`price()` as it was read where a run ended; 0 where it reverted."""

    oracle: str
    price_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed(Row, table="morpho_blue_feeds", key=("feed",)):
    """A feed's own words on what it prices, such as "ETH / USD": text that anybody may choose."""

    feed: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Irm(Row, table="morpho_blue_irms", key=("irm",)):
    """An interest rate model. `proportional`: whenever it was asked, its rate was the market's
    utilisation per year, so that its rate is known at every block.
    """

    irm: str
    asked: bool = False
    proportional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BorrowRate(Row, table="morpho_blue_borrow_rates", key=("market_id",)):
    """`borrowRateView` per second as it was read where a run ended, for the state that the market
    had since `last_update_ts`.
    """

    market_id: str
    rate_wad: Wide = 0
    last_update_ts: int = 0


ROWS: tuple[type[Row], ...] = (
    Settings,
    Market,
    Position,
    Oracle,
    OracleVaults,
    OraclePrice,
    Feed,
    Irm,
    BorrowRate,
)
