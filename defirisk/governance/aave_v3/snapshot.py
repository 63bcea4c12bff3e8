"""A market's configuration in the form of Aave's own before and after snapshots.

Form: reports/*.json of github bgd-labs/aave-helpers (MIT) and its schema in
packages/aave-helpers-js/snapshot-types.ts, for Pools since v3.2: reserves by their checksummed
address, e-modes with bitmaps over reserve ids, strategies by asset. What no log says (`words`) is
left out where the node was not asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from defirisk.core.adapter import Snapshot
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.governance.aave_v3.checksum import checksum
from defirisk.governance.aave_v3.words import Words
from defirisk.protocols.lending.aave_v3.market_now import MarketNow, market_now
from defirisk.protocols.lending.aave_v3.rows import EModeAsset, EModeCategory, PoolMarket, Reserve

RAY_PER_BPS = 10**23


def configuration(snapshot: Snapshot, words: Words) -> dict[str, Any]:
    """The snapshot, with integers as the contracts store them."""
    market = market_now(snapshot)
    listed = sorted(market.reserves)
    pool = snapshot.deployment.contracts["pool"]
    ids = {asset: at for at, asset in enumerate(words.of("getReservesList", pool) or ())}
    if any(reserve.dropped for reserve in snapshot.rows.all(Reserve)):
        ids = {}  # the list closes up over what was dropped, ids do not
    made = {
        "chainId": snapshot.deployment.chain_id,
        "eModes": _e_modes(snapshot, ids),
        "poolConfig": _pool_config(snapshot, market, words),
        "reserves": {
            checksum(asset): {
                **_reserve(snapshot, market, asset),
                **_read(market, asset, ids, words),
            }
            for asset in listed
        },
        "strategies": {
            checksum(asset): _strategy(market.reserves[asset].reserve, words) for asset in listed
        },
    }
    return {key: _known(value) for key, value in made.items()}


def _known(value: Any) -> Any:
    """Keys in order, those of unknown values left out."""
    if not isinstance(value, dict):
        return value
    return {key: _known(value[key]) for key in sorted(value) if value[key] is not None}


def _pool_config(snapshot: Snapshot, market: MarketNow, words: Words) -> dict[str, str | None]:
    contracts = snapshot.deployment.contracts
    row = snapshot.rows.find(PoolMarket, contracts["pool"])
    provider = words.of("getPoolDataProvider", contracts["pool_addresses_provider"])
    return {
        "oracle": checksum(market.oracle),
        "pool": checksum(contracts["pool"]),
        "poolAddressesProvider": checksum(contracts["pool_addresses_provider"]),
        "poolConfigurator": checksum(contracts["pool_configurator"]),
        "priceOracleSentinel": checksum(row.price_oracle_sentinel if row else ZERO_ADDRESS),
        "protocolDataProvider": checksum(provider) if provider else None,
    }


def _e_modes(snapshot: Snapshot, ids: Mapping[Address, int]) -> dict[str, Any]:
    assets = list(snapshot.rows.all(EModeAsset))

    def bitmap(category: int, flag: str) -> str | None:
        chosen = [one for one in assets if one.category_id == category and getattr(one, flag)]
        if any(one.asset not in ids for one in chosen):
            return None
        return str(sum(1 << ids[one.asset] for one in chosen))

    return {
        str(one.category_id): {
            "borrowableBitmap": bitmap(one.category_id, "borrowable"),
            "collateralBitmap": bitmap(one.category_id, "collateral"),
            "eModeCategory": one.category_id,
            "label": one.label,
            "liquidationBonus": one.liquidation_bonus_bps,
            "liquidationThreshold": one.liquidation_threshold_bps,
            "ltv": one.ltv_bps,
            "ltvzeroBitmap": bitmap(one.category_id, "ltvzero"),
        }
        for one in snapshot.rows.all(EModeCategory)
    }


def _reserve(snapshot: Snapshot, market: MarketNow, asset: Address) -> dict[str, Any]:
    """What the rows say."""
    now, price = market.reserves[asset], market.prices[asset]
    row, token = now.reserve, snapshot.tokens.get(asset)
    return {
        "aToken": checksum(row.a_token),
        "borrowCap": row.borrow_cap,
        "borrowingEnabled": row.borrowing_enabled,
        "debtCeiling": row.debt_ceiling,
        "decimals": token.decimals if token else None,
        "isActive": row.active,
        "isBorrowableInIsolation": row.borrowable_in_isolation,
        "isFlashloanable": row.flash_loan_enabled,
        "isFrozen": row.frozen,
        "isPaused": row.paused,
        "isSiloed": row.siloed_borrowing,
        "liquidationBonus": row.liquidation_bonus_bps,
        "liquidationProtocolFee": row.liquidation_protocol_fee_bps,
        "liquidationThreshold": row.liquidation_threshold_bps,
        "ltv": row.ltv_bps,
        "oracle": checksum(price.source),
        "oracleDecimals": len(str(market.base_currency_unit)) - 1,
        "oracleLatestAnswer": None if price.price is None else str(price.price),
        "reserveFactor": row.reserve_factor_bps,
        "supplyCap": row.supply_cap,
        "symbol": token.symbol if token else "",
        "underlying": checksum(asset),
        "usageAsCollateralEnabled": row.liquidation_threshold_bps != 0,
        "variableDebtToken": checksum(row.variable_debt_token),
        "virtualBalance": str(row.virtual_underlying_raw),
        **({"pendingLtv": row.pending_ltv_bps} if row.pending_ltv_bps else {}),
    }


def _read(
    market: MarketNow, asset: Address, ids: Mapping[Address, int], words: Words
) -> dict[str, Any]:
    """What only views say."""
    row = market.reserves[asset].reserve
    held = words.of("balanceOf", asset, row.a_token)
    strategy = words.strategy()
    return {
        "aTokenName": words.of("name", row.a_token),
        "aTokenSymbol": words.of("symbol", row.a_token),
        "aTokenUnderlyingBalance": None if held is None else str(held),
        "id": ids.get(asset),
        "interestRateStrategy": checksum(strategy) if strategy else None,
        "oracleDescription": words.of("description", market.prices[asset].source),
        "variableDebtTokenName": words.of("name", row.variable_debt_token),
        "variableDebtTokenSymbol": words.of("symbol", row.variable_debt_token),
    }


def _strategy(row: Reserve, words: Words) -> dict[str, str | None]:
    bps = {
        "baseVariableBorrowRate": row.base_rate_bps,
        "maxVariableBorrowRate": row.base_rate_bps + row.slope1_bps + row.slope2_bps,
        "optimalUsageRatio": row.optimal_usage_bps,
        "variableRateSlope1": row.slope1_bps,
        "variableRateSlope2": row.slope2_bps,
    }
    strategy = words.strategy()
    return {
        "address": checksum(strategy) if strategy else None,
        **{name: str(value * RAY_PER_BPS) for name, value in bps.items()},
    }


def differences(before: dict[str, Any], after: dict[str, Any], at: str = "") -> dict[str, Any]:
    """Every leaf that differs, by its path, as [before, after]."""
    found: dict[str, Any] = {}
    for key in dict.fromkeys([*before, *after]):
        path = f"{at}.{key}" if at else str(key)
        one, other = before.get(key), after.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            found |= differences(one, other, path)
        elif one != other:
            found[path] = [one, other]
    return found
