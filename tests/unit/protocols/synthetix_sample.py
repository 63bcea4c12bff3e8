"""A market of Perps V2 in rows, as the unit tests need it."""

from __future__ import annotations

from typing import Any

from defirisk.core.adapter import Answer, Deployment, Snapshot
from defirisk.core.evm import Block
from defirisk.protocols.perps.synthetix_perps_v2 import ADAPTER
from defirisk.protocols.perps.synthetix_perps_v2.arithmetic import DAY, Settings
from defirisk.protocols.perps.synthetix_perps_v2.rows import (
    UNIT,
    Aggregator,
    Market,
    NamedAddress,
    Parameter,
    Position,
)
from tests.unit.protocols.rows_in_memory import RowsInMemory

MARKET, ACCOUNT, FEED = "0x" + "a1" * 20, "0x" + "b2" * 20, "0x" + "c3" * 20
RATES, KEEPER = "0x" + "d4" * 20, "0x" + "e5" * 20
NOW = 1_700_000_000
SETTINGS = Settings(
    skew_scale=1_000_000 * UNIT,
    max_funding_velocity=9 * UNIT,
    max_leverage=55 * UNIT,
    liquidation_buffer_ratio=75 * 10**14,
    liquidation_premium_multiplier=15_625 * 10**14,
    liquidation_fee_ratio=35 * 10**14,
    min_keeper_fee=UNIT,
    max_keeper_fee=1_000 * UNIT,
    keeper_liquidation_fee=2 * UNIT,
    min_initial_margin=50 * UNIT,
)


def snapshot(*rows: Any, price: int = 2_000 * 10**8, updated: int = NOW) -> Snapshot:
    """A market of `SETTINGS` with one feed of 8 decimals."""
    per_market = {
        "skewScale": SETTINGS.skew_scale,
        "maxFundingVelocity": SETTINGS.max_funding_velocity,
        "maxLeverage": SETTINGS.max_leverage,
        "liquidationBufferRatio": SETTINGS.liquidation_buffer_ratio,
        "liquidationPremiumMultiplier": SETTINGS.liquidation_premium_multiplier,
    }
    for_all = {
        "liquidationFeeRatio": SETTINGS.liquidation_fee_ratio,
        "minKeeperFee": SETTINGS.min_keeper_fee,
        "maxKeeperFee": SETTINGS.max_keeper_fee,
        "keeperLiquidationFee": SETTINGS.keeper_liquidation_fee,
        "minInitialMargin": SETTINGS.min_initial_margin,
        "rateStalePeriod": DAY,
        "priceDeviationThresholdFactor": 3 * UNIT,
    }
    parameters = {"sETHPERP": per_market, "": for_all}
    state = RowsInMemory(
        NamedAddress(name="ExchangeRates", address=RATES),
        Aggregator(exchange_rates=RATES, currency_key="sETH", feed=FEED),
        Market(
            market=MARKET,
            market_key="sETHPERP",
            base_asset="sETH",
            listed=True,
            funding_last_recomputed_ts=NOW,
        ),
        *(
            Parameter(market_key=key, parameter=name, value_raw=value)
            for key, values in parameters.items()
            for name, value in values.items()
        ),
        *rows,
    )
    answer = Answer(price=price, decimals=8, updated_at=updated, grade="logs")
    return Snapshot(
        deployment=Deployment(name="perps", protocol=ADAPTER.name, chain_id=1),
        block=Block(number=1, hash="", parent_hash="", timestamp=NOW),
        rows=state,
        tokens={},
        answers={FEED: answer},
    )


HELD = Position(
    market=MARKET,
    account=ACCOUNT,
    position_id=1,
    last_funding_index=1,
    margin_wad=1_000 * UNIT,
    last_price_wad=2_000 * UNIT,
    size_wad=5 * UNIT,
)
