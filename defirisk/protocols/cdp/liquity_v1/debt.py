"""A Liquity v1 as every report sees collateralised debt."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.debt_position import DebtMarket, DebtPosition, DebtSystem
from defirisk.core.evm import Address
from defirisk.protocols.cdp.liquity_v1.fees import (
    borrowing_rate,
    decayed_base_rate,
    redemption_rate,
)
from defirisk.protocols.cdp.liquity_v1.rows import WAD
from defirisk.protocols.cdp.liquity_v1.system_now import DECIMALS, SystemNow, system_now
from defirisk.protocols.cdp.liquity_v1.troves import Rules, TroveNow


def debt(snapshot: Snapshot) -> DebtSystem:
    """Every open trove with what is pending for it, and the one kind of collateral."""
    now, market = system_now(snapshot), snapshot.deployment.name
    rules, price = now.rules(), now.price.wad()
    troves = now.active
    return DebtSystem(
        positions=tuple(_position(who, one, market, price, rules) for who, one in troves.items()),
        markets=(_market(snapshot, now, rules),),
        bad_debt_raw=sum(uncovered(one, price) for one in troves.values()) if price else 0,
    )


def uncovered(trove: TroveNow, price_wad: int) -> int:
    """What a trove owes beyond what its collateral is worth, base units of the debt."""
    return max(0, trove.debt_raw - trove.coll_raw * price_wad // WAD)


def _position(
    owner: Address, trove: TroveNow, market: str, price: int | None, rules: Rules | None
) -> DebtPosition:
    known = price is not None and trove.debt_raw
    ratio = Fraction(trove.coll_raw * (price or 0), WAD * trove.debt_raw) if known else None
    return DebtPosition(
        unit=owner,
        owner=owner,
        market=market,
        collateral_raw=trove.coll_raw,
        debt_raw=trove.debt_raw,
        ratio=ratio,
        liquidatable=None if rules is None else rules.can_be_liquidated(trove),
    )


def _market(snapshot: Snapshot, now: SystemNow, rules: Rules | None) -> DebtMarket:
    parameters, price = now.parameters, now.price.wad()
    known = price is not None and now.debt_raw
    total = Fraction(now.coll_raw * (price or 0), WAD * now.debt_raw) if known else None
    return DebtMarket(
        market=snapshot.deployment.name,
        collateral=now.collateral,
        collateral_decimals=DECIMALS,
        debt=now.system.debt_token,
        debt_decimals=DECIMALS,
        collateral_raw=now.coll_raw,
        debt_raw=now.debt_raw,
        price=None if price is None else Fraction(price, WAD),
        minimum_ratio=Fraction(parameters.mcr_wad, WAD),
        minimum_debt_raw=parameters.min_net_debt_raw + parameters.gas_compensation_raw,
        debt_ceiling_raw=None,
        stability_fee_apr=Fraction(0),
        stability_deposits_raw=now.pool.deposits_raw,
        liquidation_penalty=Fraction(max(0, parameters.mcr_wad - WAD), WAD),
        total_ratio=total,
        critical_ratio=Fraction(parameters.ccr_wad, WAD),
        recovery_mode=None if rules is None else rules.recovery,
        limits=_limits(snapshot, now),
        redeemable=True,
    )


def _limits(snapshot: Snapshot, now: SystemNow) -> tuple[tuple[str, str], ...]:
    """Fees and reserves, as text."""
    parameters = now.parameters
    base = decayed_base_rate(now.system, snapshot.block.timestamp)
    part = Fraction(1, parameters.percent_divisor) if parameters.percent_divisor else Fraction(0)
    return (
        ("fee on what is borrowed", _percent(borrowing_rate(base, parameters))),
        ("fee on what is redeemed", _percent(redemption_rate(base, parameters))),
        ("liquidator's reward in debt", _tokens(parameters.gas_compensation_raw)),
        ("liquidator's reward in collateral", _percent(int(part * WAD))),
        ("collateral gained by depositors", _tokens(now.pool.coll_raw)),
        ("collateral left to be claimed", _tokens(sum(now.surpluses.values()))),
        ("debt redistributed and pending", _tokens(now.system.default_debt_raw)),
    )


def _percent(wad: int) -> str:
    return f"{Decimal(wad) / WAD * 100:.4f} %"


def _tokens(raw: int) -> str:
    return f"{Decimal(raw) / WAD:.6g}"
