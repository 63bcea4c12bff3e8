"""Tiers of margin requirements from files: they ascend, or positions have none to go by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from defirisk.imports.judging import (
    MAX_PRICE_USD,
    Line,
    Refused,
    Statements,
    identity,
    name,
    number,
    shown,
    stated,
)
from defirisk.imports.perps_layouts import TIERS
from defirisk.imports.reading import Sheet
from defirisk.protocols.perps.imported_perps.rows import ImportedTier

LEVERAGE_ROUNDING = Fraction(1, 100)
"""Exchanges round: a leverage of 75 goes with an initial margin of 0.0133."""
Place = tuple[str, str]  # protocol and asset
_RISING = ("notional_floor_usd", "initial_margin", "maintenance_margin")


@dataclass(kw_only=True)
class Tiers:
    """The tables that passed. One with a row that did not is none: where a tier is left out, the
    others demand something else.
    """

    tables: dict[Place, list[ImportedTier]] = field(default_factory=dict)
    refused: dict[Place, Line] = field(default_factory=dict)

    def must_know(self, protocol: str, asset: str, stated_ratio: str) -> None:
        """Refuses a position of which nothing says what it must keep."""
        place = protocol, asset
        if place in self.refused:
            line = self.refused[place].line
            raise Refused(f"the tiers of {shown(asset)} have a bad row, line {line}")
        if not stated_ratio and place not in self.tables:
            raise Refused(
                f"maintenance_margin is missing, and no file has tiers of {shown(asset)} of "
                f"{shown(protocol)}"
            )

    def put(self, found: Statements) -> None:
        """Takes the tables of every protocol that has positions."""
        for (protocol, _), rows in self.tables.items():
            if protocol in found.passed:
                for row in rows:
                    found.add(protocol, row)


def read_tiers(found: Statements, sheets: Sequence[Sheet], protocols: set[str]) -> Tiers:
    """All tables, in the order of their rows."""
    tiers = Tiers()
    for where, cells in stated(sheets, TIERS):
        place = cells["protocol"], identity(cells["asset"])
        try:
            row = _tier(cells, protocols, tiers.tables.get(place, []))
        except Refused as reason:
            found.refuse(where, reason)
            tiers.refused.setdefault(place, where)
            continue
        tiers.tables.setdefault(place, []).append(row)
    for place in tiers.refused:
        tiers.tables.pop(place, None)
    return tiers


def _tier(
    cells: dict[str, str], protocols: set[str], before: Sequence[ImportedTier]
) -> ImportedTier:
    if name("protocol", cells["protocol"]) not in protocols:
        raise Refused(f"no file of positions has protocol {shown(cells['protocol'])}")
    asset = identity(name("asset", cells["asset"]))
    floor = number("notional_floor_usd", cells["notional_floor_usd"])
    if floor > MAX_PRICE_USD:
        raise Refused(f"notional_floor_usd is above {MAX_PRICE_USD:.0e}: mistyped?")
    initial = fraction("initial_margin", cells["initial_margin"])
    maintenance = fraction("maintenance_margin", cells["maintenance_margin"])
    if maintenance > initial:
        raise Refused(
            f"maintenance_margin {cells['maintenance_margin']} is above the initial_margin "
            f"{cells['initial_margin']}"
        )
    _leverage(cells["max_leverage"], initial)
    _ascends(cells, asset, before)
    return ImportedTier(asset=asset, tier=len(before), **{name: cells[name] for name in _RISING})


def _leverage(text: str, initial: Fraction) -> None:
    if not text:
        return
    leverage = number("max_leverage", text)
    if abs(leverage * initial - 1) > LEVERAGE_ROUNDING:
        needed = "none" if not leverage else f"{float(1 / leverage):.6g}"
        raise Refused(f"max_leverage {text} goes with an initial_margin of {needed}")


def _ascends(cells: dict[str, str], asset: str, before: Sequence[ImportedTier]) -> None:
    if not before:
        if number("notional_floor_usd", cells["notional_floor_usd"]):
            raise Refused(
                f"the first tier of {shown(asset)} starts at {cells['notional_floor_usd']}: "
                "its notional_floor_usd is 0"
            )
        return
    for column in _RISING:
        last: str = getattr(before[-1], column)
        value, least = number(column, cells[column]), number(column, last)
        if value < least or (value == least and column == _RISING[0]):
            word = "not above" if column == _RISING[0] else "below"
            raise Refused(
                f"{column} {cells[column]} is {word} the {last} of the tier before: tiers ascend"
            )


def fraction(column: str, text: str) -> Fraction:
    """A number from 0 to 1."""
    value = number(column, text)
    if value > 1:
        raise Refused(f"{column} {text} is above 1: write 5 % as 0.05")
    return value
