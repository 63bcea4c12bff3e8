"""A Maker MCD as every report sees collateralised debt.

Debts are those after a `drip` at the snapshot's block, which anybody may make: what an owner has to
pay. Whether an urn can be liquidated is judged at the stored rate, as the contract does until then.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.debt_position import (
    DebtAuction,
    DebtMarket,
    DebtPosition,
    DebtReserves,
    DebtSystem,
)
from defirisk.protocols.cdp.maker_mcd.rows import RAD, RAY, WAD, Urn
from defirisk.protocols.cdp.maker_mcd.system_now import (
    DECIMALS,
    IlkNow,
    MakerNow,
    maker_now,
    unit_of,
)


def debt(snapshot: Snapshot) -> DebtSystem:
    """Every urn with collateral or debt, and every ilk that has any."""
    now = maker_now(snapshot)
    urns = now.open
    used = dict.fromkeys(urn.ilk for urn in urns)
    return DebtSystem(
        positions=tuple(_position(now, urn) for urn in urns),
        markets=tuple(_market(now, now.ilks[ilk]) for ilk in used),
        bad_debt_raw=sum(uncovered_rad(now, urn) for urn in urns) // RAY,
        auctions=tuple(_auctions(now)),
        reserves=_reserves(now),
        limits=tuple(_system_limits(now)),
    )


def worth_rad(ilk: IlkNow, ink_raw: int) -> int | None:
    """Collateral at the price of the last poke, in DAI at its target price; None without one."""
    if ilk.price is None or not ilk.par_ray:
        return None
    return ink_raw * ilk.spotter.val_wad * RAY * RAY // (WAD * ilk.par_ray)


def uncovered_rad(now: MakerNow, urn: Urn) -> int:
    """What an urn owes beyond what its collateral is worth; 0 where no price is known."""
    ilk = now.ilks[urn.ilk]
    worth = worth_rad(ilk, urn.ink_raw)
    return 0 if worth is None else max(0, ilk.owed_rad(urn) - worth)


def _position(now: MakerNow, urn: Urn) -> DebtPosition:
    ilk = now.ilks[urn.ilk]
    owed, worth = ilk.owed_rad(urn), worth_rad(ilk, urn.ink_raw)
    return DebtPosition(
        unit=unit_of(urn),
        owner=now.owner(urn),
        market=urn.ilk,
        collateral_raw=urn.ink_raw,
        debt_raw=-(-owed // RAY),  # a part of a base unit has to be paid as one
        ratio=Fraction(worth, owed) if owed and worth is not None else None,
        liquidatable=None if ilk.price is None else now.can_be_liquidated(urn),
    )


def _market(now: MakerNow, ilk: IlkNow) -> DebtMarket:
    locked = sum(urn.ink_raw for urn in now.urns if urn.ilk == ilk.ilk)
    owed, worth = ilk.vat.art_raw * ilk.accrued_ray, worth_rad(ilk, locked)
    price = ilk.price
    return DebtMarket(
        market=ilk.ilk,
        collateral=ilk.gem,
        collateral_decimals=DECIMALS,
        debt=now.dai,
        debt_decimals=DECIMALS,
        collateral_raw=locked,
        debt_raw=-(-owed // RAY),
        price=None if price is None else price * Fraction(RAY, ilk.par_ray),
        minimum_ratio=Fraction(ilk.spotter.mat_ray, RAY),
        minimum_debt_raw=-(-ilk.vat.dust_rad // RAY),
        debt_ceiling_raw=ilk.vat.line_rad // RAY,
        stability_fee_apr=ilk.fee_apr,
        stability_deposits_raw=None,
        liquidation_penalty=Fraction(max(0, ilk.chop_wad - WAD), WAD),
        total_ratio=Fraction(worth, owed) if owed and worth is not None else None,
        critical_ratio=None,
        recovery_mode=None,
        limits=tuple(_limits(ilk)),
    )


def _auctions(now: MakerNow) -> Iterator[DebtAuction]:
    """Lots at flips. Those at clips have no rows: their sums are among the limits."""
    for one in now.auctions:
        flip = now.flips.get(one.flip)
        if one.lot_raw and flip is not None:
            yield DebtAuction(
                market=flip.ilk,
                auction=str(one.auction),
                lot_raw=one.lot_raw,
                asked_raw=one.tab_rad // RAY,
                bid_raw=one.bid_rad // RAY,
                end_ts=one.end_ts,
            )


def _reserves(now: MakerNow) -> DebtReserves:
    known = now.surplus_rad is not None
    return DebtReserves(
        ceiling_raw=now.system.line_rad // RAY,
        debt_raw=-(-now.system.debt_rad // RAY),
        written_off_raw=-(-now.system.vice_rad // RAY),
        surplus_raw=None if now.surplus_rad is None else now.surplus_rad // RAY,
        unbacked_raw=-(-now.deficit_rad // RAY) if known else None,
    )


def _system_limits(now: MakerNow) -> list[tuple[str, str]]:
    """What is allowed to all ilks together."""
    limits = [("target price of DAI", f"{Decimal(now.system.par_ray) / RAY:f}")]
    if now.cat.cat:
        limits += [
            ("auctioned at once at flips, at most", _dai(now.cat.box_rad)),
            ("asked for by auctions at flips", _dai(now.cat.litter_rad)),
        ]
    if now.dog.hole_rad:
        limits += [
            ("auctioned at once at clips, at most", _dai(now.dog.hole_rad)),
            ("asked for by auctions at clips", _dai(now.dog.dirt_rad)),
        ]
    return limits


def _limits(ilk: IlkNow) -> list[tuple[str, str]]:
    """What else is allowed to an ilk, and what is going on, as text."""
    limits = [
        ("rate stored", f"{Decimal(ilk.vat.rate_ray) / RAY:.12f}"),
        ("rate with interest until now", f"{Decimal(ilk.accrued_ray) / RAY:.12f}"),
    ]
    if ilk.by_dog:
        return [
            *limits,
            ("auctioned at once, at most", _dai(ilk.dog.hole_rad)),
            ("asked for by auctions", _dai(ilk.dog.dirt_rad)),
        ]
    return [*limits, ("largest auction", _dai(ilk.cat.dunk_rad))]


def _dai(rad: int) -> str:
    return f"{Decimal(rad) / RAD:,.2f}"
