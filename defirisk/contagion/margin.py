"""Margins that are no fixed share of the collateral: limits on requirements, and recovery modes.

A requirement without limits is linear in prices, like a debt, and needs nothing of this. Units
with limits, or in a system with a recovery mode, are *bent*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from defirisk.core.book import Book, Floats, Ints, Recovery, Requirements

Bools = npt.NDArray[np.bool_]


def limited(of: Requirements, which: Ints | None = None) -> tuple[Bools, Bools]:
    """Which requirements are linear in prices, and which have a limit; others are nothing.

    Of these (K,) or of all, (R,).
    """
    own: Ints | slice = slice(None) if which is None else which
    something, low, high = of.amount[own] * of.ratio[own] > 0, of.low[own], of.high[own]
    bends = (high < np.inf) | (of.offset[own] > 0)
    capped = ((low > 0) | (something & bends)) & (high > 0)
    return something & (high > 0) & ~capped, capped


def bent(book: Book) -> Bools:
    """The units whose margin is not linear in prices, shape (N,)."""
    mask = np.zeros(len(book.units), dtype=np.bool_)
    mask[book.requirements.unit[limited(book.requirements)[1]]] = True
    for system in book.recovery:
        mask[system.units] = True
    return mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Limited:
    """K requirements with limits, of N units."""

    rows: csr_array[np.float64]  # (N, K), 1 where a unit has the requirement
    quote: Ints  # (K,)
    weight: Floats  # (K,), ratio times amount
    offset: Floats  # (K,), USD
    low: Floats  # (K,), USD
    high: Floats  # (K,)

    @classmethod
    def of(cls, book: Book, which: Ints, unit: Ints, size: int) -> Limited:
        """These requirements of the book, whose units have these places among `size`."""
        known = book.requirements
        order = np.arange(len(which))
        return cls(
            rows=csr_array((np.ones(len(which)), (unit, order)), shape=(size, len(which))),
            quote=known.quote[which],
            weight=known.amount[which] * known.ratio[which],
            offset=known.offset[which],
            low=known.low[which],
            high=known.high[which],
        )

    def value(self, oracle: Floats) -> Floats:
        """What units must keep because of these, (N, S) of prices (Q, S)."""
        raw = self.weight[:, None] * oracle[self.quote] - self.offset[:, None]
        inside = np.clip(raw, self.low[:, None], self.high[:, None])
        return np.asarray(self.rows @ inside, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """When a unit falls by recovery mode: where all three are negative, shape (3, M, S).

    The system is below its critical ratio; the unit's ratio is below the system's; its debt can be
    absorbed (0 counts as well). `scale` is what each is a difference of, `rounding` what the
    contract's rounding may amount to in it.
    """

    value: Floats
    scale: Floats
    rounding: Floats

    def holds(self, edge: float) -> tuple[Bools, Bools]:
        """Where a unit falls for certain, and where it may; (M, S) each. NaN: neither."""
        unsure = edge * self.scale + self.rounding
        certain, possible = (self.value < -unsure, self.value <= unsure)
        return np.logical_and.reduce(certain, axis=0), np.logical_and.reduce(possible, axis=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A system with a recovery mode; `members` (M,) are the places of its units among rows."""

    members: Ints
    whole: Recovery

    @property
    def last(self) -> bool:
        """Whether only one unit is left, which stays."""
        return len(self.whole.units) < 2

    def totals(self, oracle: Floats) -> tuple[Floats, Floats]:
        """Everything pledged and owed at these prices (Q, S), USD, (S,) each."""
        whole = self.whole
        return (
            whole.collateral_amount * oracle[whole.collateral],
            whole.debt_amount * oracle[whole.debt],
        )

    def conditions(
        self, pledged: Floats, owed: Floats, rounding: Floats, oracle: Floats
    ) -> Conditions:
        """Of what the members have and owe at oracle prices, (M, S)."""
        whole = self.whole
        everything, debts = self.totals(oracle)
        # Ratios are compared by multiplying crosswise: a system may owe nothing.
        above, theirs = pledged * debts, owed * everything
        absorbed = whole.absorbed * np.ones_like(debts)
        if np.isfinite(whole.absorbed):
            absorbed = whole.absorbed * oracle[whole.debt]
        shape = owed.shape
        critical = np.broadcast_to(whole.critical_ratio * debts, shape)
        none = np.zeros(shape)
        return Conditions(
            value=np.stack(
                [np.broadcast_to(everything, shape) - critical, above - theirs, owed - absorbed]
            ),
            scale=np.stack([critical, theirs, owed]),
            rounding=np.stack([none, rounding * (debts + everything), rounding]),
        )


def systems(book: Book, units: Ints) -> Sequence[System]:
    """The systems that some of these units, which ascend, are in."""
    found = [
        System(members=np.flatnonzero(np.isin(units, whole.units)), whole=whole)
        for whole in book.recovery
    ]
    return [one for one in found if len(one.members)]
