"""The state of a Compound v2 market: what the Comptroller, its cTokens and their models store."""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import Row, Wide

MANTISSA = 10**18
"""The scale of factors, indexes, rates and exchange rates (`mantissaOne`, `expScale`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comptroller(Row, table="compound_v2_comptrollers", key=("comptroller",)):
    """What the Comptroller stores for all markets; `_mantissa` is 1e18.

    `liquidation_incentive_mantissa` contains the 100 % (1.08e18 is a bonus of 8 %).
    """

    comptroller: str
    price_oracle: str = ZERO_ADDRESS
    close_factor_mantissa: Wide = 0
    liquidation_incentive_mantissa: Wide = 0
    transfer_paused: bool = False
    seize_paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CToken(Row, table="compound_v2_c_tokens", key=("c_token",)):
    """One market: a cToken's storage, and what the Comptroller stores about it.

    `total_supply_raw` is in cTokens (8 decimals), the other `_raw` in base units of the underlying,
    all as of `accrual_block_number`. A borrow cap of 0 is none. `cash_raw` is what the underlying
    says that the cToken holds; `cash_read` where it was asked since logs did not add up to it.
    `last_to_self_raw` is the latest Transfer to the cToken itself, which a seizure burns.
    """

    c_token: str
    listed: bool = False
    collateral_factor_mantissa: Wide = 0
    reserve_factor_mantissa: Wide = 0
    interest_rate_model: str = ZERO_ADDRESS
    accrual_block_number: int = 0
    borrow_index_mantissa: Wide = MANTISSA
    total_borrows_raw: Wide = 0
    total_reserves_raw: Wide = 0
    total_supply_raw: Wide = 0
    cash_raw: Wide = 0
    cash_read: bool = False
    last_to_self_raw: Wide = 0
    borrow_cap_raw: Wide = 0
    mint_paused: bool = False
    borrow_paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMarket(Row, table="compound_v2_account_markets", key=("account", "c_token")):
    """What one account holds and owes in one market.

    `tokens_raw` cTokens (`accountTokens`); `principal_raw` base units of the underlying, owed when
    the borrow index was `interest_index_mantissa` (`BorrowSnapshot`).
    """

    account: str
    c_token: str
    entered: bool = False
    tokens_raw: Wide = 0
    principal_raw: Wide = 0
    interest_index_mantissa: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestRateModel(Row, table="compound_v2_interest_rate_models", key=("model",)):
    """The parameters of a rate model, per block and 1e18, as its NewInterestParams stated them.

    `kind` is "jump", "white paper", or empty where the model never stated any.
    """

    model: str
    kind: str = ""
    base_rate_per_block_mantissa: Wide = 0
    multiplier_per_block_mantissa: Wide = 0
    jump_multiplier_per_block_mantissa: Wide = 0
    kink_mantissa: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RateModelConstants(Row, table="compound_v2_rate_model_constants", key=("model",)):
    """What never changes in a rate model and no log says.

    `blocks_per_year` is the getter's, by which the model was given yearly rates; 0 without one.
    """

    model: str
    blocks_per_year: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFeed(Row, table="compound_v2_price_feeds", key=("price_oracle", "c_token")):
    """Which feed a price oracle reads for a cToken, where the oracle says so in a FeedSet."""

    price_oracle: str
    c_token: str
    feed: str = ZERO_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Price(Row, table="compound_v2_prices", key=("price_oracle", "c_token")):
    """`getUnderlyingPrice`, read where a run ended: 10^(36 - decimals), -1 where it reverted."""

    price_oracle: str
    c_token: str
    price_mantissa: Wide = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class CTokenConstants(Row, table="compound_v2_c_token_constants", key=("c_token",)):
    """What never changes in a cToken and no log says.

    `native` where it has no `underlying()`: it holds the chain's own coin.
    `initial_exchange_rate_mantissa` has no getter: it is what `exchangeRateStored` answered while
    there were no cTokens, 0 where that was never seen.
    """

    c_token: str
    underlying: str = ZERO_ADDRESS
    native: bool = False
    initial_exchange_rate_mantissa: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RatesRead(Row, table="compound_v2_rates_read", key=("c_token",)):
    """`borrowRatePerBlock` and `supplyRatePerBlock` as read where a run ended, 1e18."""

    c_token: str
    borrow_rate_per_block_mantissa: Wide = 0
    supply_rate_per_block_mantissa: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Implementation(Row, table="compound_v2_implementations", key=("contract",)):
    """The code of a Comptroller or cToken; the zero address where it is no proxy.

    `proven` where it answers to a getter that came with the code our numbers were compared with.
    """

    contract: str
    role: str = ""
    implementation: str = ZERO_ADDRESS
    proven: bool = False


ROWS = (
    Comptroller,
    CToken,
    AccountMarket,
    InterestRateModel,
    RateModelConstants,
    PriceFeed,
    Price,
    CTokenConstants,
    RatesRead,
    Implementation,
)
