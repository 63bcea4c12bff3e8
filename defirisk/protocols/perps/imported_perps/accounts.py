"""Imported perpetuals as accounts: what each one has, and what it must keep, in fractions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from defirisk.core.adapter import Snapshot
from defirisk.core.margin import Mode
from defirisk.protocols.perps.imported_perps.rows import (
    PLACES,
    ImportedCollateral,
    ImportedPerp,
    ImportedTier,
)
from defirisk.protocols.perps.imported_perps.tiers import Schedule, flat, number, schedules

CASH = 0
"""The place of US dollars among the quotes; markets follow, then collateral assets."""
Prices = Mapping[int, Fraction]
"""US dollars per token, by the place of its quote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketNow:
    """A market, at the one price of its asset. `quote` is the place of its quote."""

    market: str
    asset: str
    quote: int
    price: Fraction
    rows: tuple[ImportedPerp, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionNow:
    """One position with a size."""

    row: ImportedPerp
    quote: int
    size: Fraction
    entry: Fraction
    schedule: Schedule

    def needs(self, price: Fraction) -> Fraction:
        """What keeping it demands."""
        return self.schedule.maintenance(abs(self.size) * price)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollateralNow:
    """What an account pledged of one asset; `counted` is 1 less the haircut."""

    row: ImportedCollateral
    quote: int
    amount: Fraction
    counted: Fraction


@dataclass(frozen=True, kw_only=True)
class UnitNow:
    """What is liquidated together: an isolated position, or all that an account has in cross mode.

    `margin` is the sum of the stated margins, USD.
    """

    name: str
    owner: str
    mode: Mode
    margin: Fraction
    positions: tuple[PositionNow, ...]
    collateral: tuple[CollateralNow, ...]

    @cached_property
    def cash(self) -> Fraction:
        """Margin less what was paid for the positions: what no price moves."""
        return self.margin - sum((p.size * p.entry for p in self.positions), Fraction(0))

    def pledged(self, prices: Prices) -> Fraction:
        """Margin and collateral after its haircut."""
        return self.margin + sum(
            (one.amount * one.counted * prices[one.quote] for one in self.collateral), Fraction(0)
        )

    def profit(self, prices: Prices) -> Fraction:
        """Of all positions since they were entered; funding is in the margin."""
        return sum((p.size * (prices[p.quote] - p.entry) for p in self.positions), Fraction(0))

    def equity(self, prices: Prices) -> Fraction:
        """What liquidation is decided by."""
        return self.pledged(prices) + self.profit(prices)

    def worth(self, prices: Prices) -> Fraction:
        """Without haircuts."""
        cut = ((1 - one.counted) * one.amount * prices[one.quote] for one in self.collateral)
        return self.equity(prices) + sum(cut, Fraction(0))

    def maintenance(self, prices: Prices) -> Fraction:
        """What keeping all positions demands."""
        return sum((p.needs(prices[p.quote]) for p in self.positions), Fraction(0))

    def initial(self, prices: Prices) -> Fraction:
        """What opening all positions would demand."""
        needed = (p.schedule.initial(abs(p.size) * prices[p.quote]) for p in self.positions)
        return sum(needed, Fraction(0))

    def liquidatable(self, prices: Prices) -> bool:
        """Below maintenance, not at it."""
        return self.equity(prices) < self.maintenance(prices)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsNow:
    """One protocol. Markets and collateral assets in the order of their quotes."""

    markets: tuple[MarketNow, ...]
    assets: tuple[str, ...]
    """The assets of the collateral quotes."""
    units: tuple[UnitNow, ...]
    prices: Prices
    schedules: Mapping[str, Schedule] = field(default_factory=dict)


def accounts_now(snapshot: Snapshot) -> AccountsNow:
    """Every unit with something in it. Rows are as an import lets them pass."""
    held = list(snapshot.rows.all(ImportedPerp))
    pledged = list(snapshot.rows.all(ImportedCollateral))
    markets = _markets(held)
    first = 1 + len(markets)
    assets = tuple(dict.fromkeys(row.asset for row in pledged))
    worth = {row.asset: number(row.price_usd) for row in pledged}
    places = {asset: first + place for place, asset in enumerate(assets)}
    tiers = schedules(snapshot.rows.all(ImportedTier))
    return AccountsNow(
        markets=markets,
        assets=assets,
        units=_units(held, pledged, {one.market: one.quote for one in markets}, places, tiers),
        prices={
            CASH: Fraction(1),
            **{one.quote: one.price for one in markets},
            **{places[asset]: price for asset, price in worth.items()},
        },
        schedules=tiers,
    )


def whole(raw: int) -> Fraction:
    """Tokens or dollars of an amount in `PLACES` decimals."""
    return Fraction(raw, 10**PLACES)


def unit_name(account: str, market: str, mode: str) -> str:
    """An isolated position is a unit of its own."""
    return account if mode == Mode.CROSS else f"{account}:{market}"


def _markets(held: Iterable[ImportedPerp]) -> tuple[MarketNow, ...]:
    rows: dict[str, list[ImportedPerp]] = {}
    for row in held:
        rows.setdefault(row.market, []).append(row)
    return tuple(
        MarketNow(
            market=market,
            asset=own[0].asset,
            quote=place,
            price=number(own[0].price_usd),
            rows=tuple(own),
        )
        for place, (market, own) in enumerate(rows.items(), start=1)
    )


def _units(
    held: Iterable[ImportedPerp],
    pledged: Iterable[ImportedCollateral],
    quotes: Mapping[str, int],
    places: Mapping[str, int],
    tiers: Mapping[str, Schedule],
) -> tuple[UnitNow, ...]:
    positions: dict[tuple[str, str, Mode], list[ImportedPerp]] = {}
    backing: dict[str, list[CollateralNow]] = {}
    for row in held:
        unit = unit_name(row.account, row.market, row.mode)
        positions.setdefault((unit, row.account, Mode(row.mode)), []).append(row)
    for one in pledged:
        positions.setdefault((one.account, one.account, Mode.CROSS), [])
        backing.setdefault(one.account, []).append(_collateral(one, places[one.asset]))
    return tuple(
        UnitNow(
            name=name,
            owner=owner,
            mode=mode,
            margin=whole(sum(row.margin_raw for row in rows)),
            positions=tuple(
                _position(row, quotes[row.market], tiers) for row in rows if row.size_raw
            ),
            collateral=tuple(backing.get(owner, ())) if mode is Mode.CROSS else (),
        )
        for (name, owner, mode), rows in positions.items()
    )


def _position(row: ImportedPerp, quote: int, tiers: Mapping[str, Schedule]) -> PositionNow:
    own = tiers.get(row.asset)
    return PositionNow(
        row=row,
        quote=quote,
        size=whole(row.size_raw),
        entry=number(row.entry_price_usd),
        schedule=own if own is not None else flat(number(row.maintenance_margin or "0")),
    )


def _collateral(row: ImportedCollateral, quote: int) -> CollateralNow:
    return CollateralNow(
        row=row, quote=quote, amount=whole(row.amount_raw), counted=1 - number(row.haircut)
    )
