"""The state of Perp Curie: markets, positions as takers, orders of makers, balances, prices.

Sizes, notionals and prices are 1e18, ratios parts of a million, growths Q96 with sign. Balances of
the vault are base units of their token.
"""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import Row, Wide

WAD = 10**18
RATIO = 10**6
DUST = 10
"""`AccountBalance._DUST`: sizes below it count as 0."""
ALL = "all"
"""The one key of rows of which a deployment has one."""
OPEN, PAUSED, CLOSED = 0, 1, 2
"""`IBaseToken.Status`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(Row, table="perp_curie_configs", key=("scope",)):
    """What has events in ClearingHouseConfig, with the values of `initialize`; seconds, ratios."""

    scope: str
    liquidation_penalty_ratio: int = 25_000
    twap_interval: int = 900
    max_funding_rate: int = 100_000
    market_twap_interval: int = 1_800
    premium_interval: int = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginRatios(Row, table="perp_curie_margin_ratios", key=("scope",)):
    """What has no event: read where a run ends; 0 until then."""

    scope: str
    im_ratio: int = 0
    mm_ratio: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Market(Row, table="perp_curie_markets", key=("base_token",)):
    """A market and its funding. `tw_premium_x96` is the growth that a token has paid in seconds.

    `sqrt_price_x96` is the pool's; `growth_known` ends where a FundingUpdated states a mean that no
    tick has.
    """

    base_token: str
    pool: str = ZERO_ADDRESS
    uniswap_fee: int = 0
    status: int = OPEN
    paused_timestamp: int = 0
    sqrt_price_x96: Wide = 0
    first_traded_timestamp: int = 0
    last_settled_timestamp: int = 0
    tw_premium_x96: Wide = 0
    growth_known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolState(Row, table="perp_curie_pools", key=("pool",)):
    """What a market's pool holds for makers, over all ranges, and how far it is told to remember.

    `fee_protocol` is as in slot0. All liquidity is the order book's: orders have to add up to it.
    """

    pool: str
    liquidity: Wide = 0
    observation_cardinality_next: int = 1
    fee_protocol: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSource(Row, table="perp_curie_price_sources", key=("base_token",)):
    """The PriceFeedDispatcher of a market: read, or as PriceFeedChanged said."""

    base_token: str
    dispatcher: str = ZERO_ADDRESS
    said: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatcher(Row, table="perp_curie_dispatchers", key=("dispatcher",)):
    """What a dispatcher reads, which never changes."""

    dispatcher: str
    price_feed: str = ZERO_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback(Row, table="perp_curie_fallbacks", key=("dispatcher",)):
    """The Uniswap feed that a dispatcher turns to once the other is silent for too long."""

    dispatcher: str
    uniswap_feed: str = ZERO_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedConstants(Row, table="perp_curie_feed_constants", key=("price_feed",)):
    """What a ChainlinkPriceFeedV3 is made of."""

    price_feed: str
    aggregator: str = ZERO_ADDRESS
    decimals: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFeed(Row, table="perp_curie_price_feeds", key=("price_feed",)):
    """What a ChainlinkPriceFeedV3 took over last, where in its ring the newest entry is and where
    the next one will be. `freezed_reason`: why the aggregator's last answer was refused, 0 if not.
    """

    price_feed: str
    last_valid_price: Wide = 0
    last_valid_timestamp: int = 0
    observation_index: int = -1
    next_observation_index: int = 0
    freezed_reason: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceObservation(Row, table="perp_curie_price_observations", key=("price_feed", "index")):
    """An entry of the ring: the price since `timestamp`, and the sum of price times seconds."""

    price_feed: str
    index: int
    price: Wide = 0
    price_cumulative: Wide = 0
    timestamp: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Row, table="perp_curie_accounts", key=("account",)):
    """The settlement balance in the vault, and profits (1e18) that are not in it yet.

    `latest_market` is the base token that the account came to last; its `AccountMarket` says which
    one before.
    """

    account: str
    balance_raw: Wide = 0
    owed_realized_pnl: Wide = 0
    latest_market: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMarket(Row, table="perp_curie_account_markets", key=("account", "base_token")):
    """`AccountMarket.Info`, how many open orders there are, and where the last PositionChanged was
    in the chain: a removal of liquidity says so right after it.

    `earlier_market` is the account's one before this (see `Account`), once `listed`.
    """

    account: str
    base_token: str
    taker_position_size: Wide = 0
    taker_open_notional: Wide = 0
    last_tw_premium_growth_global_x96: Wide = 0
    orders: int = 0
    changed_block: int = 0
    changed_log_index: int = 0
    listed: bool = False
    earlier_market: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(
    Row, table="perp_curie_orders", key=("account", "base_token", "lower_tick", "upper_tick")
):
    """`OpenOrder.Info` without what only a swap's path tells: the growths inside the range."""

    account: str
    base_token: str
    lower_tick: int
    upper_tick: int
    liquidity: Wide = 0
    base_debt: Wide = 0
    quote_debt: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MakerRead(Row, table="perp_curie_maker_reads", key=("account", "base_token")):
    """What orders earned and owe as read where a run ended, at `read_block`; 1e18."""

    account: str
    base_token: str
    pending_fee: Wide = 0
    pending_funding: Wide = 0
    read_block: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Collateral(Row, table="perp_curie_collaterals", key=("account", "token")):
    """What an account has in the vault beside the settlement token."""

    account: str
    token: str
    balance_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CollateralConfig(Row, table="perp_curie_collateral_configs", key=("token",)):
    """What the CollateralManager lists; the settlement token is not among it."""

    token: str
    listed: bool = False
    price_feed: str = ZERO_ADDRESS
    collateral_ratio: int = 0
    discount_ratio: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InsuranceLedger(Row, table="perp_curie_insurance_ledgers", key=("scope",)):
    """What the insurance fund's balance in the vault gave for bad debt, and got of collateral that
    was liquidated: base units of the settlement token.
    """

    scope: str
    bad_debt_raw: Wide = 0
    fees_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InsuranceWallet(Row, table="perp_curie_insurance_wallets", key=("scope",)):
    """Settlement tokens that the insurance fund holds itself, read where a run ended."""

    scope: str
    balance_raw: Wide = 0
    read_block: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PausedPrice(Row, table="perp_curie_paused_prices", key=("base_token",)):
    """What a market that is not open is settled at, read; 0 while it is open."""

    base_token: str
    paused_index_price: Wide = 0
    closed_price: Wide = 0


ROWS: tuple[type[Row], ...] = (
    Config,
    MarginRatios,
    Market,
    PoolState,
    PriceSource,
    Dispatcher,
    Fallback,
    FeedConstants,
    PriceFeed,
    PriceObservation,
    Account,
    AccountMarket,
    Order,
    MakerRead,
    Collateral,
    CollateralConfig,
    InsuranceLedger,
    InsuranceWallet,
    PausedPrice,
)
