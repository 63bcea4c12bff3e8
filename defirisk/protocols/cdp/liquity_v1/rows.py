"""The state of a Liquity v1: what its manager of troves, its pools and its price feed store."""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import Row, Wide

WAD = 10**18
"""`DECIMAL_PRECISION`: the scale of ratios, rates, prices and amounts alike."""
NON_EXISTENT, ACTIVE, CLOSED_BY_OWNER, CLOSED_BY_LIQUIDATION, CLOSED_BY_REDEMPTION = range(5)
"""`TroveManagerStorage.Status`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System(Row, table="liquity_v1_systems", key=("trove_manager",)):
    """What holds for all troves together.

    `l_coll_wad` and `l_debt_wad` are `L_ETH` and `L_ZUSDDebt`: what was redistributed in all to
    each unit of stake, times 1e18. The active pool has what troves state themselves, the default
    pool what is pending for them.
    """

    trove_manager: str
    borrower_operations: str = ZERO_ADDRESS
    active_pool: str = ZERO_ADDRESS
    default_pool: str = ZERO_ADDRESS
    stability_pool: str = ZERO_ADDRESS
    coll_surplus_pool: str = ZERO_ADDRESS
    price_feed: str = ZERO_ADDRESS
    debt_token: str = ZERO_ADDRESS
    l_coll_wad: Wide = 0
    l_debt_wad: Wide = 0
    base_rate_wad: Wide = 0
    last_fee_operation_ts: int = 0
    total_stakes_snapshot_raw: Wide = 0
    total_collateral_snapshot_raw: Wide = 0
    active_coll_raw: Wide = 0
    active_debt_raw: Wide = 0
    default_coll_raw: Wide = 0
    default_debt_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trove(Row, table="liquity_v1_troves", key=("borrower",)):
    """A trove as it is stored, without what is pending; `status` is the contract's.

    `l_coll_snapshot_wad` and `l_debt_snapshot_wad` (`rewardSnapshots`) are the terms up to which
    redistributions are in it.
    """

    borrower: str
    debt_raw: Wide = 0
    coll_raw: Wide = 0
    stake_raw: Wide = 0
    status: int = NON_EXISTENT
    l_coll_snapshot_wad: Wide = 0
    l_debt_snapshot_wad: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StabilityPool(Row, table="liquity_v1_stability_pools", key=("pool",)):
    """`p_wad`: what is left of a unit of deposit after all debts it absorbed, in this epoch, times
    1e18 and 1e9 to the power of the scale.
    """

    pool: str
    p_wad: Wide = WAD
    epoch: int = 0
    scale: int = 0
    deposits_raw: Wide = 0
    coll_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSums(Row, table="liquity_v1_pool_sums", key=("pool", "epoch", "scale")):
    """`epochToScaleToSum` and `epochToScaleToG`: what a unit of deposit got, in collateral and in
    the reward token, times P.
    """

    pool: str
    epoch: int
    scale: int
    s: Wide = 0
    g: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit(Row, table="liquity_v1_deposits", key=("depositor",)):
    """What somebody put into the stability pool, and `depositSnapshots` of that moment."""

    depositor: str
    initial_raw: Wide = 0
    p_wad: Wide = 0
    s: Wide = 0
    g: Wide = 0
    epoch: int = 0
    scale: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Surplus(Row, table="liquity_v1_surpluses", key=("account",)):
    """Collateral that is left of a trove others closed, for its owner to claim."""

    account: str
    coll_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFeed(Row, table="liquity_v1_price_feeds", key=("price_feed",)):
    """What the price feed asks, first `main` and then `backup`, and what it answered last."""

    price_feed: str
    main: str = ZERO_ADDRESS
    backup: str = ZERO_ADDRESS
    last_good_price_wad: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregator(Row, table="liquity_v1_aggregators", key=("contract",)):
    """The feed that a price feed, or what it asks, reads (`priceAggregator`)."""

    contract: str
    aggregator: str = ZERO_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRead(Row, table="liquity_v1_prices_read", key=("price_feed",)):
    """`fetchPrice` as asked where a run ended; -1 where it reverted."""

    price_feed: str
    price_wad: Wide = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemParameters(Row, table="liquity_v1_parameters", key=("trove_manager",)):
    """Parameters, which no log ever states: read where a run ended; 0 where nothing answered.

    `debt_name` is by what name the getters call the debt: "ZUSD" or "LUSD". `base_params` is the
    contract that has those which the owner can change; the zero address where they are constants.
    """

    trove_manager: str
    base_params: str = ZERO_ADDRESS
    debt_name: str = ""
    mcr_wad: Wide = 0
    ccr_wad: Wide = 0
    gas_compensation_raw: Wide = 0
    min_net_debt_raw: Wide = 0
    percent_divisor: Wide = 0
    borrowing_fee_floor_wad: Wide = 0
    redemption_fee_floor_wad: Wide = 0
    max_borrowing_fee_wad: Wide = 0


ROWS = (
    System,
    Trove,
    StabilityPool,
    PoolSums,
    Deposit,
    Surplus,
    PriceFeed,
    Aggregator,
    PriceRead,
    SystemParameters,
)
