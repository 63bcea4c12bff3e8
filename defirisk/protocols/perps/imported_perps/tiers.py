"""What must be kept of a notional: straight lines that grow steeper from tier to tier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from defirisk.protocols.perps.imported_perps.rows import ImportedTier

NOTHING = Fraction(0)


def number(text: str) -> Fraction:
    """The exact value of the decimal text that an import has let pass."""
    return Fraction(Decimal(text))


@dataclass(frozen=True, slots=True)
class Tier:
    """From `floor` USD of notional on: fractions of what is beyond it."""

    floor: Fraction
    initial: Fraction
    maintenance: Fraction


@dataclass(frozen=True, slots=True)
class Schedule:
    """Tiers by floor, the first one at 0; neither fraction falls.

    A notional in tier k needs its maintenance fraction of all of it less a *maintenance amount*,
    which makes the requirement continuous: the sum over tiers of the rise of the fraction times
    what is beyond the floor. Opening needs the initial fraction of the notional's own tier, of all
    of it. Source: Binance, "Leverage and Margin of USDⓈ-M Futures" (its `cum` is that amount);
    Hyperliquid, "Margin tiers" (its maintenance deduction).
    """

    tiers: tuple[Tier, ...]

    def maintenance(self, notional: Fraction) -> Fraction:
        """What keeping a position of this notional demands, USD."""
        return sum(
            (rise * (notional - floor) for floor, rise in self.rises() if notional > floor), NOTHING
        )

    def slope(self, notional: Fraction) -> Fraction:
        """How much more each further dollar of notional demands."""
        return self._tier(notional).maintenance

    def initial(self, notional: Fraction) -> Fraction:
        """What opening a position of this notional demands, USD."""
        return self.initial_ratio(notional) * notional

    def initial_ratio(self, notional: Fraction) -> Fraction:
        """Likewise, as a part of the notional."""
        return self._tier(notional).initial

    def rises(self) -> Iterator[tuple[Fraction, Fraction]]:
        """Each floor, and by how much the maintenance fraction rises there."""
        before = NOTHING
        for tier in self.tiers:
            yield tier.floor, tier.maintenance - before
            before = tier.maintenance

    def amounts(self) -> tuple[Fraction, ...]:
        """The maintenance amount of every tier, USD."""
        found, total = [], NOTHING
        for floor, rise in self.rises():
            total += floor * rise
            found.append(total)
        return tuple(found)

    def _tier(self, notional: Fraction) -> Tier:
        return [tier for tier in self.tiers if tier.floor <= notional][-1]


def flat(maintenance: Fraction) -> Schedule:
    """One fraction for all; opening is taken to need no more."""
    return Schedule((Tier(NOTHING, maintenance, maintenance),))


def schedules(rows: Iterable[ImportedTier]) -> dict[str, Schedule]:
    """The schedule of every asset that has tiers."""
    tiers: dict[str, list[Tier]] = {}
    for row in rows:
        values = (row.notional_floor_usd, row.initial_margin, row.maintenance_margin)
        tiers.setdefault(row.asset, []).append(Tier(*map(number, values)))
    return {
        asset: Schedule(tuple(sorted(own, key=lambda tier: tier.floor)))
        for asset, own in tiers.items()
    }
