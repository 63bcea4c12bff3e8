"""Logs of Perp Curie, applied to its rows.

Source: ClearingHouse, AccountBalance, Exchange, OrderBook, Vault and BaseToken of npm
@perp/curie-contract 2.8.4, ChainlinkPriceFeedV3 of @perp/perp-oracle-contract 0.6.7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from defirisk.core.adapter import Log
from defirisk.core.row import Key, Row, State
from defirisk.protocols.perps.perp_curie import fold_accounts, fold_markets
from defirisk.protocols.perps.perp_curie.rows import (
    ALL,
    CollateralConfig,
    Config,
    Fallback,
    PriceSource,
)

CONFIG = {
    "LiquidationPenaltyRatioChanged": ("liquidation_penalty_ratio", "liquidationPenaltyRatio"),
    "TwapIntervalChanged": ("twap_interval", "twapInterval"),
    "MaxFundingRateChanged": ("max_funding_rate", "rate"),
    "MarkPriceMarketTwapIntervalChanged": ("market_twap_interval", "twapInterval"),
    "MarkPricePremiumIntervalChanged": ("premium_interval", "premiumInterval"),
}
EVENTS: dict[str, tuple[str, ...]] = {
    "clearing_house": (
        *("PositionChanged", "LiquidityChanged", "PositionClosed"),
        "FundingPaymentSettled",
    ),
    "account_balance": ("PnlRealized",),
    "exchange": ("FundingUpdated",),
    "vault": ("Deposited", "Withdrawn", "CollateralLiquidated", "BadDebtSettled"),
    "clearing_house_config": tuple(CONFIG),
    "market_registry": ("PoolAdded",),
    "collateral_manager": (
        "CollateralAdded",
        "PriceFeedChanged",
        "CollateralRatioChanged",
        "DiscountRatioChanged",
    ),
    "base_token": ("StatusUpdated", "PriceFeedChanged"),
    "dispatcher": ("UniswapV3PriceFeedUpdated",),
    "price_feed": ("ChainlinkPriceUpdated",),
    # A contract's logs are fetched once for all who watch it: these are all that a pool needs.
    "pool": (
        *("Initialize", "Swap", "Mint", "Burn"),
        *("IncreaseObservationCardinalityNext", "SetFeeProtocol"),
    ),
}


def touches(log: Log) -> list[tuple[type[Row], Key]]:
    """The rows that a log reads or writes; more where the account's row says which markets."""
    match log.contract.role:
        case "clearing_house_config":
            return [(Config, (ALL,))]
        case "collateral_manager":
            return [(CollateralConfig, (log.args["token"],))]
        case "dispatcher":
            return [(Fallback, (log.contract.address,))]
        case "base_token" if log.event == "PriceFeedChanged":
            return [(PriceSource, (log.contract.address,))]
        case "clearing_house" | "account_balance" | "vault":
            return fold_accounts.touches(log)
        case _:
            return fold_markets.touches(log)


def fold(log: Log, state: State) -> None:
    """Applies a log to the rows it touches."""
    match log.contract.role:
        case "clearing_house_config":
            column, argument = CONFIG[log.event]
            changes: dict[str, Any] = {column: log.args[argument]}
            state.put(replace(state.get(Config, ALL), **changes))
        case "collateral_manager":
            _COLLATERAL[log.event](log, state)
        case "dispatcher":
            feed = log.args["uniswapV3PriceFeed"]
            state.put(Fallback(dispatcher=log.contract.address, uniswap_feed=feed))
        case "base_token" if log.event == "PriceFeedChanged":
            source = PriceSource(
                base_token=log.contract.address, dispatcher=log.args["priceFeed"], said=True
            )
            state.put(source)
        case "clearing_house" | "account_balance" | "vault":
            fold_accounts.fold(log, state)
        case _:
            fold_markets.fold(log, state)


def _added(log: Log, state: State) -> None:
    args = log.args
    state.put(
        CollateralConfig(
            token=args["token"],
            listed=True,
            price_feed=args["priceFeed"],
            collateral_ratio=args["collateralRatio"],
            discount_ratio=args["discountRatio"],
        )
    )


def _changed(column: str, argument: str) -> Callable[[Log, State], None]:
    def change(log: Log, state: State) -> None:
        changes: dict[str, Any] = {column: log.args[argument]}
        state.put(replace(state.get(CollateralConfig, log.args["token"]), **changes))

    return change


_COLLATERAL: dict[str, Callable[[Log, State], None]] = {
    "CollateralAdded": _added,
    "PriceFeedChanged": _changed("price_feed", "priceFeed"),
    "CollateralRatioChanged": _changed("collateral_ratio", "collateralRatio"),
    "DiscountRatioChanged": _changed("discount_ratio", "discountRatio"),
}
