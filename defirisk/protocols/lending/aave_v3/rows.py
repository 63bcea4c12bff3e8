"""The state of an Aave v3 market: what the Pool, its configurator and its tokens store."""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import Row, Wide

RAY = 10**27


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve(Row, table="aave_v3_reserves", key=("asset",)):
    """`DataTypes.ReserveData` of one asset, with the names of the contract.

    Indexes and rates in ray, caps in whole tokens, `_bps` in 1/10,000; `liquidation_bonus_bps`
    contains the 100 % (10,500 is a bonus of 5 %). `*_raw` are base units of the asset, the scaled
    supplies divided by their index. `stable_debt`: somebody borrowed at a stable rate once. The
    parameters of rates are those that a strategy of v3.1 or later was given.
    """

    asset: str
    a_token: str = ZERO_ADDRESS
    variable_debt_token: str = ZERO_ADDRESS
    dropped: bool = False
    liquidity_index_ray: Wide = RAY
    variable_borrow_index_ray: Wide = RAY
    liquidity_rate_ray: Wide = 0
    variable_borrow_rate_ray: Wide = 0
    last_update_ts: int = 0
    scaled_supply_raw: Wide = 0
    scaled_variable_debt_raw: Wide = 0
    virtual_underlying_raw: Wide = 0
    deficit_raw: Wide = 0
    ltv_bps: int = 0
    pending_ltv_bps: int = 0
    liquidation_threshold_bps: int = 0
    liquidation_bonus_bps: int = 0
    liquidation_protocol_fee_bps: int = 0
    reserve_factor_bps: int = 0
    supply_cap: int = 0
    borrow_cap: int = 0
    unbacked_mint_cap: int = 0
    debt_ceiling: int = 0
    interest_rate_strategy: str = ZERO_ADDRESS
    optimal_usage_bps: int = 0
    base_rate_bps: int = 0
    slope1_bps: int = 0
    slope2_bps: int = 0
    grace_period_until_ts: int = 0
    emode_category_id: int = 0
    active: bool = False
    frozen: bool = False
    paused: bool = False
    borrowing_enabled: bool = False
    stable_borrowing_enabled: bool = False
    stable_debt: bool = False
    flash_loan_enabled: bool = False
    siloed_borrowing: bool = False
    borrowable_in_isolation: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestRateStrategy(Row, table="aave_v3_interest_rate_strategies", key=("strategy",)):
    """The immutables of a strategy of v3.0, in ray. Reserves may share one.

    -1 where it was not asked, or does not say.
    """

    strategy: str
    optimal_usage_ray: Wide = -1
    base_rate_ray: Wide = -1
    slope1_ray: Wide = -1
    slope2_ray: Wide = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class UserReserve(Row, table="aave_v3_user_reserves", key=("account", "asset")):
    """What one account holds and owes in one reserve.

    Scaled balances with the index at which each was last written (`getPreviousIndex`).
    """

    account: str
    asset: str
    scaled_a_token_raw: Wide = 0
    a_token_index_ray: Wide = RAY
    scaled_variable_debt_raw: Wide = 0
    variable_debt_index_ray: Wide = RAY
    used_as_collateral: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Row, table="aave_v3_accounts", key=("account",)):
    """What the Pool stores for one account over all reserves."""

    account: str
    emode_category_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EModeCategory(Row, table="aave_v3_emode_categories", key=("category_id",)):
    """The parameters of an efficiency mode. `price_source` is an asset, not a feed."""

    category_id: int
    ltv_bps: int = 0
    liquidation_threshold_bps: int = 0
    liquidation_bonus_bps: int = 0
    price_source: str = ZERO_ADDRESS
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EModeAsset(Row, table="aave_v3_emode_assets", key=("category_id", "asset")):
    """The three bitmaps of an efficiency mode, one row per asset."""

    category_id: int
    asset: str
    collateral: bool = False
    borrowable: bool = False
    ltvzero: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSource(Row, table="aave_v3_price_sources", key=("oracle", "asset")):
    """Which source an AaveOracle reads for an asset."""

    oracle: str
    asset: str
    source: str = ZERO_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceOracle(Row, table="aave_v3_price_oracles", key=("oracle",)):
    """An AaveOracle: its base currency (zero address: USD) and that currency's unit."""

    oracle: str
    base_currency: str = ZERO_ADDRESS
    base_currency_unit_raw: Wide = 10**8
    fallback_oracle: str = ZERO_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Price(Row, table="aave_v3_prices", key=("oracle", "asset")):
    """`AaveOracle.getAssetPrice`, read where a run ended; 0 where the view reverted."""

    oracle: str
    asset: str
    price_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolMarket(Row, table="aave_v3_markets", key=("pool",)):
    """The addresses that the market's PoolAddressesProvider names."""

    pool: str
    price_oracle: str = ZERO_ADDRESS
    price_oracle_sentinel: str = ZERO_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Donation(Row, table="aave_v3_donations", key=("asset",)):
    """What an aToken holds of its asset beyond what the Pool's events say.

    Read where a run ended, and only where the Pool does not count its cash itself.
    """

    asset: str
    amount_raw: Wide = 0


THE_POOL = "pool"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolCode(Row, table="aave_v3_pool_code", key=("role",)):
    """Which generation's rules the Pool and its tokens follow; one row, `role` is "pool".

    Both are the first `POOL_REVISION` of a generation: the one in force and the market's first.
    0 until the code was put there.
    """

    role: str
    since_revision: int = 0
    first_revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Implementation(Row, table="aave_v3_implementations", key=("proxy",)):
    """The code behind a proxy. `revision` is the code's own number, -1 until it was read."""

    proxy: str
    role: str = ""
    implementation: str = ZERO_ADDRESS
    revision: int = -1


ROWS = (
    Reserve,
    InterestRateStrategy,
    UserReserve,
    Account,
    EModeCategory,
    EModeAsset,
    PriceSource,
    PriceOracle,
    Price,
    PoolMarket,
    Donation,
    PoolCode,
    Implementation,
)
