"""Whether an imported unit can be liquidated, and at which price it could."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise

from defirisk.core.adapter import Snapshot
from defirisk.protocols.perps.imported_perps.accounts import (
    AccountsNow,
    Prices,
    UnitNow,
    accounts_now,
)


class Liquidatable:
    """Whether a unit's equity is below its maintenance requirement, in fractions, with the prices
    of some quotes scaled.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._now: AccountsNow | None = None
        self._units: dict[str, UnitNow] = {}

    def __call__(self, unit: str, prices: Mapping[int, Fraction]) -> bool:
        now = self._loaded()
        own = self._units.get(unit)
        return own is not None and own.liquidatable(_Scaled(now.prices, prices))

    def _loaded(self) -> AccountsNow:
        """Most books never ask: nothing is built until one does."""
        if self._now is None:
            self._now = accounts_now(self._snapshot)
            self._units = {unit.name: unit for unit in self._now.units}
        return self._now


class _Scaled(dict[int, Fraction]):
    """Prices times their factors, computed where they are asked for."""

    def __init__(self, prices: Prices, factors: Mapping[int, Fraction]) -> None:
        self._prices, self._factors = prices, factors

    def __missing__(self, quote: int) -> Fraction:
        self[quote] = self._prices[quote] * self._factors.get(quote, Fraction(1))
        return self[quote]


def liquidation_price(unit: UnitNow, asset: str, prices: Prices) -> Fraction | None:
    """The price of an asset, nearest to the present one and all others unchanged, at which the
    unit's equity is what it must keep; None where there is none above 0.

    All markets and collateral of the asset move: what is left beyond the requirement is made of
    straight lines in its price, one between each two prices at which a position changes tier.
    """
    moving = {p.quote for p in unit.positions if p.row.asset == asset}
    moving |= {one.quote for one in unit.collateral if one.row.asset == asset}
    present = next(prices[quote] for quote in sorted(moving))

    def spare(price: Fraction) -> Fraction:
        at = {**prices, **dict.fromkeys(moving, price)}
        return unit.equity(at) - unit.maintenance(at)

    bends = sorted(
        {
            floor / abs(p.size)
            for p in unit.positions
            if p.quote in moving
            for floor, _ in p.schedule.rises()
        }
        | {Fraction(0)}
    )
    # Beyond the last bend the line goes on for ever: any two prices there tell which it is.
    lines = [*pairwise(bends), (bends[-1], None)]
    found = []
    for start, end in lines:
        other = start + 1 if end is None else end
        left, right = spare(start), spare(other)
        if left == right:
            continue
        root = start + left * (other - start) / (left - right)
        if root > 0 and root >= start and (end is None or root <= end):
            found.append(root)
    return min(found, key=lambda root: abs(root - present), default=None)
