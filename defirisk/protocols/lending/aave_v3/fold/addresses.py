"""Events of the price oracle and of the addresses provider.

Source: `IAaveOracle` and `IPoolAddressesProvider`, the same in @aave/core-v3 1.19.3 and
@aave-dao/aave-v3-origin 3.6.0.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from defirisk.core.adapter import Log
from defirisk.core.row import State
from defirisk.protocols.lending.aave_v3.fold.events import (
    Handler,
    On,
    Touched,
    of_contract,
    of_subject,
)
from defirisk.protocols.lending.aave_v3.rows import PoolMarket, PriceOracle, PriceSource


def _asset_source_updated(log: Log, state: State) -> None:
    state.put(
        PriceSource(oracle=log.contract.address, asset=log.args["asset"], source=log.args["source"])
    )


def _base_currency_set(log: Log, state: State) -> None:
    state.put(
        replace(
            state.get(PriceOracle, log.contract.address),
            base_currency=log.args["baseCurrency"],
            base_currency_unit_raw=log.args["baseCurrencyUnit"],
        )
    )


def _fallback_oracle_updated(log: Log, state: State) -> None:
    oracle = state.get(PriceOracle, log.contract.address)
    state.put(replace(oracle, fallback_oracle=log.args["fallbackOracle"]))


def _provider_points(column: str) -> Handler:
    def handle(log: Log, state: State) -> None:
        market = state.get(PoolMarket, log.contract.subject)
        changes: dict[str, Any] = {column: log.args["newAddress"]}
        state.put(replace(market, **changes))

    return handle


def _source(log: Log) -> Touched:
    return [(PriceSource, (log.contract.address, log.args["asset"]))]


ORACLE_EVENTS = {
    "AssetSourceUpdated": On(_source, _asset_source_updated),
    "BaseCurrencySet": On(of_contract(PriceOracle), _base_currency_set),
    "FallbackOracleUpdated": On(of_contract(PriceOracle), _fallback_oracle_updated),
}
PROVIDER_EVENTS = {
    "PriceOracleUpdated": On(of_subject(PoolMarket), _provider_points("price_oracle")),
    "PriceOracleSentinelUpdated": On(
        of_subject(PoolMarket), _provider_points("price_oracle_sentinel")
    ),
}
