"""What the PoolConfigurator accepts, and what it makes of it.

Source: `PoolConfigurator.configureReserveAsCollateral`, `setSupplyCap`, `setBorrowCap` and
`ReserveConfiguration` of @aave-dao/aave-v3-origin 3.6.0; the same in @aave/core-v3 1.19.3, but that
a frozen reserve has no pending LTV there.
"""

from __future__ import annotations

from dataclasses import replace

from defirisk.core.errors import UsageError
from defirisk.governance.change import Terms
from defirisk.governance.request import Wanted
from defirisk.protocols.lending.aave_v3.generation import V3_1, Generation
from defirisk.protocols.lending.aave_v3.rows import Reserve

BPS = 10_000
MAX_CAP = 2**36 - 1
MAX_BPS = 2**16 - 1
_COLLATERAL = "PoolConfigurator.configureReserveAsCollateral requires"


def terms(reserve: Reserve) -> Terms:
    """A reserve's terms as they are."""
    return Terms(
        ltv_bps=reserve.ltv_bps,
        liquidation_threshold_bps=reserve.liquidation_threshold_bps,
        liquidation_bonus_bps=max(reserve.liquidation_bonus_bps - BPS, 0),
        supply_cap=reserve.supply_cap,
        borrow_cap=reserve.borrow_cap,
        pending_ltv_bps=reserve.pending_ltv_bps,
    )


def sets_collateral(wanted: Wanted) -> bool:
    """Whether `configureReserveAsCollateral` has to be called."""
    ratios = (wanted.ltv_bps, wanted.liquidation_threshold_bps, wanted.liquidation_bonus_bps)
    return any(value is not None for value in ratios)


def ltv_argument(reserve: Reserve, wanted: Wanted) -> int:
    """The LTV to call it with: of a frozen reserve today's is the one that is pending."""
    if wanted.ltv_bps is not None:
        return wanted.ltv_bps
    return reserve.pending_ltv_bps if reserve.frozen else reserve.ltv_bps


def changed(reserve: Reserve, wanted: Wanted, generation: Generation, symbol: str) -> Reserve:
    """The reserve after the calls. Errors: `UsageError` that cites the contract's own rule."""
    made = reserve
    if sets_collateral(wanted):
        made = _collateral(reserve, wanted, generation, symbol)
    for name, setter in (("supply_cap", "setSupplyCap"), ("borrow_cap", "setBorrowCap")):
        cap = getattr(wanted, name)
        if cap is None:
            continue
        if cap > MAX_CAP:
            raise UsageError(
                f"{symbol}: {name}={cap} is more than PoolConfigurator.{setter} takes "
                f"(Invalid{name.title().replace('_', '')}): the largest is {MAX_CAP}"
            )
        made = replace(made, **{name: cap})
    if made == reserve:
        raise UsageError(f"{symbol}: --set states what is so already: nothing would change")
    return made


def _collateral(reserve: Reserve, wanted: Wanted, generation: Generation, symbol: str) -> Reserve:
    today = terms(reserve)
    ltv = ltv_argument(reserve, wanted)
    threshold = _or(wanted.liquidation_threshold_bps, today.liquidation_threshold_bps)
    bonus = _or(wanted.liquidation_bonus_bps, today.liquidation_bonus_bps)
    _check(reserve, ltv, threshold, bonus, symbol)
    stored_bonus = BPS + bonus if threshold else 0
    made = replace(
        reserve,
        ltv_bps=ltv,
        liquidation_threshold_bps=threshold,
        liquidation_bonus_bps=stored_bonus,
    )
    if generation.since_revision < V3_1.since_revision:
        return made
    if reserve.frozen:
        return replace(made, ltv_bps=0, pending_ltv_bps=ltv)
    return replace(made, pending_ltv_bps=0)


def _check(reserve: Reserve, ltv: int, threshold: int, bonus: int, symbol: str) -> None:
    for name, value in (("ltv", ltv), ("lt", threshold)):
        if value < 0:
            raise UsageError(f"{symbol}: {name} is {_percent(value)}: it cannot be below 0 %")
    if ltv > threshold:
        raise UsageError(
            f"{symbol}: ltv {_percent(ltv)} is above lt {_percent(threshold)}: {_COLLATERAL} "
            "ltv <= liquidationThreshold (InvalidReserveParams); lower ltv or raise lt"
        )
    if threshold == 0:
        _check_off(reserve, bonus, symbol)
        return
    if bonus <= 0:
        raise UsageError(
            f"{symbol}: bonus is {_percent(bonus)}: {_COLLATERAL} liquidationBonus > 100 % "
            "(InvalidReserveParams); set bonus above 0 %"
        )
    if (threshold * (BPS + bonus) + BPS // 2) // BPS > BPS or BPS + bonus > MAX_BPS:
        most = min(threshold, BPS * BPS // (BPS + bonus))
        raise UsageError(
            f"{symbol}: lt {_percent(threshold)} with bonus {_percent(bonus)}: {_COLLATERAL} "
            "liquidationThreshold.percentMul(liquidationBonus) <= 100 % (InvalidReserveParams); "
            f"with this bonus lt may be at most {_percent(most)}"
        )


def _check_off(reserve: Reserve, bonus: int, symbol: str) -> None:
    if reserve.scaled_supply_raw:
        raise UsageError(
            f"{symbol}: lt=0% ends its use as collateral: {_COLLATERAL} that nobody supplies it "
            "(ReserveLiquidityNotZero); set ltv=0% to end new loans against it"
        )
    if bonus:
        raise UsageError(
            f"{symbol}: lt=0%: {_COLLATERAL} liquidationBonus == 0 then (InvalidReserveParams); "
            "set bonus=0% as well"
        )


def _or(value: int | None, today: int) -> int:
    return today if value is None else value


def _percent(bps: int) -> str:
    return f"{bps / 100:g} %"
