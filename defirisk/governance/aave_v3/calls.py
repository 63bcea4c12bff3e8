"""The calls of a proposal: what the PoolConfigurator is told, and what the config engine is told.

Source: `IPoolConfigurator` and `IAaveV3ConfigEngine` of @aave-dao/aave-v3-origin 3.6.0. The engine
counts a bonus of 8.5 % as 8_50, the PoolConfigurator as 108_50.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from defirisk.chain.codec import load_functions
from defirisk.core.evm import Address
from defirisk.governance.aave_v3.rules import BPS
from defirisk.governance.change import Change

KEEP_CURRENT = 2**256 - 1 - 42
"""`EngineFlags.KEEP_CURRENT`."""
COLLATERAL = ("ltv_bps", "liquidation_threshold_bps", "liquidation_bonus_bps", "pending_ltv_bps")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractCall:
    """A function with its arguments by the contract's own names, and the calldata they make."""

    function: str
    signature: str
    arguments: Mapping[str, Any]
    data: bytes


def configurator_calls(changes: Iterable[Change]) -> list[ContractCall]:
    """What has to be called on the PoolConfigurator, in this order."""
    return [call for change in changes for call in _of(change)]


def _of(change: Change) -> Iterator[ContractCall]:
    after = change.after
    if change.is_any(*COLLATERAL):
        threshold = after.liquidation_threshold_bps
        yield _call(
            "configureReserveAsCollateral",
            asset=change.asset,
            ltv=after.pending_ltv_bps or after.ltv_bps,
            liquidationThreshold=threshold,
            liquidationBonus=BPS + after.liquidation_bonus_bps if threshold else 0,
        )
    if change.is_any("supply_cap"):
        yield _call("setSupplyCap", asset=change.asset, newSupplyCap=after.supply_cap)
    if change.is_any("borrow_cap"):
        yield _call("setBorrowCap", asset=change.asset, newBorrowCap=after.borrow_cap)


def _call(function: str, **arguments: Any) -> ContractCall:
    codec = load_functions("AaveV3.PoolConfiguratorSetters", [function])[function]
    return ContractCall(
        function=function,
        signature=codec.signature,
        arguments=arguments,
        data=codec.encode(tuple(arguments.values())),
    )


def engine_calls(changes: Sequence[Change]) -> list[ContractCall]:
    """The same as a payload tells the config engine, which it calls by delegatecall."""
    return [
        _engine(function, list(updates))
        for function, updates in (
            ("updateCollateralSide", _collateral_updates(changes)),
            ("updateCaps", _caps_updates(changes)),
        )
        if updates
    ]


def _collateral_updates(changes: Iterable[Change]) -> list[dict[str, Any]]:
    found = []
    for change in changes:
        if not change.is_any(*COLLATERAL):
            continue
        frozen = change.before.pending_ltv_bps or change.after.pending_ltv_bps
        after = change.after
        found.append(
            {
                "asset": change.asset,
                # What the engine would keep is the LTV in force, which is 0 of a frozen reserve.
                "ltv": (after.pending_ltv_bps or after.ltv_bps)
                if frozen
                else _new(change, "ltv_bps"),
                "liqThreshold": _new(change, "liquidation_threshold_bps"),
                "liqBonus": _new(change, "liquidation_bonus_bps"),
                "debtCeiling": KEEP_CURRENT,
                "liqProtocolFee": KEEP_CURRENT,
            }
        )
    return found


def _caps_updates(changes: Iterable[Change]) -> list[dict[str, Any]]:
    return [
        {
            "asset": change.asset,
            "supplyCap": _new(change, "supply_cap"),
            "borrowCap": _new(change, "borrow_cap"),
        }
        for change in changes
        if change.is_any("supply_cap", "borrow_cap")
    ]


def _new(change: Change, term: str) -> int:
    return int(getattr(change.after, term)) if change.is_any(term) else KEEP_CURRENT


def _engine(function: str, updates: list[dict[str, Any]]) -> ContractCall:
    codec = load_functions("AaveV3.ConfigEngine", [function])[function]
    return ContractCall(
        function=function,
        signature=codec.signature,
        arguments={"updates": updates},
        data=codec.encode(([tuple(update.values()) for update in updates],)),
    )


def target(pool_configurator: Address, calls: Iterable[ContractCall]) -> list[dict[str, Any]]:
    """Calls as JSON, for whoever signs them."""
    return [
        {
            "to": pool_configurator,
            "value": "0",
            "signature": call.signature,
            "arguments": shown(call.arguments),
            "data": "0x" + call.data.hex(),
        }
        for call in calls
    ]


def shown(value: Any) -> Any:
    """Integers as decimal text: JSON readers lose digits of large ones."""
    match value:
        case int():
            return "KEEP_CURRENT" if value == KEEP_CURRENT else str(value)
        case Mapping():
            return {key: shown(inner) for key, inner in value.items()}
        case list():
            return [shown(inner) for inner in value]
    return value
