"""Imported perpetuals as `core.margin` states them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.margin import MarginAccount, PerpMarket, PerpPosition, Perps
from defirisk.protocols.perps.imported_perps.accounts import (
    AccountsNow,
    MarketNow,
    UnitNow,
    accounts_now,
    whole,
)
from defirisk.protocols.perps.imported_perps.liquidation import liquidation_price
from defirisk.protocols.perps.imported_perps.tiers import Schedule, number

NOTHING = Fraction(0)


def perps(snapshot: Snapshot) -> Perps:
    """Positions, accounts and markets of the files. What was paid as funding is in the margins, so
    none is accrued; bad debt is what units owe beyond what they have, haircuts left aside.
    """
    now = accounts_now(snapshot)
    return Perps(
        positions=tuple(one for unit in now.units for one in _positions(unit, now)),
        accounts=tuple(_account(unit, now) for unit in now.units),
        markets=tuple(_market(one, now) for one in now.markets),
        insurance_fund=None,
        bad_debt=sum((max(NOTHING, -unit.worth(now.prices)) for unit in now.units), NOTHING),
    )


def _positions(unit: UnitNow, now: AccountsNow) -> Iterator[PerpPosition]:
    assets = dict.fromkeys(held.row.asset for held in unit.positions)
    fall = {asset: liquidation_price(unit, asset, now.prices) for asset in assets}
    for held in unit.positions:
        price = now.prices[held.quote]
        yield PerpPosition(
            unit=unit.name,
            market=held.row.market,
            size=held.size,
            entry_price=held.entry,
            mark_price=price,
            unrealised_pnl=held.size * (price - held.entry),
            accrued_funding=NOTHING,
            liquidation_price=fall[held.row.asset],
            grade="imported",
        )


def _account(unit: UnitNow, now: AccountsNow) -> MarginAccount:
    return MarginAccount(
        unit=unit.name,
        owner=unit.owner,
        mode=unit.mode,
        margin=unit.pledged(now.prices),
        equity=unit.equity(now.prices),
        initial=unit.initial(now.prices),
        maintenance=unit.maintenance(now.prices),
        liquidatable=unit.liquidatable(now.prices),
    )


def _market(one: MarketNow, now: AccountsNow) -> PerpMarket:
    """Open interest is that of the files. Without tiers, the ratios are the highest stated."""
    sizes = [whole(row.size_raw) for row in one.rows]
    schedule = now.schedules.get(one.asset)
    stated = max((number(row.maintenance_margin or "0") for row in one.rows), default=NOTHING)
    return PerpMarket(
        market=one.market,
        name=one.market,
        base_asset=one.asset,
        mark_price=one.price,
        index_price=one.price,
        long_interest=sum((size for size in sizes if size > 0), NOTHING),
        short_interest=sum((-size for size in sizes if size < 0), NOTHING),
        funding_rate=None,
        initial_ratio=schedule.tiers[0].initial if schedule else stated,
        maintenance_ratio=schedule.tiers[0].maintenance if schedule else stated,
        limits=_limits(schedule) if schedule else (),
    )


def _limits(schedule: Schedule) -> tuple[tuple[str, str], ...]:
    return tuple(
        (
            f"from a notional of {float(tier.floor):,.10g}",
            f"initial {float(tier.initial):.6g}, maintenance {float(tier.maintenance):.6g}",
        )
        for tier in schedule.tiers
    )
