"""Imported perpetuals as units, quotes, parameters, amounts and requirements.

A long has its size times the price and owes what it paid for it beyond its margin; a short owes its
size times the price and has what it got for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.holdings import Holding, Holdings, Market, Parameters, Quote, Side
from defirisk.core.quote import Constant, Feed
from defirisk.core.requirement import Requirement
from defirisk.protocols.perps.imported_perps.accounts import (
    CASH,
    AccountsNow,
    PositionNow,
    UnitNow,
    accounts_now,
)
from defirisk.protocols.perps.imported_perps.rows import PLACES

USD = "USD"
MARGIN = Parameters(
    label="margin",
    ltv=Fraction(1),
    liquidation_threshold=Fraction(1),
    liquidation_bonus=Fraction(0),
)
"""Margin counts in full: what must be kept of it is in the requirements."""


def holdings(snapshot: Snapshot) -> Holdings:
    """Every unit with a position, a margin or collateral."""
    now, name = accounts_now(snapshot), snapshot.deployment.name
    rows = _Rows(name=name, now=now)
    rows.quotes += rows.stated_quotes()
    for unit in now.units:
        rows.add(unit)
    return Holdings(
        units=tuple(rows.units),
        quotes=tuple(rows.quotes),
        parameters=tuple(rows.parameters.values()),
        holdings=tuple(rows.holdings),
        markets=tuple(rows.markets()),
        owners=tuple(rows.owners),
        # No contract rounds here: the numbers of the files are the numbers.
        resolution=Fraction(0),
        requirements=tuple(rows.requirements),
        virtual=(USD,),
    )


@dataclass(kw_only=True)
class _Rows:
    """Collects units."""

    name: str
    now: AccountsNow
    units: list[str] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    holdings: list[Holding] = field(default_factory=list)
    requirements: list[Requirement] = field(default_factory=list)
    parameters: dict[Fraction, Parameters] = field(default_factory=lambda: {Fraction(1): MARGIN})

    def stated_quotes(self) -> Iterator[Quote]:
        """Dollars, markets, collateral: every asset is priced by one feed of the protocol."""
        yield self._quote(self.name, USD, Constant(Fraction(1)))
        for one in self.now.markets:
            yield self._quote(one.market, one.asset, self._feed(one.asset, one.price))
        for asset in self.now.assets:
            price = self._price(asset)
            yield self._quote(self.name, asset, self._feed(asset, price))

    def add(self, unit: UnitNow) -> None:
        """One unit; nothing where it is empty."""
        if not (unit.positions or unit.collateral or unit.margin):
            return
        place = len(self.units)
        self.units.append(unit.name)
        self.owners.append(unit.owner)
        for held in unit.positions:
            self._put(place, held.quote, Fraction(held.row.size_raw))
            self.requirements += self._requirements(place, held)
        self._put(place, CASH, unit.cash * 10**PLACES)
        for one in unit.collateral:
            self._put(place, one.quote, Fraction(one.row.amount_raw), self._counted(one.counted))

    def markets(self) -> Iterator[Market]:
        """Longs stand as supplied, shorts as borrowed; of collateral, what is pledged."""
        for one in self.now.markets:
            long = sum(row.size_raw for row in one.rows if row.size_raw > 0)
            short = sum(-row.size_raw for row in one.rows if row.size_raw < 0)
            yield self._market(one.market, one.asset, one.price, (long, short))
        for asset in self.now.assets:
            pledged = sum(
                one.row.amount_raw
                for unit in self.now.units
                for one in unit.collateral
                if one.row.asset == asset
            )
            yield self._market(self.name, asset, self._price(asset), (pledged, 0))

    def _requirements(self, unit: int, held: PositionNow) -> Iterator[Requirement]:
        """Of the whole notional by the first tier, and for each further one by how much more of
        what is beyond its floor.
        """
        notional = abs(held.size) * self.now.prices[held.quote]
        opening = held.schedule.initial_ratio(notional)
        for floor, rise in held.schedule.rises():
            if not floor:
                yield _requirement(unit, held, rise, opening)
            elif rise:
                # What is below the floor asks for nothing, and never gives back.
                tier = _requirement(unit, held, rise, Fraction(0))
                yield replace(tier, offset=rise * floor, low=Fraction(0))

    def _put(self, unit: int, quote: int, raw: Fraction, parameters: int = 0) -> None:
        if raw:
            side = Side.COLLATERAL if raw > 0 else Side.DEBT
            amount, rest = divmod(abs(raw), 1)
            self.holdings.append(Holding(unit, quote, side, amount, amount, parameters, rest))

    def _counted(self, part: Fraction) -> int:
        """The place of the parameters of collateral that counts for this part."""
        if part not in self.parameters:
            self.parameters[part] = Parameters(
                label=f"collateral, haircut {float(1 - part):g}",
                ltv=part,
                liquidation_threshold=part,
                liquidation_bonus=Fraction(0),
            )
        return list(self.parameters).index(part)

    def _price(self, asset: str) -> Fraction:
        return self.now.prices[1 + len(self.now.markets) + self.now.assets.index(asset)]

    def _feed(self, asset: str, price: Fraction) -> Feed:
        return Feed(f"{self.name}/{asset}", price)

    def _quote(self, market: str, asset: str, program: Feed | Constant) -> Quote:
        return Quote(market=market, asset=asset, decimals=PLACES, program=program)

    def _market(self, market: str, asset: str, price: Fraction, raw: tuple[int, int]) -> Market:
        return Market(
            market=market,
            asset=asset,
            decimals=PLACES,
            supplied_raw=raw[0],
            borrowed_raw=raw[1],
            cash_raw=0,
            deficit_raw=0,
            supply_cap=0,
            borrow_cap=0,
            supply_apr=None,
            borrow_apr=None,
            parameters=MARGIN,
            reserve_factor=None,
            price=price,
            price_source=self._feed(asset, price).address,
            price_updated_ts=None,
            price_grade="imported",
        )


def _requirement(unit: int, held: PositionNow, ratio: Fraction, opening: Fraction) -> Requirement:
    return Requirement(
        unit=unit,
        quote=held.quote,
        amount_raw=abs(held.row.size_raw),
        ratio=ratio,
        initial_ratio=opening,
    )
